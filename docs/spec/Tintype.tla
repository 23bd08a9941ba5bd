------------------------------ MODULE Tintype ------------------------------
(***************************************************************************)
(* Live checkpoints of one VM with one disk: which of its I/O in flight    *)
(* belongs to which side, and who has to wait for whom.  The rules are     *)
(* numbered as in ../ordering-rules.md; R4 to R11 are invariants here, and *)
(* each can be switched off to see its invariant fail.                     *)
(*                                                                         *)
(* What a guest may do is chosen freely at every step, within what it may  *)
(* rely on: it never has two writes of one block in flight, nor two reads  *)
(* into one page.  A read and a write of one block may be in flight        *)
(* together.  A write writes its own number, so every block tells whose    *)
(* bytes it holds; block value 0 is what was there before.                 *)
(*                                                                         *)
(* Checkpoint c puts layer c on top of the disk and begins epoch c of      *)
(* memory, both in the one step Stun(c).  So one number, top, says which   *)
(* layer new writes go to, which epoch new frames belong to, and, kept     *)
(* with a request or a completion, before or after which T it came.        *)
(***************************************************************************)
EXTENDS Naturals, TLC

CONSTANTS
    Requests,      \* how many requests the guest may issue
    Checkpoints,   \* how many checkpoints may be taken
    Groups,        \* the disk: a set of block groups, each a set of blocks
    Pages,         \* the guest's memory
    Errors,        \* how many requests may fail
    BrokenRule     \* "R4" .. "R11": that rule does not hold; "none"

Ids    == 1 .. Requests
Cuts   == 1 .. Checkpoints
Layers == 0 .. Checkpoints
Blocks == UNION Groups
Values == 0 .. Requests
Frames == Pages \X Layers          \* <<p, e>>: the frame that page p got in epoch e

\* Which page and which block is which makes no difference (blocks of one group, at least).
Symmetry == Permutations(Pages) \union UNION {Permutations(g) : g \in Groups}

GroupOf(b) == CHOOSE g \in Groups : b \in g
Max(S)     == CHOOSE x \in S : \A y \in S : y <= x
Holds(rule) == BrokenRule # rule

\* What a frame or a saved page holds: the read that brought it, and the value that it brought.
Nothing == [by |-> 0, val |-> 0]               \* no read has filled it
Missing == [by |-> 0, val |-> Requests + 1]    \* there is no such frame, or it is not saved yet

VARIABLES
    top,      \* the checkpoint that was stunned last, 0 if none was
    issued,   \* how many requests the guest has issued; request i is the i-th
    req,      \* what is known of each of them
    block,    \* block[l][b]: what layer l has for block b
    held,     \* held[l]: the groups that layer l itself has
    frame,    \* frame[f]: what frame f holds
    newest,   \* newest[p]: in which epoch page p got the frame that the VM sees
    phase,    \* of each checkpoint
    saved,    \* saved[c][p]: the page as written to the store, or Missing
    failed    \* how many requests have failed

vars == <<top, issued, req, block, held, frame, newest, phase, saved, failed>>

NoRequest == [kind |-> "none", b |-> 0, pages |-> {}, born |-> 0, state |-> "none", ok |-> TRUE,
              val |-> 0, rest |-> <<>>, owes |-> {}, told |-> 0, died |-> 0]

(***************************************************************************)
(* Words                                                                   *)
(***************************************************************************)
Writes == {i \in 1 .. issued : req[i].kind = "write"}
Reads  == {i \in 1 .. issued : req[i].kind = "read"}

\* The guest has not been told its end.
InFlight(i)   == req[i].state # "delivered"
\* The device is not done with it.
Incomplete(i) == req[i].state \in {"issued", "faulting"}

\* P of checkpoint c: issued before its T, not delivered at it.
InP(i, c) == req[i].born < c /\ (InFlight(i) \/ req[i].died >= c)

\* Checkpoints somebody may restore, now or later.
Live == {c \in Cuts : phase[c] \in {"saving", "sealed"}}

