package io.tintype.scheduler;

import static io.tintype.scheduler.TinyDisk.CELLS;
import static io.tintype.scheduler.TinyDisk.GROUP_SECTORS;
import static io.tintype.scheduler.TinyDisk.SECTORS;
import static io.tintype.scheduler.TinyHistory.NEVER;

import io.tintype.scheduler.CheckpointPhase.Draining;
import io.tintype.scheduler.CheckpointPhase.Plan;
import io.tintype.scheduler.CheckpointPhase.Writing;
import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A VM of eight four-cell pages and two disks, hosted the way the shells do it: it feeds the pure cores, does what they say,
 * and lets a seed decide everything else, namely what the guest does, when each sector moves, in which order messages
 * arrive, when checkpoints begin, save, fail and end.
 *
 * <p>It verifies, from the guest's side only: the ongoing memory at any time, what each read delivers, that each completion
 * comes exactly once and none after a reset, what flush and FUA make durable, the order of an ordered device, and of each
 * sealed checkpoint its memory, its disks (when sealed, and again when deleted or at the end), that they are durable, and the completions it carries. At the
 * end it verifies the ongoing disks and that nothing is left over.
 *
 * <p>It does not verify: the length of a stun, restoring, a rollback.
 */
final class TinyMachine {
    private static final int DISKS = 2;
    private static final int PAGES = 8;
    private static final int PAGE_CELLS = 4;
    private static final int MEMORY_CELLS = PAGES * PAGE_CELLS;
    /** The completion queue: written by each delivery, never part of a buffer. */
    private static final int QUEUE_CELL = 0;

    /** What can be chosen about a run. */
    record Config(Reissue reissue, Conflict conflict, boolean ordered, boolean hangs,
            Rules rules) {}

    /** The guest's side saw something that must not be. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1;

        Violation(String what) {
            super(what);
        }
    }

    /** A request as guest and device know it. */
    private static final class Io {
        final Request request;
        final int layer;
        final boolean fua;
        final long issuedAt;
        /** First memory cell of the buffer, -1 without. */
        final int buffer;
        /** The buffer's frames, cell by cell, as bound at issue. */
        final int[] frames;
        final TinyHistory.@Nullable Write write;
        final List<Integer> owed = new ArrayList<>();
        @Nullable
        List<Target> reissue;
        boolean detached;
        /** The device is done with it. */
        boolean complete;
        int delivered;
        @Nullable
        IoStatus status;

        Io(Request request, int layer, boolean fua, long issuedAt, int buffer, int[] frames,
                TinyHistory.@Nullable Write write) {
            this.request = request;
            this.layer = layer;
            this.fua = fua;
            this.issuedAt = issuedAt;
            this.buffer = buffer;
            this.frames = frames;
            this.write = write;
        }
    }

    /** What a device does a bit at a time. */
    private interface Op {
        /** Does the next bit; true if that was the last. */
        boolean advance();

        void end(IoStatus status);

        /** The request it is for; -1: none, it neither fails nor hangs. */
        long ioId();
    }

    private static final class Checkpoint {
        final long id;
        CheckpointPhase phase;
        final int[] views = new int[DISKS];
        long at;
        boolean isStunned;
        boolean isPutOff;
        boolean isReleased;
        boolean stopSaving;
        int[] frozen = {};
        int[] expected = {};
        /** By cell, the read in flight to it at the stun; -1: none. */
        long[] target = {};
        List<Request> cut = List.of();
        final Map<Long, IoStatus> settled = new TreeMap<>();
        final int[] @Nullable [] saved = new int[PAGES][];

        Checkpoint(long id, CheckpointPhase phase) {
            this.id = id;
            this.phase = phase;
        }
    }

    private final Config config;
    private final Random random;
    private final TinyDisk[] disks = new TinyDisk[DISKS];
    private final TinyHistory[] histories = new TinyHistory[DISKS];
    private final DiskOrder[] orders = new DiskOrder[DISKS];
    private PendingSet pending;

    private final List<int[]> frames = new ArrayList<>();
    private final List<Integer> births = new ArrayList<>();
    private final Map<Integer, Integer> pins = new HashMap<>();
    private final int[] table = new int[PAGES];
    private int epoch;

    /** What the guest knows to be in each cell. */
    private final int[] expected = new int[MEMORY_CELLS];
    /** The request whose buffer a cell is in, or -1. */
    private final long[] inFlight = new long[MEMORY_CELLS];
    private final Map<Long, Io> ios = new TreeMap<>();
    private final List<Op> ops = new ArrayList<>();
    private final List<Op> hung = new ArrayList<>();
    private final List<Runnable> mailbox = new ArrayList<>();
    private final List<Checkpoint> checkpoints = new ArrayList<>();
    private final List<Checkpoint> sealed = new ArrayList<>();
    private @Nullable Checkpoint stopped;
    private final boolean[] committing = new boolean[DISKS];
    private long now;
    private long lastIoId;
    private long lastCheckpointId;
    private int lastVersion = TinyHistory.INITIAL;
    private int lastToken;
    private final List<String> story = new ArrayList<>();

    /** How much of what happened, so that a test can see that it tests something. */
    final Map<String, Integer> counts = new TreeMap<>();

