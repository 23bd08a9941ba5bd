------------------------------ MODULE Pending ------------------------------
(***************************************************************************)
(* One disk's order of requests, exactly as io.tintype.scheduler.DiskOrder *)
(* keeps it: one block group, layer 0 and an overlay that is switched to   *)
(* once, at any time, and a fixed program of requests, submitted in order. *)
(* Whatever runs may end at any time, well or not.                         *)
(*                                                                         *)
(* This module is not about what is right, Tintype.tla is.  It is here to  *)
(* be counted: a search of the Java code, state by state, must come to as  *)
(* many distinct states.  So the names are the code's, and so is the order *)
(* in which one step lets others follow.                                   *)
(***************************************************************************)
EXTENDS Naturals, Sequences

CONSTANTS
    Program,  \* a sequence of [kind, first, count, fua]
    Ordered,  \* whether the device completes overlapping requests in the order of issue
    R8        \* whether a fault waits for incomplete writes below

\* A group of eight sectors; a write of all of them, partial ones that overlap and that do not.
TheProgram == <<
    [kind |-> "write",   first |-> 0, count |-> 4, fua |-> FALSE],
    [kind |-> "read",    first |-> 2, count |-> 4, fua |-> FALSE],
    [kind |-> "write",   first |-> 2, count |-> 4, fua |-> TRUE],
    [kind |-> "write",   first |-> 4, count |-> 2, fua |-> FALSE],
    [kind |-> "flush",   first |-> 0, count |-> 0, fua |-> FALSE],
    [kind |-> "discard", first |-> 0, count |-> 8, fua |-> FALSE],
    [kind |-> "write",   first |-> 6, count |-> 2, fua |-> TRUE]
>>

N == Len(Program)

VARIABLES
    next,     \* how many requests have been submitted
    top,      \* the layer that new writes go to
    needed,   \* whether somebody shows the disk as layer 0 alone
    holds,    \* whether the overlay has the group
    io        \* what is known of each request

vars == <<next, top, needed, holds, io>>

(***************************************************************************)
(* stage: none    not submitted yet, or complete (next tells which)        *)
(*        held    behind an earlier overlapping request                    *)
(*        running                                                          *)
(*        syncing the write is done, but not durable as it has to be       *)
(* part:  of a write, while it is not done: held, waiting, joined,         *)
(*        faulting, writing                                                *)
(* layer: what the request is bound to                                     *)
(* at:    the part's layer, the request's unless it was bound lower (R15); *)
(*        of a syncing write the layer it landed in                        *)
(***************************************************************************)
Gone == [stage |-> "none", part |-> "none", layer |-> 0, at |-> 0]

IsWrite(i) == Program[i].kind \in {"write", "discard", "zeroes"}

Overlap(i, j) ==
    /\ Program[i].kind # "flush"
    /\ Program[j].kind # "flush"
    /\ Program[i].first < Program[j].first + Program[j].count
    /\ Program[j].first < Program[i].first + Program[i].count

(***************************************************************************)
(* A step may let others follow.  These operators take the requests q and  *)
(* give them back changed; h and n are holds and needed by then.           *)
(***************************************************************************)
HasLayer(l, h) == l = 0 \/ h

\* What a part that has not started does now.
Place(q, i, h, n) ==
    IF HasLayer(q[i].at, h) THEN [q EXCEPT ![i].part = "writing"]
    ELSE IF \E j \in 1 .. N : q[j].part = "faulting" THEN [q EXCEPT ![i].part = "joined"]
    ELSE IF ~R8 \/ ~\E j \in 1 .. N : q[j].part # "none" /\ q[j].at = 0
         THEN [q EXCEPT ![i].part = "faulting"]
    ELSE IF n THEN [q EXCEPT ![i].part = "waiting"]
    ELSE [q EXCEPT ![i].part = "writing", ![i].at = 0]

Start(q, i, h, n) ==
    LET running == [q EXCEPT ![i].stage = "running"]
    IN  IF IsWrite(i) THEN Place(running, i, h, n) ELSE running

MustFollow(q, i) == Ordered /\ \E j \in 1 .. i - 1 :
    q[j].stage # "none" /\ (IsWrite(i) \/ IsWrite(j)) /\ Overlap(i, j)

\* In the order of issue, each seeing what those before it became.
RECURSIVE ReleaseHeld(_, _, _, _)
ReleaseHeld(q, i, h, n) ==
    IF i > N THEN q
    ELSE IF q[i].stage = "held" /\ ~MustFollow(q, i) THEN ReleaseHeld(Start(q, i, h, n), i + 1, h, n)
    ELSE ReleaseHeld(q, i + 1, h, n)

RECURSIVE PlaceWaiting(_, _, _, _)
PlaceWaiting(q, i, h, n) ==
    IF i > N THEN q
    ELSE IF q[i].part = "waiting" THEN PlaceWaiting(Place(q, i, h, n), i + 1, h, n)
    ELSE PlaceWaiting(q, i + 1, h, n)

\* A fault has ended: those that joined it write, or, if it failed, the first of them is the next.
RECURSIVE FaultDone(_, _, _, _)
FaultDone(q, i, h, n) ==
    IF i > N THEN q
    ELSE IF q[i].part # "joined" THEN FaultDone(q, i + 1, h, n)
    ELSE IF h THEN FaultDone([q EXCEPT ![i].part = "writing"], i + 1, h, n)
    ELSE Place(q, i, h, n)

Complete(q, i, h, n) == ReleaseHeld([q EXCEPT ![i] = Gone], 1, h, n)

(***************************************************************************)
(* What can happen                                                         *)
(***************************************************************************)
Submit ==
    LET i == next + 1
        bound == [io EXCEPT ![i] = [stage |-> "held", part |-> IF IsWrite(i) THEN "held" ELSE "none",
                                    layer |-> top, at |-> IF IsWrite(i) THEN top ELSE 0]]
    IN  /\ next < N
        /\ next' = i
        /\ io' = IF MustFollow(bound, i) THEN bound ELSE Start(bound, i, holds, needed)
        /\ UNCHANGED <<top, needed, holds>>

\* published: whether the overlay has the group now, which a fault that failed may have achieved.
PartDone(i, ok, published) ==
    LET wasFault == io[i].part = "faulting"
        ended == [io EXCEPT ![i].part = "none"]
        after == IF ok /\ Program[i].fua
                 THEN [ended EXCEPT ![i].stage = "syncing"]
                 ELSE Complete(ended, i, published, needed)
        freed == IF wasFault THEN FaultDone(after, 1, published, needed) ELSE after
    IN  /\ io[i].part \in {"writing", "faulting"}
        /\ published \in IF ~wasFault THEN {holds} ELSE IF ok THEN {TRUE} ELSE {holds, TRUE}
        /\ holds' = published
        /\ io' = PlaceWaiting(freed, 1, published, needed)
        /\ UNCHANGED <<next, top, needed>>

\* A read, a flush or a sync.
Done(i) ==
    /\ io[i].stage = "syncing" \/ (io[i].stage = "running" /\ ~IsWrite(i))
    /\ io' = Complete(io, i, holds, needed)
    /\ UNCHANGED <<next, top, needed, holds>>

\* A checkpoint's stun.
Switched ==
    /\ top = 0
    /\ top' = 1
    /\ needed' = TRUE
    /\ UNCHANGED <<next, holds, io>>

\* Its end: nobody shows layer 0 alone any more (R15).
NoLongerNeeded ==
    /\ needed
    /\ needed' = FALSE
    /\ io' = PlaceWaiting(io, 1, holds, FALSE)
    /\ UNCHANGED <<next, top, holds>>

Init ==
    /\ next = 0
    /\ top = 0
    /\ needed = FALSE
    /\ holds = FALSE
    /\ io = [i \in 1 .. N |-> Gone]

\* Anything else without a next state is a deadlock.
Finished ==
    /\ next = N
    /\ \A i \in 1 .. N : io[i] = Gone
    /\ top = 1 /\ ~needed
    /\ UNCHANGED vars

Next ==
    \/ Submit
    \/ \E i \in 1 .. N, ok, published \in BOOLEAN : PartDone(i, ok, published)
    \/ \E i \in 1 .. N : Done(i)
    \/ Switched
    \/ NoLongerNeeded
    \/ Finished

Spec == Init /\ [][Next]_vars

(***************************************************************************)
(* What holds, as long as R8 does                                          *)
(***************************************************************************)
\* Where the overlay has the group, no write to it is pending below.
Inv_R8 == R8 /\ holds => \A i \in 1 .. N : io[i].part # "none" => io[i].at = 1

\* For the overlay and the group at most one fault runs.
Inv_OneFault == R8 => \A i, j \in 1 .. N :
    io[i].part = "faulting" /\ io[j].part = "faulting" => i = j
=============================================================================