\* The frame in which page p was when checkpoint c was stunned.
FrozenAt(p, c) == <<p, Max({e \in 0 .. c - 1 : e = 0 \/ frame[<<p, e>>] # Missing})>>
Current(p)     == <<p, newest[p]>>

\* What layers up to v show of block b.
View(v, b) == block[Max({l \in 0 .. v : GroupOf(b) \in held[l]})][b]

(***************************************************************************)
(* Memory                                                                  *)
(***************************************************************************)
\* What becomes of memory when the pages in ps get frames of their own.
Copied(ps) == [f \in Frames |->
    IF f[1] \in ps /\ f[2] = top /\ newest[f[1]] < top THEN frame[Current(f[1])] ELSE frame[f]]

\* R6: a read that owes its bytes to a frame owes them to every copy of it too.
OwesAfter(owes, ps) == IF Holds("R6")
    THEN owes \union {<<p, top>> : p \in {q \in ps : newest[q] < top /\ Current(q) \in owes}}
    ELSE owes

\* The guest stores to a page that a checkpoint has: a memory COW fault.  A store that copies
\* nothing changes nothing here.
Store(p) ==
    /\ newest[p] < top
    /\ frame'  = Copied({p})
    /\ newest' = [newest EXCEPT ![p] = top]
    /\ req'    = [i \in Ids |-> [req[i] EXCEPT !.owes = OwesAfter(@, {p})]]
    /\ UNCHANGED <<top, issued, block, held, phase, saved, failed>>

(***************************************************************************)
(* The guest issues requests.  They are bound here, not when they start.   *)
(***************************************************************************)
IssueWrite(b) ==
    /\ issued < Requests
    /\ \A i \in Writes : InFlight(i) => req[i].b # b
    /\ issued' = issued + 1
    /\ req'    = [req EXCEPT ![issued + 1] = [NoRequest EXCEPT
           !.kind = "write", !.b = b, !.born = top, !.state = "issued", !.val = issued + 1]]
    /\ UNCHANGED <<top, block, held, frame, newest, phase, saved, failed>>

\* R7: every page gets a frame of its own before the read is issued.
IssueRead(b, ps) ==
    /\ issued < Requests
    /\ \A i \in Reads : InFlight(i) => req[i].pages \intersect ps = {}
    /\ issued' = issued + 1
    /\ IF Holds("R7")
       THEN /\ frame'  = Copied(ps)
            /\ newest' = [p \in Pages |-> IF p \in ps THEN top ELSE newest[p]]
       ELSE UNCHANGED <<frame, newest>>
    /\ req' = [req EXCEPT ![issued + 1] = [NoRequest EXCEPT
           !.kind = "read", !.b = b, !.pages = ps, !.born = top, !.state = "issued",
           !.owes = {<<p, newest'[p]>> : p \in ps}]]
    /\ UNCHANGED <<top, block, held, phase, saved, failed>>

(***************************************************************************)
(* The device does them, in any order.                                     *)
(***************************************************************************)
\* The layer that a write goes to: the one it is bound to.  Broken, an old write goes where
\* the top is by then (R4), a new one into whichever layer has the group (R5).
Target(i) ==
    CASE ~Holds("R4") -> top
      [] ~Holds("R5") -> Max({l \in 0 .. req[i].born : GroupOf(req[i].b) \in held[l]})
      [] OTHER        -> req[i].born

\* The layer has the group: the write is done in place.
LandWrite(i) ==
    LET l == Target(i)
        b == req[i].b
    IN  /\ i \in Writes
        /\ req[i].state = "issued"
        /\ GroupOf(b) \in held[l]
        /\ block' = [block EXCEPT ![l][b] = i]
        /\ req'   = [req EXCEPT ![i].state = "landed"]
        /\ UNCHANGED <<top, issued, held, frame, newest, phase, saved, failed>>

\* It has not: the group is brought there.  First the rest of it is read from below.  R8: not
\* before all writes to it that are bound to lower layers are done, and one fault at a time.
BeginFault(i) ==
    LET l == Target(i)
        g == GroupOf(req[i].b)
        others == Writes \ {i}
    IN  /\ i \in Writes
        /\ req[i].state = "issued"
        /\ g \notin held[l]
        /\ \A j \in others :
               ~(req[j].state = "faulting" /\ GroupOf(req[j].b) = g /\ Target(j) = l)
        /\ Holds("R8") => \A j \in others :
               ~(Incomplete(j) /\ GroupOf(req[j].b) = g /\ req[j].born < l)
        /\ req' = [req EXCEPT ![i].state = "faulting",
                              ![i].rest = [b \in g \ {req[i].b} |-> View(l, b)]]
        /\ UNCHANGED <<top, issued, block, held, frame, newest, phase, saved, failed>>