    TinyMachine(Config config, long seed) {
        this.config = config;
        random = new Random(seed);
        pending = PendingSet.empty(config.reissue, config.rules);
        for (int disk = 0; disk < DISKS; disk++) {
            disks[disk] = new TinyDisk();
            histories[disk] = new TinyHistory();
            orders[disk] = DiskOrder.of(0, GROUP_SECTORS, config.ordered, config.rules);
        }
        for (int page = 0; page < PAGES; page++) {
            table[page] = newFrame(new int[PAGE_CELLS]);
        }
        Arrays.fill(inFlight, -1);
    }

    /** Runs to the end; throws {@link Violation}. */
    void run(int steps) {
        try {
            for (int i = 0; i < steps; i++) {
                act();
                verifyMemory();
            }
            finish();
        } catch (RuntimeException e) {
            e.addSuppressed(new IllegalStateException(
                    "story:\n" + String.join("\n", story)));
            throw e;
        }
    }

    private void act() {
        now++;
        int dice = random.nextInt(100);
        if (dice < 22) {
            if (stopped == null) {
                guest();
            }
        } else if (dice < 70) {
            device();
        } else if (dice < 92) {
            message();
        } else if (dice < 95) {
            begin();
        } else if (dice < 97) {
            commit(random.nextInt(DISKS));
        } else if (dice == 97) {
            deleteSealed();
        } else if (dice == 98 && !checkpoints.isEmpty() && random.nextInt(3) == 0) {
            var one = pick(checkpoints);
            told(one, random.nextBoolean()
                    ? new CheckpointPhase.Input.Deadline()
                    : new CheckpointPhase.Input.Cancel("nobody wants it"));
        }
    }

    // The guest.

    private void guest() {
        int dice = random.nextInt(100);
        if (dice < 40) {
            int cell = 1 + random.nextInt(MEMORY_CELLS - 1);
            if (inFlight[cell] < 0) {
                store(cell, --lastToken);
            }
        } else if (dice < 65) {
            issue(IoKind.READ);
        } else if (dice < 88) {
            issue(IoKind.WRITE);
        } else if (dice < 92) {
            issue(IoKind.FLUSH);
        } else if (dice < 95) {
            issue(IoKind.DISCARD);
        } else if (dice < 98) {
            issue(IoKind.WRITE_ZEROES);
        } else if (random.nextInt(3) == 0) {
            reset();
        }
    }

    private void store(int cell, int token) {
        store(cell, token, true);
    }

    private void store(int cell, int token, boolean isKnown) {
        int page = cell / PAGE_CELLS;
        frames.get(privateFrame(page))[cell % PAGE_CELLS] = token;
        if (isKnown) {
            expected[cell] = token;
        }
    }

    private int privateFrame(int page) {
        int frame = table[page];
        if (births.get(frame) == epoch) {
            return frame;
        }
        int copy = newFrame(frames.get(frame).clone());
        table[page] = copy;
        count("memory fault");
        if (pins.containsKey(frame)) {
            tell(new PendingSet.Input.Copied(region(page), page, frame, copy));
        }
        return copy;
    }

    private int newFrame(int[] cells) {
        frames.add(cells);
        births.add(epoch);
        return frames.size() - 1;
    }

    private static int region(int page) {
        return page % 2;
    }

    private void issue(IoKind kind) {
        int disk = random.nextInt(DISKS);
        int count = switch (kind) {
            case FLUSH -> 0;
            case READ -> 1 + random.nextInt(3);
            case WRITE -> random.nextInt(5) == 0 ? GROUP_SECTORS : 1 + random.nextInt(2);
            case DISCARD, WRITE_ZEROES -> 1 + random.nextInt(6);
        };
        int sector = count == 0 ? 0 : random.nextInt(SECTORS - count + 1);
        int buffer = -1;
        var cells = new int[kind == IoKind.READ || kind == IoKind.WRITE ? count * CELLS : 0];
        if (cells.length > 0) {
            buffer = 1 + random.nextInt(MEMORY_CELLS - cells.length);
            for (int i = 0; i < cells.length; i++) {
                if (inFlight[buffer + i] >= 0) {
                    return;
                }
            }
        }
        long ioId = ++lastIoId;
        TinyHistory.Write write = null;
        if (kind.writes()) {
            int version = kind == IoKind.WRITE ? ++lastVersion : TinyHistory.ZERO;
            write = new TinyHistory.Write(version, sector, count, now);
            histories[disk].add(write);
            for (int i = 0; i < cells.length; i++) {
                store(buffer + i,
                        TinyHistory.token(version, sector + i / CELLS, i % CELLS));
            }
        }
        var targets = new ArrayList<Target>();
        for (int i = 0; i < cells.length; i++) {
            int page = (buffer + i) / PAGE_CELLS;
            int offset = (buffer + i) % PAGE_CELLS;
            boolean isPrivate = kind == IoKind.READ && config.rules.on(Rule.R7);
            cells[i] = isPrivate ? privateFrame(page) : table[page];
            inFlight[buffer + i] = ioId;
            targets.add(new Target(region(page), page, cells[i], offset, 1, i));
            if (kind == IoKind.READ) {
                pin(cells[i]);
            }
        }
        int layer = disks[disk].top();
        boolean fua = kind.writes() && random.nextInt(4) == 0;
        var request = new Request(ioId, 0, kind, disk, sector, count, targets);
        var io = new Io(request, layer, fua, now, buffer, cells, write);
        ios.put(ioId, io);
        log("issue " + request + " in layer " + layer + (fua ? " fua" : "") + " version "
                + (write == null ? "-" : write.version));
        tell(new PendingSet.Input.Issued(request));
        tell(disk, new DiskOrder.Input.Submit(ioId, kind, layer, sector, count, fua));
    }

