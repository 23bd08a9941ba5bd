package io.tintype.simulations.explore;

import io.tintype.scheduler.Canonical;
import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.IoIds;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import io.tintype.scheduler.Step;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * The pure cores, each state a number, each step taken once: few different states of each core exist in a search, however many
 * combinations of them. The steps themselves are the cores' own.
 *
 * <p>Every state is {@link Canonical}. Inputs are ints: the kind in the upper bits, arguments below.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Cores {
    // Inputs of the pending set; all but the last two are its own.
    private static final int PENDING_ARGUMENT_BITS = 17;
    static final int ISSUED = 0;
    static final int COPIED = 1 << PENDING_ARGUMENT_BITS;
    static final int LANDED = 2 << PENDING_ARGUMENT_BITS;
    static final int REISSUED = 3 << PENDING_ARGUMENT_BITS;
    static final int STUNNED = 4 << PENDING_ARGUMENT_BITS;
    static final int ENDED = 5 << PENDING_ARGUMENT_BITS;
    static final int DETACHED = 6 << PENDING_ARGUMENT_BITS;
    static final int ROLLED_BACK = 7 << PENDING_ARGUMENT_BITS;
    static final int FORGET = 8 << PENDING_ARGUMENT_BITS;
    static final int RENAME_FRAMES = 9 << PENDING_ARGUMENT_BITS;
    private static final int PENDING_INPUT_BITS = PENDING_ARGUMENT_BITS + 4;

    // Inputs of a disk's order, the layers that hold the group below them.
    static final int HOLDS_BITS = 4;
    private static final int ORDER_ARGUMENT_BITS = 14;
    static final int SUBMIT = 0;
    static final int PART_DONE = 1 << ORDER_ARGUMENT_BITS;
    static final int DONE = 2 << ORDER_ARGUMENT_BITS;
    static final int SWITCHED = 3 << ORDER_ARGUMENT_BITS;
    static final int NEEDED = 4 << ORDER_ARGUMENT_BITS;
    static final int RESET = 5 << ORDER_ARGUMENT_BITS;
    static final int FORGET_IO = 6 << ORDER_ARGUMENT_BITS;
    private static final int ORDER_INPUT_BITS = ORDER_ARGUMENT_BITS + 3;

    // Inputs of a checkpoint's phase.
    static final int BEGIN = 0;
    static final int OVERLAY_READY = 1 << 6;
    static final int OVERLAY_FAILED = 2 << 6;
    static final int CONFLICTED = 3 << 6;
    static final int CONFLICT_OVER = 4 << 6;
    static final int RESUME_HELD = 5 << 6;
    static final int RESUMED = 6 << 6;
    static final int IO_SETTLED = 7 << 6;
    static final int PAGES_SAVED = 8 << 6;
    static final int LATE_PAGES_SAVED = 9 << 6;
    static final int SAVE_FAILED = 10 << 6;
    static final int CHAIN_SYNCED = 11 << 6;
    static final int SYNC_FAILED = 12 << 6;
    static final int MANIFEST_WRITTEN = 13 << 6;
    static final int MANIFEST_FAILED = 14 << 6;
    static final int DEADLINE = 15 << 6;
    static final int CANCEL = 16 << 6;
    static final int FORGET_ID = 17 << 6;
    private static final int PHASE_INPUT_BITS = 11;

    static final int FRAMES_A_PAGE = 8;
    private static final int PENDING_MAX = 1 << 24;
    private static final int ORDERS_MAX = 1 << 20;
    private static final int PHASES_MAX = 1 << 16;

    private static final ExploreConfig.Kind[] KINDS = ExploreConfig.Kind.values();
    private static final PendingSet.Output[] NO_PENDING = {};
    private static final DiskOrder.Output[] NO_ORDER = {};
    private static final CheckpointPhase.Output[] NO_PHASE = {};

    /** Equal sets, as the set itself says, with a hash that tells them apart. */
    private record PendingKey(PendingSet set, int hash) {
        PendingKey(PendingSet set) {
            this(set, Canonical.hash(set));
        }

        @Override
        public int hashCode() {
            return hash;
        }
    }

    private final ExploreConfig config;

    private final Map<PendingKey, Integer> pendingIds = new HashMap<>();
    private final List<PendingSet> pendings = new ArrayList<>();
    /** A bit for each request, by checkpoint; -1: not asked yet. Then the same for blocked frames, and one for conflicts. */
    private int[] waitedFor = new int[0];
    private int[] inFlight = new int[0];
    private int[] blocked = new int[0];
    private byte[] conflicts = new byte[0];
    private final StepMemo pendingSteps = new StepMemo();
    private final List<PendingSet.Output[]> pendingOutputs = new ArrayList<>();

    private final Map<DiskOrder, Integer> orderIds = new HashMap<>();
    private final List<DiskOrder> orders = new ArrayList<>();
    private final StepMemo orderSteps = new StepMemo();
    private final List<DiskOrder.Output[]> orderOutputs = new ArrayList<>();

    private final Map<CheckpointPhase, Integer> phaseIds = new HashMap<>();
    private final List<CheckpointPhase> phases = new ArrayList<>();
    private int[] phaseRefs = new int[0];
    private byte[] phaseFlags = new byte[0];
    private final StepMemo phaseSteps = new StepMemo();
    private final List<CheckpointPhase.Output[]> phaseOutputs = new ArrayList<>();

    /** The outputs of the step taken last. */
    private int outputs;

    Cores(ExploreConfig config) {
        this.config = config;
    }

    /** How many states of the cores, and how many steps between them, were met. */
    String sizes() {
        return pendings.size() + " pending sets, " + orders.size() + " disk orders, "
                + phases.size() + " checkpoint phases, "
                + (pendingSteps.size() + orderSteps.size() + phaseSteps.size())
                + " steps between them";
    }

    // The pending set.

    int emptyPending(ExploreConfig.Policy policy) {
        return idOf(PendingSet.empty(policy.reissue, config.rules()));
    }

    /** @param frames three bits for page 0, three for page 1 */
    static int issued(int io, int kind, int disk, int extent, int pages, int frames) {
        return ISSUED | io << 14 | kind << 11 | disk << 10 | extent << 8 | pages << 6 | frames;
    }

    static int copied(int page, int from, int to) {
        return COPIED | page << 6 | from << 3 | to;
    }

    static int withStatus(int input, int io, boolean isOk) {
        return input | io << 1 | (isOk ? 1 : 0);
    }

    static int renameFrames(int page, int live) {
        return RENAME_FRAMES | page << FRAMES_A_PAGE | live;
    }

    /** The next state; its outputs are then {@link #pendingOutputs()}. */
    int stepPending(int id, int input) {
        long key = (long) id << PENDING_INPUT_BITS | input;
        long found = pendingSteps.get(key);
        if (found == StepMemo.NONE) {
            found = takePending(id, input);
            pendingSteps.put(key, found);
        }
        outputs = (int) found;
        return (int) (found >>> 32);
    }

    PendingSet.Output[] pendingOutputs() {
        return outputs == 0 ? NO_PENDING : pendingOutputs.get(outputs - 1);
    }

    private long takePending(int id, int input) {
        var set = pendings.get(id);
        int arguments = input & (1 << PENDING_ARGUMENT_BITS) - 1;
        Step<PendingSet, PendingSet.Output> step;
        switch (input & ~((1 << PENDING_ARGUMENT_BITS) - 1)) {
            case FORGET -> {
                step = new Step<>(Canonical.of(set, io -> io > arguments ? io - 1 : io, f -> f),
                        List.of());
            }
            case RENAME_FRAMES -> {
                int page = arguments >>> FRAMES_A_PAGE;
                int live = arguments & (1 << FRAMES_A_PAGE) - 1;
                step = new Step<>(Canonical.of(set, io -> io, frame -> renamed(frame, page, live)),
                        List.of());
            }
            default -> {
                var next = guarded(() -> set.step(pendingInput(input, arguments)));
                step = new Step<>(Canonical.of(next.next(), io -> io, f -> f), next.outputs());
            }
        }
        int next = idOf(step.next());
        int made = 0;
        if (!step.outputs().isEmpty()) {
            pendingOutputs.add(step.outputs().toArray(NO_PENDING));
            made = pendingOutputs.size();
        }
        return (long) next << 32 | made;
    }

    private static int renamed(int frame, int page, int live) {
        if (frame / FRAMES_A_PAGE != page) {
            return frame;
        }
        int index = frame % FRAMES_A_PAGE;
        if ((live >>> index & 1) == 0) {
            throw new Violation(null, "a frame was given back that a request still needs");
        }
        return page * FRAMES_A_PAGE + Integer.bitCount(live & (1 << index) - 1);
    }

    private PendingSet.Input pendingInput(int input, int arguments) {
        return switch (input & ~((1 << PENDING_ARGUMENT_BITS) - 1)) {
            case ISSUED -> new PendingSet.Input.Issued(request(arguments));
            case COPIED -> {
                int page = arguments >>> 6;
                yield new PendingSet.Input.Copied(0, page,
                        page * FRAMES_A_PAGE + (arguments >>> 3 & 7),
                        page * FRAMES_A_PAGE + (arguments & 7));
            }
            case LANDED -> new PendingSet.Input.Landed(arguments >>> 1, status(arguments));
            case REISSUED -> new PendingSet.Input.Reissued(arguments >>> 1, status(arguments));
            case STUNNED -> new PendingSet.Input.Stunned(arguments);
            case ENDED -> new PendingSet.Input.Ended(arguments);
            case DETACHED -> new PendingSet.Input.Detached();
            case ROLLED_BACK -> new PendingSet.Input.RolledBack();
            default -> throw new IllegalArgumentException("input " + input);
        };
    }

    private static Request request(int arguments) {
        int io = arguments >>> 14;
        var kind = KINDS[arguments >>> 11 & 7];
        int disk = arguments >>> 10 & 1;
        int extent = arguments >>> 8 & 3;
        int pages = arguments >>> 6 & 3;
        var targets = new ArrayList<Target>();
        if (kind == ExploreConfig.Kind.READ) {
            for (int block = 0; block < Layout.BLOCKS; block++) {
                for (int page = 0; page < 2; page++) {
                    if ((extent >>> block & 1) != 0 && (pages >>> page & 1) != 0) {
                        int frame = page * FRAMES_A_PAGE + (arguments >>> (page == 0 ? 3 : 0) & 7);
                        targets.add(new Target(0, page, frame, disk * Layout.BLOCKS + block, 1,
                                targets.size()));
                    }
                }
            }
        }
        return new Request(io, 0, kindOf(kind), disk, firstBlock(extent), Integer.bitCount(extent),
                targets);
    }

    private static IoKind kindOf(ExploreConfig.Kind kind) {
        return switch (kind) {
            case READ -> IoKind.READ;
            case WRITE -> IoKind.WRITE;
            case ZEROES -> IoKind.WRITE_ZEROES;
            case FLUSH -> IoKind.FLUSH;
            case FUA -> IoKind.WRITE;
            case DISCARD -> IoKind.DISCARD;
        };
    }

    private static int firstBlock(int extent) {
        return extent == 2 ? 1 : 0;
    }

    private static IoStatus status(int arguments) {
        return (arguments & 1) != 0 ? IoStatus.OK : IoStatus.ERROR;
    }

    private int idOf(PendingSet set) {
        var key = new PendingKey(set);
        var known = pendingIds.get(key);
        if (known != null) {
            return known;
        }
        int id = pendings.size();
        bound(id, PENDING_MAX, "pending sets");
        pendingIds.put(key, id);
        pendings.add(set);
        waitedFor = grown(waitedFor, 4 * (id + 1), -1);
        inFlight = grown(inFlight, id + 1, -1);
        blocked = grown(blocked, 4 * (id + 1), -1);
        conflicts = grown(conflicts, id + 1);
        conflicts[id] = (byte) (set.readWriteConflict() ? 1 : 0);
        return id;
    }

    boolean hasConflict(int pending) {
        return conflicts[pending] != 0;
    }

    /** P: a bit for each request that the ongoing guest waits for. */
    int inFlight(int pending) {
        if (inFlight[pending] < 0) {
            int mask = 0;
            for (var request : pendings.get(pending).requests()) {
                mask |= 1 << request.ioId();
            }
            inFlight[pending] = mask;
        }
        return inFlight[pending];
    }

    /** A bit for each request that the checkpoint waits for. */
    int waitedFor(int pending, int checkpoint) {
        int at = 4 * pending + checkpoint;
        if (waitedFor[at] < 0) {
            waitedFor[at] = mask(pendings.get(pending).pendingOf(checkpoint));
        }
        return waitedFor[at];
    }

    boolean isBlocked(int pending, int checkpoint, int page, int frame) {
        int at = 4 * pending + checkpoint;
        if (blocked[at] < 0) {
            int mask = 0;
            for (int each : pendings.get(pending).blockedFrames(checkpoint)) {
                mask |= 1 << each;
            }
            blocked[at] = mask;
        }
        return (blocked[at] >>> page * FRAMES_A_PAGE + frame & 1) != 0;
    }

    // A disk's order.

    int emptyOrder() {
        return idOf(DiskOrder.of(0, Layout.BLOCKS, config.ordered(), config.rules()));
    }

    static int submit(int io, int kind, int layer, int extent) {
        return SUBMIT | (io << 7 | kind << 4 | layer << 2 | extent) << HOLDS_BITS;
    }

    static int onOrder(int input, int arguments) {
        return input | arguments << HOLDS_BITS;
    }

    /**
     * @param holds a bit for each layer that holds the group
     */
    int stepOrder(int id, int input, int holds) {
        long key = (long) id << ORDER_INPUT_BITS | input | holds;
        long found = orderSteps.get(key);
        if (found == StepMemo.NONE) {
            found = takeOrder(id, input, holds);
            orderSteps.put(key, found);
        }
        outputs = (int) found;
        return (int) (found >>> 32);
    }

    DiskOrder.Output[] orderOutputs() {
        return outputs == 0 ? NO_ORDER : orderOutputs.get(outputs - 1);
    }

    private long takeOrder(int id, int input, int holds) {
        var order = orders.get(id);
        int arguments = (input & (1 << ORDER_ARGUMENT_BITS) - 1) >>> HOLDS_BITS;
        int kind = input & ~((1 << ORDER_ARGUMENT_BITS) - 1);
        if (kind == FORGET_IO) {
            return (long) idOf(Canonical.of(order, io -> io > arguments ? io - 1 : io)) << 32;
        }
        DiskOrder.Input given = switch (kind) {
            case SUBMIT -> {
                var wanted = KINDS[arguments >>> 4 & 7];
                yield new DiskOrder.Input.Submit(arguments >>> 7, kindOf(wanted),
                        arguments >>> 2 & 3, firstBlock(arguments & 3),
                        Integer.bitCount(arguments & 3), wanted == ExploreConfig.Kind.FUA);
            }
            case PART_DONE -> new DiskOrder.Input.PartDone(arguments >>> 1, 0, status(arguments));
            case DONE -> new DiskOrder.Input.Done(arguments >>> 1, status(arguments));
            case SWITCHED -> new DiskOrder.Input.Switched(arguments);
            case NEEDED -> {
                var views = new TreeSet<Integer>();
                for (int view = 0; view < Layout.LAYERS_MAX; view++) {
                    if ((arguments >>> view & 1) != 0) {
                        views.add(view);
                    }
                }
                yield new DiskOrder.Input.Needed(views);
            }
            case RESET -> new DiskOrder.Input.Detached();
            default -> throw new IllegalArgumentException("input " + input);
        };
        var step = guarded(() -> order.step(given, (layer, _) -> (holds >>> layer & 1) != 0));
        int next = idOf(Canonical.of(step.next(), io -> io));
        int made = 0;
        if (!step.outputs().isEmpty()) {
            orderOutputs.add(step.outputs().toArray(NO_ORDER));
            made = orderOutputs.size();
        }
        return (long) next << 32 | made;
    }

    private int idOf(DiskOrder order) {
        var known = orderIds.get(order);
        if (known != null) {
            return known;
        }
        int id = orders.size();
        bound(id, ORDERS_MAX, "disk orders");
        orderIds.put(order, id);
        orders.add(order);
        return id;
    }

    boolean mayCommit(int order, int layer, int lowerFirst) {
        return orders.get(order).mayCommit(layer, lowerFirst);
    }

    // A checkpoint's phase.

    int idlePhase(ExploreConfig.Policy policy) {
        var disks = new TreeSet<Integer>();
        for (int disk = 0; disk < config.disks(); disk++) {
            disks.add(disk);
        }
        return idOf(CheckpointPhase.idle(
                new CheckpointPhase.Plan(disks, policy.conflict, config.rules())));
    }

    int stepPhase(int id, int input) {
        long key = (long) id << PHASE_INPUT_BITS | input;
        long found = phaseSteps.get(key);
        if (found == StepMemo.NONE) {
            found = takePhase(id, input);
            phaseSteps.put(key, found);
        }
        outputs = (int) found;
        return (int) (found >>> 32);
    }

    CheckpointPhase.Output[] phaseOutputs() {
        return outputs == 0 ? NO_PHASE : phaseOutputs.get(outputs - 1);
    }

    private long takePhase(int id, int input) {
        var phase = phases.get(id);
        int arguments = input & (1 << 6) - 1;
        if ((input & ~((1 << 6) - 1)) == FORGET_ID) {
            return (long) idOf(forgotten(phase, arguments)) << 32;
        }
        var step = guarded(() -> CheckpointPhase.step(phase, phaseInput(input, arguments)));
        int next = idOf(withoutWords(step.next()));
        int made = 0;
        if (!step.outputs().isEmpty()) {
            phaseOutputs.add(step.outputs().toArray(NO_PHASE));
            made = phaseOutputs.size();
        }
        return (long) next << 32 | made;
    }

    private static CheckpointPhase.Input phaseInput(int input, int arguments) {
        return switch (input & ~((1 << 6) - 1)) {
            case BEGIN -> new CheckpointPhase.Input.Begin();
            case OVERLAY_READY -> new CheckpointPhase.Input.OverlayReady(arguments);
            case OVERLAY_FAILED -> new CheckpointPhase.Input.OverlayFailed(arguments, "disk full");
            case CONFLICTED -> new CheckpointPhase.Input.Conflicted();
            case CONFLICT_OVER -> new CheckpointPhase.Input.ConflictOver();
            case RESUME_HELD -> new CheckpointPhase.Input.ResumeHeld(ids(arguments));
            case RESUMED -> new CheckpointPhase.Input.Resumed(0, ids(arguments));
            case IO_SETTLED -> new CheckpointPhase.Input.IoSettled(arguments, IoStatus.OK);
            case PAGES_SAVED -> new CheckpointPhase.Input.PagesSaved();
            case LATE_PAGES_SAVED -> new CheckpointPhase.Input.LatePagesSaved();
            case SAVE_FAILED -> new CheckpointPhase.Input.SaveFailed("disk full");
            case CHAIN_SYNCED -> new CheckpointPhase.Input.ChainSynced();
            case SYNC_FAILED -> new CheckpointPhase.Input.SyncFailed("I/O error");
            case MANIFEST_WRITTEN -> new CheckpointPhase.Input.ManifestWritten();
            case MANIFEST_FAILED -> new CheckpointPhase.Input.ManifestFailed("disk full");
            case DEADLINE -> new CheckpointPhase.Input.Deadline();
            case CANCEL -> new CheckpointPhase.Input.Cancel("the VM is rolled back");
            default -> throw new IllegalArgumentException("input " + input);
        };
    }

    /** Why it was aborted is words only; no step looks at them. */
    private static CheckpointPhase withoutWords(CheckpointPhase phase) {
        return phase instanceof CheckpointPhase.Aborted aborted
                ? new CheckpointPhase.Aborted(aborted.plan(), "", aborted.left())
                : phase;
    }

    private static CheckpointPhase forgotten(CheckpointPhase phase, int io) {
        return switch (phase) {
            case CheckpointPhase.Stunned(var plan, var early) ->
                new CheckpointPhase.Stunned(plan, without(early, io));
            case CheckpointPhase.Held(var plan, var waiting) ->
                new CheckpointPhase.Held(plan, without(waiting, io));
            case CheckpointPhase.Draining(var plan, var stunNs, var waiting, var saving, var sync) ->
                new CheckpointPhase.Draining(plan, stunNs, without(waiting, io), saving, sync);
            case CheckpointPhase.Idle _,CheckpointPhase.Preparing _,CheckpointPhase.PutOff _,CheckpointPhase.Writing _,CheckpointPhase.Sealed _,CheckpointPhase.Aborted _ ->
                phase;
        };
    }

    private static IoIds without(IoIds ids, int io) {
        int mask = mask(ids);
        int low = mask & (1 << io) - 1;
        return ids(mask >>> io + 1 << io | low);
    }

    private static IoIds ids(int mask) {
        var ids = new long[Integer.bitCount(mask)];
        int count = 0;
        for (int io = 0; io < Integer.SIZE; io++) {
            if ((mask >>> io & 1) != 0) {
                ids[count++] = io;
            }
        }
        return IoIds.of(ids);
    }

    private static int mask(IoIds ids) {
        int mask = 0;
        for (long io : ids.toArray()) {
            mask |= 1 << io;
        }
        return mask;
    }

    private int idOf(CheckpointPhase phase) {
        var known = phaseIds.get(phase);
        if (known != null) {
            return known;
        }
        int id = phases.size();
        bound(id, PHASES_MAX, "checkpoint phases");
        phaseIds.put(phase, id);
        phases.add(phase);
        phaseRefs = grown(phaseRefs, id + 1, 0);
        phaseRefs[id] = switch (phase) {
            case CheckpointPhase.Stunned stunned -> mask(stunned.settledEarly());
            case CheckpointPhase.Held held -> mask(held.waitingFor());
            case CheckpointPhase.Draining draining -> mask(draining.waitingFor());
            case CheckpointPhase.Idle _,CheckpointPhase.Preparing _,CheckpointPhase.PutOff _,CheckpointPhase.Writing _,CheckpointPhase.Sealed _,CheckpointPhase.Aborted _ ->
                0;
        };
        phaseFlags = grown(phaseFlags, id + 1);
        phaseFlags[id] = (byte) ((phase.isOver() ? 1 : 0) | (phase.ownsOverlays() ? 2 : 0));
        return id;
    }

    /** A bit for each request that the phase names. */
    int refs(int phase) {
        return phaseRefs[phase];
    }

    boolean isOver(int phase) {
        return (phaseFlags[phase] & 1) != 0;
    }

    boolean ownsOverlays(int phase) {
        return (phaseFlags[phase] & 2) != 0;
    }

    String nameOf(int phase) {
        return phases.get(phase).getClass().getSimpleName();
    }

    private interface Action<T> {
        T run();
    }

    /** What a core refuses cannot be: the shells give it nothing but what happened. */
    private static <T> T guarded(Action<T> step) {
        try {
            return step.run();
        } catch (IllegalStateException e) {
            throw new Violation(null, "the core refused what happened: " + e.getMessage());
        }
    }

    private static void bound(int id, int max, String what) {
        if (id >= max) {
            throw new TooLargeException("more than " + max + " different " + what);
        }
    }

    private static int[] grown(int[] array, int length, int filler) {
        if (length <= array.length) {
            return array;
        }
        var more = Arrays.copyOf(array, Math.max(length, 2 * array.length));
        Arrays.fill(more, array.length, more.length, filler);
        return more;
    }

    private static byte[] grown(byte[] array, int length) {
        return length <= array.length
                ? array
                : Arrays.copyOf(array, Math.max(length, 2 * array.length));
    }

    /** Steps taken, by state and input. */
    private static final class StepMemo {
        static final long NONE = -1;
        private static final int BITS_FIRST = 12;

        private long[] keys = new long[2 << BITS_FIRST];
        private int shift = Long.SIZE - BITS_FIRST;
        private int size;

        StepMemo() {
            Arrays.fill(keys, NONE);
        }

        int size() {
            return size;
        }

        long get(long key) {
            int slots = keys.length >>> 1;
            int slot = slot(key);
            while (true) {
                long found = keys[2 * slot];
                if (found == key) {
                    return keys[2 * slot + 1];
                }
                if (found == NONE) {
                    return NONE;
                }
                slot = slot + 1 & slots - 1;
            }
        }

        void put(long key, long value) {
            if (2 * size >= keys.length >>> 1) {
                grow();
            }
            insert(key, value);
            size++;
        }

        private void insert(long key, long value) {
            int slots = keys.length >>> 1;
            int slot = slot(key);
            while (keys[2 * slot] != NONE) {
                slot = slot + 1 & slots - 1;
            }
            keys[2 * slot] = key;
            keys[2 * slot + 1] = value;
        }

        private void grow() {
            var old = keys;
            keys = new long[2 * old.length];
            Arrays.fill(keys, NONE);
            shift--;
            for (int i = 0; i < old.length; i += 2) {
                if (old[i] != NONE) {
                    insert(old[i], old[i + 1]);
                }
            }
        }

        private int slot(long key) {
            return (int) (key * 0x9E3779B97F4A7C15L >>> shift);
        }
    }

}