\* Then the whole group is there, the write in it.
EndFault(i) ==
    LET l == Target(i)
        g == GroupOf(req[i].b)
    IN  /\ i \in Writes
        /\ req[i].state = "faulting"
        /\ block' = [block EXCEPT ![l] = [b \in Blocks |->
               IF b = req[i].b THEN i ELSE IF b \in g THEN req[i].rest[b] ELSE @[b]]]
        /\ held'  = [held EXCEPT ![l] = @ \union {g}]
        /\ req'   = [req EXCEPT ![i].state = "landed", ![i].rest = <<>>]
        /\ UNCHANGED <<top, issued, frame, newest, phase, saved, failed>>

\* A read lands in the frames that it is bound to, with what its view shows now.
LandRead(i) ==
    LET bound == {f \in req[i].owes : f[2] <= req[i].born}
        value == View(req[i].born, req[i].b)
    IN  /\ i \in Reads
        /\ req[i].state = "issued"
        /\ frame' = [f \in Frames |->
               IF f \in bound THEN [by |-> i, val |-> value] ELSE frame[f]]
        /\ req'   = [req EXCEPT ![i].state = "landed", ![i].val = value, ![i].owes = @ \ bound]
        /\ UNCHANGED <<top, issued, block, held, newest, phase, saved, failed>>

\* The device fails.  A failed request owes nothing and changes nothing.
Fail(i) ==
    /\ failed < Errors
    /\ i <= issued
    /\ Incomplete(i)
    /\ failed' = failed + 1
    /\ req'    = [req EXCEPT ![i].state = "landed", ![i].ok = FALSE, ![i].rest = <<>>,
                             ![i].owes = {}]
    /\ UNCHANGED <<top, issued, block, held, frame, newest, phase, saved>>

\* R6: a copy gets the bytes it lacks, those that landed.  R9, broken: it gets what the disk
\* answers when it is asked once more.
Pay(i, f) ==
    LET value == IF Holds("R9") THEN req[i].val ELSE View(req[i].born, req[i].b)
    IN  /\ i \in Reads
        /\ ~Incomplete(i)
        /\ f \in req[i].owes
        /\ frame' = [frame EXCEPT ![f] = [by |-> i, val |-> value]]
        /\ req'   = [req EXCEPT ![i].owes = @ \ {f}]
        /\ UNCHANGED <<top, issued, block, held, newest, phase, saved, failed>>

\* R11: the guest is told once, when nothing is owed any more.  Broken: it is told when the
\* request landed, and once more when all is paid.
Deliver(i) ==
    /\ i <= issued
    /\ \/ req[i].state = "landed" /\ (Holds("R11") => req[i].owes = {})
       \/ ~Holds("R11") /\ req[i].state = "delivered" /\ req[i].told = 1 /\ req[i].owes = {}
    /\ req' = [req EXCEPT ![i].state = "delivered", ![i].told = @ + 1,
                          ![i].died = IF req[i].told = 0 THEN top ELSE @]
    /\ UNCHANGED <<top, issued, block, held, frame, newest, phase, saved, failed>>

(***************************************************************************)
(* A checkpoint.                                                           *)
(***************************************************************************)
\* R1: the overlay is there before the VM stops, and there is one prepared overlay at a time.
Prepare(c) ==
    /\ phase[c] = "idle"
    /\ \A d \in Cuts : (d < c => phase[d] \notin {"idle", "prepared"})
    /\ phase' = [phase EXCEPT ![c] = "prepared"]
    /\ UNCHANGED <<top, issued, req, block, held, frame, newest, saved, failed>>

\* The cut: memory is frozen, the overlay on top, P fixed, in one step and waiting for nobody.
Stun(c) ==
    /\ phase[c] = "prepared"
    /\ phase' = [phase EXCEPT ![c] = "saving"]
    /\ top'   = c
    /\ UNCHANGED <<issued, req, block, held, frame, newest, saved, failed>>