    private void reset() {
        int disk = random.nextInt(DISKS + 1) - 1;
        log("reset " + disk);
        count("reset");
        for (var io : ios.values()) {
            if ((disk < 0 || io.request.disk() == disk) && !io.detached && io.delivered == 0) {
                io.detached = true;
                if (io.write != null) {
                    io.write.endedAt = now;
                    io.write.detached = true;
                }
                Arrays.setAll(inFlight,
                        cell -> inFlight[cell] == io.request.ioId() ? -1 : inFlight[cell]);
            }
        }
        tell(new PendingSet.Input.Detached(disk));
        for (int i = 0; i < DISKS; i++) {
            if (disk < 0 || disk == i) {
                tell(i, new DiskOrder.Input.Detached());
            }
        }
        // What reads had got by now is anything, but from now on it is the guest's memory.
        for (int cell = 0; cell < MEMORY_CELLS; cell++) {
            if (inFlight[cell] < 0) {
                expected[cell] = ongoing(cell);
            }
        }
    }

    private void deliver(long ioId, IoStatus status) {
        var io = io(ioId);
        log("deliver " + ioId + " " + status);
        require(!io.detached, "request " + ioId + " completed after a reset");
        require(io.delivered++ == 0, "request " + ioId + " completed twice");
        io.status = status;
        if (io.write != null) {
            io.write.endedAt = now;
        }
        for (int i = 0; i < io.frames.length; i++) {
            inFlight[io.buffer + i] = -1;
        }
        int disk = io.request.disk();
        if (io.request.kind() == IoKind.READ) {
            for (int i = 0; i < io.frames.length; i++) {
                expected[io.buffer + i] = ongoing(io.buffer + i);
            }
            if (status == IoStatus.OK) {
                for (int i = 0; i < io.frames.length; i += CELLS) {
                    demand("read " + ioId, histories[disk].complain(
                            (int) io.request.firstSector() + i / CELLS, expected[io.buffer + i],
                            expected[io.buffer + i + 1], NEVER, io.issuedAt));
                }
            }
        }
        if (status == IoStatus.OK && (io.fua || io.request.kind() == IoKind.FLUSH)) {
            verifyDurable(io, disk);
        }
        store(QUEUE_CELL, --lastToken);
    }

    private void verifyDurable(Io io, int disk) {
        var write = io.write;
        int first = write == null ? 0 : write.sector;
        int count = write == null ? SECTORS : write.count;
        int top = disks[disk].top();
        for (int sector = first; sector < first + count; sector++) {
            int one = disks[disk].durableCell(top, sector, 0);
            int other = disks[disk].durableCell(top, sector, 1);
            demand("after " + io.request.kind() + " " + io.request.ioId() + ", durably",
                    write == null
                            ? histories[disk].complainAfterFlush(sector, one, other, io.issuedAt)
                            : histories[disk].complainAfterFua(sector, one, other, write));
        }
    }

    private int ongoing(int cell) {
        return frames.get(table[cell / PAGE_CELLS])[cell % PAGE_CELLS];
    }

    private void verifyMemory() {
        for (int cell = 0; cell < MEMORY_CELLS; cell++) {
            boolean isTarget = inFlight[cell] >= 0
                    && io(inFlight[cell]).request.kind() == IoKind.READ;
            require(isTarget || ongoing(cell) == expected[cell], "memory cell " + cell + " is "
                    + ongoing(cell) + " instead of " + expected[cell]);
        }
    }

    // The strand: carries out what the cores say.

    private void tell(PendingSet.Input input) {
        var step = pending.step(input);
        pending = step.next();
        for (var output : step.outputs()) {
            switch (output) {
                case PendingSet.Output.Pay(var ioId, var from, var to, var offset, var cells) -> {
                    log("pay " + ioId + ": " + from + " to " + to);
                    count("paid");
                    System.arraycopy(frames.get(from), offset, frames.get(to), offset, cells);
                }
                case PendingSet.Output.Owe(var ioId, var frame) -> {
                    io(ioId).owed.add(frame);
                    pin(frame);
                }
                case PendingSet.Output.Forgive(var ioId, var frame) -> {
                    count("forgiven");
                    require(io(ioId).owed.remove(Integer.valueOf(frame)),
                            "forgave what was not owed");
                    unpin(frame);
                }
                case PendingSet.Output.Reissue(var ioId, var copies) -> {
                    var io = io(ioId);
                    log("reissue " + ioId + " " + copies);
                    count("reissued");
                    io.reissue = copies;
                    tell(io.request.disk(), new DiskOrder.Input.Submit(ioId, IoKind.READ, io.layer,
                            io.request.firstSector(), io.request.sectorCount(), false));
                }
                case PendingSet.Output.Deliver(var ioId, var status) -> deliver(ioId, status);
                case PendingSet.Output.Settled(var ioId, var status, var waiting) ->
                    settled(io(ioId), status, waiting);
                case PendingSet.Output.CopyTarget(var region, var page, var frame) -> {
                    if (table[page] == frame) {
                        count("target copied");
                        int copy = newFrame(frames.get(frame).clone());
                        table[page] = copy;
                        tell(new PendingSet.Input.Copied(region, page, frame, copy));
                    }
                }
            }
        }
    }