\* R10: a page is saved when no read of P still owes its bytes to the frame of this checkpoint.
\* All pages of which that is true are saved at once, the others in a later step.
Save(c) ==
    LET owed  == UNION {req[i].owes : i \in Reads}
        ready == {p \in Pages : saved[c][p] = Missing
                                    /\ (Holds("R10") => FrozenAt(p, c) \notin owed)}
    IN  /\ phase[c] = "saving"
        /\ ready # {}
        /\ saved' = [saved EXCEPT ![c] = [p \in Pages |->
               IF p \in ready THEN frame[FrozenAt(p, c)] ELSE @[p]]]
        /\ UNCHANGED <<top, issued, req, block, held, frame, newest, phase, failed>>

\* R12: all of P has ended, everything is saved.
Seal(c) ==
    /\ phase[c] = "saving"
    /\ \A p \in Pages : saved[c][p] # Missing
    /\ \A i \in 1 .. issued : InP(i, c) => ~InFlight(i)
    /\ phase' = [phase EXCEPT ![c] = "sealed"]
    /\ UNCHANGED <<top, issued, req, block, held, frame, newest, saved, failed>>

\* At any time before that.  What was switched to stays, and so do debts (R6).
Abort(c) ==
    /\ phase[c] \in {"prepared", "saving"}
    /\ phase' = [phase EXCEPT ![c] = "aborted"]
    /\ saved' = [saved EXCEPT ![c] = [p \in Pages |-> Missing]]
    /\ UNCHANGED <<top, issued, req, block, held, frame, newest, failed>>

(***************************************************************************)
(* All of it.                                                              *)
(***************************************************************************)
Init ==
    /\ top    = 0
    /\ issued = 0
    /\ req    = [i \in Ids |-> NoRequest]
    /\ block  = [l \in Layers |-> [b \in Blocks |-> 0]]
    /\ held   = [l \in Layers |-> IF l = 0 THEN Groups ELSE {}]
    /\ frame  = [f \in Frames |-> IF f[2] = 0 THEN Nothing ELSE Missing]
    /\ newest = [p \in Pages |-> 0]
    /\ phase  = [c \in Cuts |-> "idle"]
    /\ saved  = [c \in Cuts |-> [p \in Pages |-> Missing]]
    /\ failed = 0

\* Nothing is left to do.  Any other state without a next one is a deadlock, which TLC reports:
\* somebody would wait for ever.
Finished ==
    /\ issued = Requests
    /\ \A i \in Ids : ~InFlight(i)
    /\ \A c \in Cuts : phase[c] \in {"sealed", "aborted"}
    /\ UNCHANGED vars

Next ==
    \/ \E p \in Pages : Store(p)
    \/ \E b \in Blocks : IssueWrite(b)
    \/ \E b \in Blocks, ps \in SUBSET Pages \ {{}} : IssueRead(b, ps)
    \/ \E i \in Ids : LandWrite(i) \/ BeginFault(i) \/ EndFault(i) \/ LandRead(i) \/ Fail(i)
                          \/ Deliver(i)
    \/ \E i \in Ids, f \in Frames : Pay(i, f)
    \/ \E c \in Cuts : Prepare(c) \/ Stun(c) \/ Save(c) \/ Seal(c) \/ Abort(c)
    \/ Finished

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* What holds                                                              *)
(***************************************************************************)
TypeOK ==
    /\ top \in Layers
    /\ issued \in 0 .. Requests
    /\ \A i \in Ids :
        /\ req[i].kind \in {"none", "read", "write"}
        /\ req[i].state \in {"none", "issued", "faulting", "landed", "delivered"}
        /\ req[i].owes \subseteq Frames
        /\ req[i].val \in Values
    /\ \A l \in Layers : held[l] \subseteq Groups /\ \A b \in Blocks : block[l][b] \in Values
    /\ \A p \in Pages : newest[p] \in Layers /\ frame[Current(p)] # Missing
    /\ \A c \in Cuts : phase[c] \in {"idle", "prepared", "saving", "sealed", "aborted"}

\* A write of P that landed is in the checkpoint's disk.
Inv_R4 == \A c \in Live, i \in Writes :
    InP(i, c) /\ ~Incomplete(i) /\ req[i].ok => View(c - 1, req[i].b) = i

\* A write issued after T is not.
Inv_R5 == \A c \in Live, b \in Blocks :
    LET v == View(c - 1, b) IN v # 0 => req[v].born < c

\* A read that the guest was told of is in the page that the guest sees, and in the frozen page
\* of every checkpoint that has the read in its P.
Inv_R6 == \A i \in Reads : ~InFlight(i) /\ req[i].ok => \A p \in req[i].pages :
    /\ (\A j \in Reads : j > i => p \notin req[j].pages) => frame[Current(p)].by = i
    /\ \A c \in Live : InP(i, c) => frame[FrozenAt(p, c)].by = i

\* No read issued after T writes into what the checkpoint shows.
Inv_R7 == \A c \in Live, p \in Pages :
    LET by == frame[FrozenAt(p, c)].by IN by # 0 => req[by].born < c

\* Where a layer has a group, no write to that group is pending below.
Inv_R8 == \A i \in Writes, l \in Layers :
    Incomplete(i) /\ req[i].born < l => GroupOf(req[i].b) \notin held[l]

\* One read brings one answer, whatever pages it went to: a block that lies in two of them is
\* not torn.
Inv_R9 == \A i \in Reads, f \in Frames :
    frame[f].by = i => frame[f].val = req[i].val

\* What was saved of a page is what P brought there.
Inv_R10 == \A c \in Live, p \in Pages : saved[c][p] # Missing =>
    \A i \in Reads : InP(i, c) /\ p \in req[i].pages /\ ~InFlight(i) /\ req[i].ok
        => saved[c][p].by = i

\* The guest is told once, and not before all is paid.
Inv_R11 == \A i \in 1 .. issued : req[i].told <= 1 /\ (req[i].told = 1 => req[i].owes = {})

\* Not rules, but what they are for: the running VM reads what it was told is written ...
Inv_Disk == \A i \in Writes :
    /\ ~Incomplete(i)
    /\ req[i].ok
    /\ \A j \in Writes : j > i /\ req[j].b = req[i].b => Incomplete(j) \/ ~req[j].ok
    => View(top, req[i].b) = i

\* ... and a sealed checkpoint is of one instant: nothing in it comes from after T, neither
\* in its disk nor in its memory, and its pages are stored as they are.
Inv_Sealed == \A c \in Cuts : phase[c] = "sealed" =>
    /\ \A p \in Pages :
        /\ saved[c][p] = frame[FrozenAt(p, c)]
        /\ saved[c][p].val # 0 => req[saved[c][p].val].born < c
    /\ \A b \in Blocks : View(c - 1, b) # 0 => req[View(c - 1, b)].born < c
    /\ \A i \in 1 .. issued : InP(i, c) => req[i].told = 1

(***************************************************************************)
(* Rare situations that a search must have come by, or what holds would    *)
(* hold for want of them.  As invariants these have to fail.               *)
(***************************************************************************)
\* A read owes its bytes to a copy and to the copy of that copy.
Never_CopyOfCopy == \A i \in Reads, p \in Pages : ~({<<p, 1>>, <<p, 2>>} \subseteq req[i].owes)

\* A write to the overlay waits for one on its way to a layer below (R8).
Never_Waits == \A i, j \in Writes :
    ~(Incomplete(i) /\ req[j].state = "issued" /\ req[i].born < req[j].born
          /\ GroupOf(req[i].b) = GroupOf(req[j].b) /\ GroupOf(req[j].b) \notin held[req[j].born])

\* A read and a write of one block are in P together (R9).
Never_Pair == \A i \in Reads, j \in Writes, c \in Live :
    ~(req[i].b = req[j].b /\ InP(i, c) /\ InP(j, c) /\ Incomplete(i))

\* Debts outlive the checkpoint that they came from.
Never_DebtAfterAbort == \A i \in Reads :
    ~(phase[1] = "aborted" /\ top = 1 /\ ~Incomplete(i) /\ req[i].owes # {})

\* Both checkpoints are sealed, and both have a request in their P that was issued before either.
Never_SealedTogether ==
    ~(\A c \in Cuts : phase[c] = "sealed" /\ \E i \in Reads : req[i].born = 0 /\ InP(i, c))
=============================================================================