    private void settled(Io io, IoStatus status, List<Long> waiting) {
        io.status = status;
        log("settled " + io.request.ioId() + " " + status + " for " + waiting);
        if (io.request.kind() == IoKind.READ) {
            for (int frame : io.frames) {
                unpin(frame);
            }
        }
        io.owed.forEach(this::unpin);
        io.owed.clear();
        for (var checkpoint : checkpoints) {
            if (waiting.contains(checkpoint.id)) {
                checkpoint.settled.put(io.request.ioId(), status);
                mailbox.add(() -> told(checkpoint,
                        new CheckpointPhase.Input.IoSettled(io.request.ioId(), status)));
            }
        }
    }

    private void tell(int disk, DiskOrder.Input input) {
        var step = orders[disk].step(input, disks[disk]::holds);
        orders[disk] = step.next();
        for (var output : step.outputs()) {
            switch (output) {
                case DiskOrder.Output.StartRead(var ioId, var view) ->
                    start(new ReadOp(io(ioId), view));
                case DiskOrder.Output.StartFlush(var ioId, var view) ->
                    start(new SyncOp(ioId, disk, 0, view));
                case DiskOrder.Output.StartSync(var ioId, var layer) ->
                    start(new SyncOp(ioId, disk, layer, layer));
                case DiskOrder.Output.StartWrite(var ioId, var layer, var group) ->
                    startWrite(io(ioId), layer, (int) group, false);
                case DiskOrder.Output.StartFault(var ioId, var layer, var group) -> {
                    count("disk fault");
                    startWrite(io(ioId), layer, (int) group, true);
                }
                case DiskOrder.Output.Delayed(var ioId, var group) -> {
                    log("delayed " + ioId + " in group " + group);
                    count("delayed");
                }
                case DiskOrder.Output.Complete(var ioId, var status) -> {
                    var io = io(ioId);
                    boolean isReissue = io.reissue != null;
                    if (config.ordered && !isReissue) {
                        verifyOrder(io);
                    }
                    io.complete = true;
                    io.reissue = null;
                    if (io.write != null) {
                        io.write.status = status;
                    }
                    tell(isReissue
                            ? new PendingSet.Input.Reissued(ioId, status)
                            : new PendingSet.Input.Landed(ioId, status));
                }
            }
        }
        verifyLayers(disk);
    }

    private void startWrite(Io io, int layer, int group, boolean isFault) {
        if (layer < io.layer) {
            count("bound lower");
        }
        start(new WriteOp(io, layer, group, isFault));
    }

    /** R8's invariant, whatever led to it. */
    private void verifyLayers(int disk) {
        if (!config.rules.on(Rule.R8) || !config.rules.on(Rule.R5)) {
            return;
        }
        var images = disks[disk].images;
        for (int i = 1; i < images.size(); i++) {
            for (int group : images.get(i).groups.keySet()) {
                require(orders[disk].incompleteWritesBelow(images.get(i).first, group) == 0,
                        "layer " + images.get(i).first + " holds group " + group
                                + " while lower writes are pending");
            }
        }
    }

    /** An ordered device completes overlapping requests as they were issued, unless neither changes anything. */
    private void verifyOrder(Io io) {
        for (var earlier : ios.values()) {
            require(earlier.complete || earlier.request.ioId() >= io.request.ioId()
                    || earlier.detached != io.detached
                    || !(earlier.request.kind().writes() || io.request.kind().writes())
                    || !earlier.request.overlaps(io.request),
                    "request " + io.request.ioId() + " overtook " + earlier.request.ioId());
        }
    }

    private void pin(int frame) {
        pins.merge(frame, 1, Integer::sum);
    }

    private void unpin(int frame) {
        require(pins.containsKey(frame), "frame " + frame + " is not pinned");
        pins.merge(frame, -1, (a, b) -> a + b == 0 ? null : a + b);
    }

    // The devices.

    private void start(Op op) {
        log("start " + op);
        if (config.hangs && op.ioId() >= 0 && random.nextInt(25) == 0) {
            hung.add(op);
        } else {
            ops.add(op);
        }
    }

    private void device() {
        if (ops.isEmpty()) {
            return;
        }
        var op = pick(ops);
        boolean fails = op.ioId() >= 0 && random.nextInt(40) == 0;
        boolean isLast = !fails && op.advance();
        if (fails || isLast) {
            ops.remove(op);
            log((fails ? "failed " : "done ") + op);
            op.end(fails ? IoStatus.ERROR : IoStatus.OK);
        }
    }

    private List<Integer> shuffled(int first, int count) {
        var order = new ArrayList<Integer>();
        for (int i = first; i < first + count; i++) {
            order.add(i);
        }
        Collections.shuffle(order, random);
        return order;
    }

    /** Sector by sector, in any order, into the frames of the issue or, again, into the copies. */
    private final class ReadOp implements Op {
        private final Io io;
        private final int view;
        private final @Nullable List<Target> copies;
        private final List<Integer> left;

        ReadOp(Io io, int view) {
            this.io = io;
            this.view = view;
            copies = io.reissue;
            left = shuffled((int) io.request.firstSector(), io.request.sectorCount());
        }

        @Override
        public boolean advance() {
            int sector = left.removeLast();
            for (int half = 0; half < CELLS; half++) {
                int cell = disks[io.request.disk()].cell(view, sector, half);
                int index = (sector - (int) io.request.firstSector()) * CELLS + half;
                if (copies == null) {
                    int offset = (io.buffer + index) % PAGE_CELLS;
                    frames.get(io.frames[index])[offset] = cell;
                    continue;
                }
                for (var copy : copies) {
                    if (copy.offsetInRequest() == index) {
                        frames.get(copy.frame())[copy.offsetInPage()] = cell;
                    }
                }
            }
            return left.isEmpty();
        }

        @Override
        public void end(IoStatus status) {
            mailbox.add(() -> tell(io.request.disk(),
                    new DiskOrder.Input.Done(io.request.ioId(), status)));
        }

        @Override
        public long ioId() {
            return io.request.ioId();
        }

        @Override
        public String toString() {
            return "read " + io.request.ioId() + " view " + view + (copies == null ? "" : " again");
        }
    }

    /** One group's part: in place, or copied from below first and published last. */
    private final class WriteOp implements Op {
        private final Io io;
        private int layer;
        private final int group;
        private final List<Integer> toCopy;
        private final List<Integer> toWrite;
        private int @Nullable [] fault;

        WriteOp(Io io, int layer, int group, boolean isFault) {
            this.io = io;
            this.layer = layer;
            this.group = group;
            int first = Math.max((int) io.request.firstSector(), group * GROUP_SECTORS);
            int end = Math.min((int) io.request.firstSector() + io.request.sectorCount(),
                    (group + 1) * GROUP_SECTORS);
            toWrite = shuffled(first, end - first);
            toCopy = isFault ? shuffled(group * GROUP_SECTORS, GROUP_SECTORS) : new ArrayList<>();
            toCopy.removeAll(toWrite);
            fault = isFault ? new int[GROUP_SECTORS * CELLS] : null;
        }

        @Override
        public boolean advance() {
            var disk = disks[io.request.disk()];
            if (!config.rules.on(Rule.R4) && fault == null && layer != disk.top()) {
                layer = disk.top(); // bound when it runs, not when it was issued
                if (!disk.holds(layer, group)) {
                    fault = new int[GROUP_SECTORS * CELLS];
                    toCopy.addAll(shuffled(group * GROUP_SECTORS, GROUP_SECTORS));
                    toCopy.removeAll(toWrite);
                }
            }
            if (!toCopy.isEmpty()) {
                int sector = toCopy.removeLast();
                for (int half = 0; half < CELLS; half++) {
                    Objects.requireNonNull(fault)[sector % GROUP_SECTORS * CELLS + half] =
                            disk.cellBelow(layer, sector, half);
                }
                return false;
            }
            if (!toWrite.isEmpty()) {
                int sector = toWrite.removeLast();
                var to = fault == null ? disk.cells(layer, group) : fault;
                for (int half = 0; half < CELLS; half++) {
                    to[sector % GROUP_SECTORS * CELLS + half] = source(sector, half);
                }
                return toWrite.isEmpty() && fault == null;
            }
            disk.publish(layer, group, Objects.requireNonNull(fault));
            return true;
        }

        private int source(int sector, int half) {
            if (io.frames.length == 0) {
                return 0;
            }
            int index = (sector - (int) io.request.firstSector()) * CELLS + half;
            return frames.get(io.frames[index])[(io.buffer + index) % PAGE_CELLS];
        }

        @Override
        public void end(IoStatus status) {
            mailbox.add(() -> tell(io.request.disk(),
                    new DiskOrder.Input.PartDone(io.request.ioId(), group, status)));
        }

        @Override
        public long ioId() {
            return io.request.ioId();
        }

        @Override
        public String toString() {
            return (fault == null ? "write " : "fault ") + io.request.ioId() + " layer " + layer
                    + " group " + group;
        }
    }

    /** Makes images durable, from the bottom up. */
    private final class SyncOp implements Op {
        private final long ioId;
        private final int disk;
        private int nextLayer;
        private final int lastLayer;

        SyncOp(long ioId, int disk, int firstLayer, int lastLayer) {
            this.ioId = ioId;
            this.disk = disk;
            this.nextLayer = firstLayer;
            this.lastLayer = lastLayer;
        }

        @Override
        public boolean advance() {
            int index = disks[disk].indexOf(nextLayer);
            if (index >= 0) {
                disks[disk].images.get(index).sync();
            }
            return ++nextLayer > lastLayer;
        }

        @Override
        public void end(IoStatus status) {
            mailbox.add(() -> tell(disk, new DiskOrder.Input.Done(ioId, status)));
        }

        @Override
        public long ioId() {
            return ioId;
        }

        @Override
        public String toString() {
            return "sync " + ioId + " to layer " + lastLayer;
        }
    }

    /** Something that takes its time, but neither fails nor hangs. */
    private static final class Chore implements Op {
        private final String name;
        private final List<Runnable> left;
        private final Runnable after;

        Chore(String name, List<Runnable> left, Runnable after) {
            this.name = name;
            this.left = new ArrayList<>(left);
            this.after = after;
        }

        @Override
        public boolean advance() {
            if (!left.isEmpty()) {
                left.removeFirst().run();
            }
            return left.isEmpty();
        }

        @Override
        public void end(IoStatus status) {
            after.run();
        }

        @Override
        public long ioId() {
            return -1;
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private void commit(int disk) {
        var images = disks[disk].images;
        if (images.size() < 2 || committing[disk]) {
            return;
        }
        int index = 1 + random.nextInt(images.size() - 1);
        var upper = images.get(index);
        var lower = images.get(index - 1);
        boolean isShown = neededViews(disk).stream()
                .anyMatch(view -> lower.first <= view && view < upper.first);
        if (isShown || !orders[disk].mayCommit(upper.last, lower.first)) {
            return;
        }
        count("commit");
        committing[disk] = true;
        var copies = new ArrayList<Runnable>();
        for (int group = 0; group < SECTORS / GROUP_SECTORS; group++) {
            int each = group;
            copies.add(() -> {
                var cells = upper.groups.get(each);
                if (cells != null) {
                    lower.groups.put(each, cells.clone());
                }
            });
        }
        ops.add(new Chore("commit of layer " + upper.last + " of disk " + disk, copies, () -> {
            committing[disk] = false;
            if (!config.rules.on(Rule.R16) && !images.contains(upper)) {
                return;
            }
            lower.sync();
            lower.last = upper.last;
            images.remove(upper);
        }));
    }

    // Checkpoints.

    private void message() {
        if (!mailbox.isEmpty()) {
            var message = pick(mailbox);
            mailbox.remove(message);
            message.run();
        }
        for (var checkpoint : List.copyOf(checkpoints)) {
            if (checkpoint.isPutOff && !pending.readWriteConflict()) {
                checkpoint.isPutOff = false;
                told(checkpoint, new CheckpointPhase.Input.ConflictOver());
            }
        }
    }

    private void begin() {
        if (checkpoints.stream().anyMatch(one -> one.phase.ownsOverlays())
                || checkpoints.size() >= 3) {
            return;
        }
        var plan = new Plan(new TreeSet<>(List.of(0, 1)), config.conflict, config.rules);
        var checkpoint = new Checkpoint(++lastCheckpointId, CheckpointPhase.idle(plan));
        checkpoints.add(checkpoint);
        told(checkpoint, new CheckpointPhase.Input.Begin());
    }

    private void told(Checkpoint checkpoint, CheckpointPhase.Input input) {
        var step = CheckpointPhase.step(checkpoint.phase, input);
        log("checkpoint " + checkpoint.id + ": " + input + " -> " + step.outputs());
        checkpoint.phase = step.next();
        for (var output : step.outputs()) {
            switch (output) {
                case CheckpointPhase.Output.PrepareOverlays() -> {
                    for (int disk = 0; disk < DISKS; disk++) {
                        prepareOverlay(checkpoint, disk);
                    }
                }
                case CheckpointPhase.Output.Stun(var ifConflict) ->
                    mailbox.add(() -> stun(checkpoint, ifConflict));
                case CheckpointPhase.Output.Resume() -> {
                    require(stopped == checkpoint, "resumed a VM that runs");
                    stopped = null;
                    count("resume delayed");
                    resumed(checkpoint);
                }
                case CheckpointPhase.Output.SaveFree() -> save(checkpoint, true);
                case CheckpointPhase.Output.SaveLate() -> save(checkpoint, false);
                case CheckpointPhase.Output.StopSaving() -> checkpoint.stopSaving = true;
                case CheckpointPhase.Output.SyncChain() -> syncChain(checkpoint);
                case CheckpointPhase.Output.CopyDisks _,CheckpointPhase.Output.StopCopying _ ->
                    throw new AssertionError("its checkpoints point to layers");
                case CheckpointPhase.Output.WriteManifest() -> {
                    boolean fails = random.nextInt(30) == 0;
                    ops.add(new Chore("manifest " + checkpoint.id, List.of(),
                            () -> mailbox.add(() -> told(checkpoint,
                                    fails
                                            ? new CheckpointPhase.Input.ManifestFailed("disk full")
                                            : new CheckpointPhase.Input.ManifestWritten()))));
                }
                case CheckpointPhase.Output.ReportSealed(_) -> {
                    count("sealed");
                    if (checkpoint.cut.stream().anyMatch(one -> one.kind() == IoKind.READ)) {
                        count("sealed with reads in flight");
                    }
                    verifySealed(checkpoint);
                    sealed.add(checkpoint);
                    ended(checkpoint);
                }
                case CheckpointPhase.Output.ReportAborted(var reason) -> {
                    count(reason.startsWith("the deadline") ? "deadline" : "aborted");
                    ended(checkpoint);
                }
                case CheckpointPhase.Output.DiscardOverlays(var which) -> {
                    for (int disk : which) {
                        require(disks[disk].prepared != null, "discarded an overlay in use");
                        disks[disk].prepared = null;
                    }
                }
                case CheckpointPhase.Output.DiscardSaved() -> Arrays.fill(checkpoint.saved, null);
                case CheckpointPhase.Output.ReleaseFrozen() -> {
                    require(!checkpoint.isReleased, "released twice");
                    checkpoint.isReleased = true;
                }
            }
        }
        if (checkpoint.phase.isOver()) {
            checkpoints.remove(checkpoint);
        }
    }

    private void prepareOverlay(Checkpoint checkpoint, int disk) {
        boolean fails = random.nextInt(30) == 0;
        ops.add(new Chore("overlay " + disk, List.of(), () -> {
            if (!fails) {
                disks[disk].prepare();
            }
            mailbox.add(() -> told(checkpoint,
                    fails
                            ? new CheckpointPhase.Input.OverlayFailed(disk, "disk full")
                            : new CheckpointPhase.Input.OverlayReady(disk)));
        }));
    }

    private void stun(Checkpoint checkpoint, Conflict ifConflict) {
        if (stopped != null) {
            mailbox.add(() -> stun(checkpoint, ifConflict));
            return;
        }
        boolean conflict = pending.readWriteConflict();
        if (conflict && ifConflict == Conflict.PUT_OFF) {
            count("put off");
            mailbox.add(() -> {
                checkpoint.isPutOff = true;
                told(checkpoint, new CheckpointPhase.Input.Conflicted());
            });
            return;
        }
        now++;
        checkpoint.at = now;
        checkpoint.isStunned = true;
        checkpoint.frozen = table.clone();
        checkpoint.expected = expected.clone();
        checkpoint.target = inFlight.clone();
        checkpoint.cut = pending.requests();
        epoch++;
        tell(new PendingSet.Input.Stunned(checkpoint.id));
        for (int disk = 0; disk < DISKS; disk++) {
            checkpoint.views[disk] = disks[disk].top();
            disks[disk].switchToPrepared();
            tell(disk, new DiskOrder.Input.Switched(disks[disk].top()));
        }
        now++;
        log("stunned for " + checkpoint.id + " with " + pending.pendingOf(checkpoint.id));
        if (conflict) {
            stopped = checkpoint;
            var left = pending.pendingOf(checkpoint.id);
            mailbox.add(() -> told(checkpoint, new CheckpointPhase.Input.ResumeHeld(left)));
        } else {
            resumed(checkpoint);
        }
    }

    private void resumed(Checkpoint checkpoint) {
        var left = pending.pendingOf(checkpoint.id);
        mailbox.add(() -> told(checkpoint, new CheckpointPhase.Input.Resumed(now, left)));
    }

    private void save(Checkpoint checkpoint, boolean isFirst) {
        var pages = new ArrayList<Runnable>();
        for (int page = 0; page < PAGES; page++) {
            int each = page;
            pages.add(() -> {
                require(!checkpoint.isReleased, "saved from released memory");
                int frame = checkpoint.frozen[each];
                boolean isBlocked = Arrays.binarySearch(pending.blockedFrames(checkpoint.id),
                        frame) >= 0;
                if (!checkpoint.stopSaving && checkpoint.saved[each] == null && !isBlocked) {
                    checkpoint.saved[each] = frames.get(frame).clone();
                }
            });
        }
        boolean fails = random.nextInt(40) == 0;
        ops.add(new Chore("save " + checkpoint.id, pages, () -> mailbox.add(() -> told(checkpoint,
                fails || checkpoint.stopSaving
                        ? new CheckpointPhase.Input.SaveFailed("stopped, or disk full")
                        : isFirst
                                ? new CheckpointPhase.Input.PagesSaved()
                                : new CheckpointPhase.Input.LatePagesSaved()))));
    }

    private void syncChain(Checkpoint checkpoint) {
        var syncs = new ArrayList<Runnable>();
        for (int disk = 0; disk < DISKS; disk++) {
            int each = disk;
            syncs.add(() -> {
                for (var image : disks[each].images) {
                    if (image.first <= checkpoint.views[each]) {
                        image.sync();
                    }
                }
            });
        }
        boolean fails = random.nextInt(40) == 0;
        ops.add(new Chore("sync chain", syncs, () -> mailbox.add(
                () -> told(checkpoint, fails
                        ? new CheckpointPhase.Input.SyncFailed("I/O error")
                        : new CheckpointPhase.Input.ChainSynced()))));
    }

    private void ended(Checkpoint checkpoint) {
        checkpoint.isPutOff = false;
        tell(new PendingSet.Input.Ended(checkpoint.id));
        viewsChanged();
        int perPage = checkpoints.size() + 1;
        require(pending.owedFrames() <= pending.size() * PAGES * perPage
                && ios.values().stream().allMatch(io -> io.owed.size() <= pagesOf(io) * perPage),
                "more frames are owed than anybody shows");
    }

    private static long pagesOf(Io io) {
        return io.request.targets().stream().map(Target::page).distinct().count();
    }

    private void deleteSealed() {
        if (!sealed.isEmpty()) {
            var one = pick(sealed);
            verifySealedDisks(one);
            sealed.remove(one);
            viewsChanged();
        }
    }

    private SortedSet<Integer> neededViews(int disk) {
        var views = new TreeSet<Integer>();
        for (var one : sealed) {
            views.add(one.views[disk]);
        }
        for (var one : checkpoints) {
            if (one.isStunned && !(one.phase instanceof CheckpointPhase.Aborted)) {
                views.add(one.views[disk]);
            }
        }
        return views;
    }

    private void viewsChanged() {
        for (int disk = 0; disk < DISKS; disk++) {
            tell(disk, new DiskOrder.Input.Needed(neededViews(disk)));
        }
    }

    private void verifySealed(Checkpoint checkpoint) {
        for (int cell = 0; cell < MEMORY_CELLS; cell++) {
            long ioId = checkpoint.target[cell];
            boolean isTarget = ioId >= 0 && io(ioId).request.kind() == IoKind.READ;
            require(isTarget || savedCell(checkpoint, cell) == checkpoint.expected[cell],
                    "checkpoint " + checkpoint.id + ", memory cell " + cell + ": "
                            + savedCell(checkpoint, cell) + " instead of "
                            + checkpoint.expected[cell]);
        }
        for (var request : checkpoint.cut) {
            var io = io(request.ioId());
            var status = checkpoint.settled.get(request.ioId());
            require(status != null && status == io.status, "checkpoint " + checkpoint.id
                    + " was sealed with request " + request.ioId() + " " + status);
            if (request.kind() == IoKind.READ && status == IoStatus.OK) {
                for (int i = 0; i < io.frames.length; i += CELLS) {
                    demand("checkpoint " + checkpoint.id + ", read " + request.ioId(),
                            histories[request.disk()].complain(
                                    (int) request.firstSector() + i / CELLS,
                                    savedCell(checkpoint, io.buffer + i),
                                    savedCell(checkpoint, io.buffer + i + 1), checkpoint.at,
                                    io.issuedAt));
                }
            }
        }
        verifySealedDisks(checkpoint);
    }

    private static int savedCell(Checkpoint checkpoint, int cell) {
        var page = checkpoint.saved[cell / PAGE_CELLS];
        require(page != null, "checkpoint " + checkpoint.id + " lacks page " + cell / PAGE_CELLS);
        return Objects.requireNonNull(page)[cell % PAGE_CELLS];
    }

    private void verifySealedDisks(Checkpoint checkpoint) {
        for (int disk = 0; disk < DISKS; disk++) {
            int view = checkpoint.views[disk];
            for (int sector = 0; sector < SECTORS; sector++) {
                int first = disks[disk].cell(view, sector, 0);
                int second = disks[disk].cell(view, sector, 1);
                demand("checkpoint " + checkpoint.id + ", disk " + disk,
                        histories[disk].complain(sector, first, second, checkpoint.at, NEVER));
                require(first == disks[disk].durableCell(view, sector, 0)
                        && second == disks[disk].durableCell(view, sector, 1),
                        "checkpoint " + checkpoint.id + ", disk " + disk + ": sector " + sector
                                + " is not durable");
            }
        }
    }

    // The end.

    private void finish() {
        quiesce();
        require(checkpoints.isEmpty() || !hung.isEmpty(), "a checkpoint waits for nothing");
        for (var checkpoint : List.copyOf(checkpoints)) {
            if (!(checkpoint.phase instanceof Writing)) {
                told(checkpoint, new CheckpointPhase.Input.Deadline());
            }
        }
        quiesce();
        require(checkpoints.isEmpty(), "a checkpoint never ends");
        require(stopped == null, "the VM never resumes");
        verifyMemory();
        for (int disk = 0; disk < DISKS; disk++) {
            for (int sector = 0; sector < SECTORS; sector++) {
                int top = disks[disk].top();
                demand("ongoing disk " + disk,
                        histories[disk].complain(sector, disks[disk].cell(top, sector, 0),
                                disks[disk].cell(top, sector, 1), NEVER, NEVER));
            }
        }
        sealed.forEach(this::verifySealedDisks);
        sealed.clear();
        viewsChanged();
        quiesce();
        for (var order : orders) {
            for (var part : order.parts) {
                require(part.state() != DiskOrder.PartState.WAITING,
                        "request " + part.ioId() + " is held hostage for nobody's sake");
            }
        }
        if (!hung.isEmpty()) {
            return;
        }
        require(pending.size() == 0, "requests are left over: " + pending);
        require(pins.isEmpty(), "frames are still pinned: " + pins);
        for (var io : ios.values()) {
            require(io.delivered == (io.detached ? 0 : 1), "request " + io.request.ioId()
                    + " was delivered " + io.delivered + " times");
        }
    }

    private void quiesce() {
        long until = now + 100_000;
        while (!ops.isEmpty() || !mailbox.isEmpty()) {
            require(now++ < until, "the machine never comes to rest");
            device();
            message();
            verifyMemory();
            boolean waits = ops.isEmpty() && stopped != null && !mailbox.isEmpty()
                    && !(stopped.phase instanceof Draining);
            if (waits && !hung.isEmpty()) {
                told(Objects.requireNonNull(stopped), new CheckpointPhase.Input.Deadline());
            }
        }
    }

    private Io io(long ioId) {
        return Objects.requireNonNull(ios.get(ioId));
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    private void count(String what) {
        counts.merge(what, 1, Integer::sum);
    }

    private void log(String what) {
        story.add(now + " " + what);
    }

    private static void demand(String where, @Nullable String complaint) {
        if (complaint != null) {
            throw new Violation(where + ": " + complaint);
        }
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new Violation(what);
        }
    }
}
