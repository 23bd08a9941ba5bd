package io.tintype.simulations.oracle;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.device.QueueRequest;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.VmIdentity;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * A VM and its checkpoints in the slowest and most obvious way: a checkpoint copies memory and disks whole, a request pending
 * at T lands in every copy that it is part of. All choices come from one random source; mistakes can be asked for.
 */
final class SimulatedVm implements GuestContext, AutoCloseable {
    static final int SECTOR_BYTES = QueueLayout.SECTOR_BYTES;
    private static final byte[] ZEROS = new byte[SECTOR_BYTES];

    /** A request that the device fetched. */
    static final class Request {
        final long ioId;
        final int disk;
        final QueueRequest wanted;
        final byte[] data;
        final List<Checkpoint> pendingAt = new ArrayList<>();
        @Nullable
        IoStatus status;
        boolean detached;

        Request(long ioId, int disk, QueueRequest wanted, byte[] data) {
            this.ioId = ioId;
            this.disk = disk;
            this.wanted = wanted;
            this.data = data;
        }
    }

    /** Copies of everything at one instant. */
    static final class Checkpoint {
        final long id;
        byte[] registers;
        final byte[] memory;
        final List<Map<Long, byte[]>> disks;
        final List<QueueState> queues;
        final List<Request> pending;
        final long guestNs;

        Checkpoint(long id, SimulatedVm vm) {
            this.id = id;
            registers = vm.guest.saveRegisters();
            memory = vm.memoryBytes();
            disks = vm.disks.stream().<Map<Long, byte[]>>map(HashMap::new).toList();
            queues = vm.queues.stream().map(DiskQueue::save).toList();
            pending = vm.inFlight.stream().filter(request -> !request.detached).toList();
            guestNs = vm.nowNs;
        }

        boolean isDone() {
            return pending.stream().allMatch(request -> request.status != null);
        }
    }

    final Random random;
    private final Random mistakes;
    private final FramePool pool;
    private final GuestFactory factory;
    private final List<Long> regionBytes;
    private final List<Long> diskBytes;
    private final double failureShare;
    private List<MemoryRegion> regions = new ArrayList<>();
    private GuestMemory memory;
    private List<DiskQueue> queues = new ArrayList<>();
    final List<Map<Long, byte[]>> disks = new ArrayList<>();
    final List<Request> inFlight = new ArrayList<>();
    final List<Checkpoint> checkpoints = new ArrayList<>();
    Guest guest;
    @Nullable
    Mistake mistake;
    int mistakesMade;
    private long nextIoId = 1;
    private long nowNs;
    private int yieldsLeft;
    @Nullable
    Outcome outcome;

    SimulatedVm(Random random, FramePool pool, GuestFactory factory, List<Long> regionBytes,
            List<Long> diskBytes,
            double failureShare) {
        this.random = random;
        mistakes = new Random(random.nextLong());
        this.pool = pool;
        this.factory = factory;
        this.regionBytes = regionBytes;
        this.diskBytes = diskBytes;
        this.failureShare = failureShare;
        memory = newMemory();
        for (long bytes : diskBytes) {
            disks.add(new HashMap<>());
            queues.add(new DiskQueue(bytes));
        }
        guest = factory.create(memory);
    }

    /** A VM restored from a checkpoint of another one, with a guest of another factory. */
    SimulatedVm(SimulatedVm other, Checkpoint checkpoint, GuestFactory factory) {
        this(other.random, other.pool, factory, other.regionBytes, other.diskBytes,
                other.failureShare);
        loadMemory(checkpoint.memory);
        for (int disk = 0; disk < disks.size(); disk++) {
            disks.get(disk).putAll(checkpoint.disks.get(disk));
            queues.set(disk, DiskQueue.restore(diskBytes.get(disk), checkpoint.queues.get(disk)));
        }
        nowNs = checkpoint.guestNs;
        nextIoId = 1_000_000;
        guest = factory.restore(other.guest.kind(), checkpoint.registers, memory);
        mistake = other.mistake;
        for (var pending : checkpoint.pending) {
            var owed = new Request(pending.ioId, pending.disk, pending.wanted, pending.data);
            owed.status = pending.status;
            if (isMistake(Mistake.RESTORED_VM_NEVER_GETS_A_COMPLETION)) {
                continue;
            }
            if (isMistake(Mistake.RESTORED_VM_GETS_ANOTHER_STATUS)) {
                owed.status = pending.status == IoStatus.OK ? IoStatus.ERROR : IoStatus.OK;
            }
            inFlight.add(owed);
        }
    }

    private GuestMemory newMemory() {
        regions = new ArrayList<>();
        for (long bytes : regionBytes) {
            regions.add(new MemoryRegion(pool, bytes, (_, _, _) -> {}));
        }
        memory = new GuestMemory(regions);
        return memory;
    }

    byte[] memoryBytes() {
        var bytes = new byte[(int) memory.sizeBytes()];
        memory.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        return bytes;
    }

    private void loadMemory(byte[] bytes) {
        memory.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
    }

    /** Replaces guest, memory and devices by new objects that are made of what was saved of the old ones. */
    void replaceAll() {
        var bytes = memoryBytes();
        var registers = guest.saveRegisters();
        var kind = guest.kind();
        regions.forEach(MemoryRegion::close);
        newMemory();
        var saved = queues.stream().map(DiskQueue::save).toList();
        queues = new ArrayList<>();
        for (int disk = 0; disk < saved.size(); disk++) {
            queues.add(DiskQueue.restore(diskBytes.get(disk), saved.get(disk)));
        }
        guest = factory.restore(kind, registers, memory);
        loadMemory(bytes);
    }

    @Override
    public void close() {
        regions.forEach(MemoryRegion::close);
    }

    // ---- the machine ----

    @Override
    public GuestMemory memory() {
        return memory;
    }

    @Override
    public long guestNs() {
        nowNs += 500;
        return nowNs;
    }

    @Override
    public VmIdentity identity() {
        return new VmIdentity(1, 2, 3);
    }

    @Override
    public boolean shouldYield() {
        return --yieldsLeft <= 0;
    }

    @Override
    public void configureDisk(int disk, QueueLayout layout) {
        queues.get(disk).configure(layout);
    }

    @Override
    public void doorbell(int disk, int tail) {
        queues.get(disk).doorbell(tail);
    }

    @Override
    public void resetDisk(int disk) {
        queues.get(disk).reset();
        inFlight.stream().filter(request -> request.disk == disk)
                .forEach(request -> request.detached = true);
    }

    /** A slice of guest code, then a little of what devices do. */
    void turn() {
        yieldsLeft = 1 + random.nextInt(12);
        outcome = guest.run(this);
        if (outcome instanceof Outcome.WaitUntil(var untilNs) && random.nextInt(4) == 0) {
            nowNs = Math.max(nowNs, untilNs);
        }
        fetch();
        for (int i = random.nextInt(6); i > 0; i--) {
            land();
        }
        for (int i = random.nextInt(6); i > 0; i--) {
            deliver();
        }
    }

    private void fetch() {
        for (int disk = 0; disk < queues.size(); disk++) {
            while (random.nextInt(8) != 0) {
                var wanted = queues.get(disk).fetch(memory);
                if (wanted == null) {
                    break;
                }
                inFlight.add(new Request(nextIoId++, disk, wanted, wanted.kind() == IoKind.WRITE
                        ? gather(wanted)
                        : new byte[0]));
            }
        }
    }

    private byte[] gather(QueueRequest wanted) {
        var data = new byte[wanted.sectorCount() * SECTOR_BYTES];
        int at = 0;
        for (var buffer : wanted.buffers()) {
            memory.read(buffer.address(), MemorySegment.ofArray(data), at, buffer.bytes());
            at += buffer.bytes();
        }
        return data;
    }

    private void land() {
        var waiting = inFlight.stream().filter(request -> request.status == null).toList();
        if (waiting.isEmpty()) {
            return;
        }
        land(waiting.get(random.nextInt(waiting.size())));
        inFlight.removeIf(request -> request.detached && request.status != null);
    }

    void land(Request request) {
        var kind = request.wanted.kind();
        var status = IoStatus.OK;
        if (random.nextDouble() < failureShare) {
            status = kind == IoKind.DISCARD && random.nextBoolean()
                    ? IoStatus.UNSUPPORTED
                    : IoStatus.ERROR;
        }
        request.status = status;
        if (kind.writes() && status != IoStatus.UNSUPPORTED) {
            landWrite(request, status == IoStatus.OK);
        } else if (kind == IoKind.READ) {
            landRead(request, status == IoStatus.OK);
        }
    }

    private void landWrite(Request request, boolean whole) {
        var wanted = request.wanted;
        var isPending = !request.pendingAt.isEmpty();
        var losesInCheckpoint = isPending && isMistake(Mistake.PENDING_WRITE_NOT_IN_THE_CHECKPOINT);
        var losesInVm = isPending && isMistake(Mistake.PENDING_WRITE_NOT_IN_THE_RUNNING_VM);
        var half = isPending && wanted.kind() == IoKind.WRITE
                && isMistake(Mistake.PENDING_WRITE_LANDS_HALF);
        var isForgotten = wanted.kind() != IoKind.WRITE && isMistake(Mistake.DISCARD_FORGOTTEN);
        losesInVm |= isPending && newWriteInSameGroup(request)
                && isMistake(Mistake.FAULT_BEFORE_A_PENDING_WRITE);
        losesInVm |= isForgotten || (!isPending && isMistake(Mistake.COMPLETED_WRITE_LOST));
        for (int i = 0; i < wanted.sectorCount(); i++) {
            var sector = wanted.sector() + i;
            if (!whole && random.nextBoolean()) {
                continue;
            }
            var data = ZEROS;
            if (wanted.kind() == IoKind.WRITE) {
                data = new byte[SECTOR_BYTES];
                System.arraycopy(request.data, i * SECTOR_BYTES, data, 0, SECTOR_BYTES);
            }
            if (!losesInVm && !(request.detached && random.nextInt(4) == 0)) {
                disks.get(request.disk).put(sector, data);
            }
            for (var checkpoint : request.pendingAt) {
                if (!losesInCheckpoint) {
                    var disk = checkpoint.disks.get(request.disk);
                    disk.put(sector, half ? halfOf(data, disk.getOrDefault(sector, ZEROS)) : data);
                }
            }
        }
        if (!checkpoints.isEmpty() && !isPending && !request.detached
                && isMistake(Mistake.NEW_WRITE_IN_THE_CHECKPOINT)) {
            var disk = checkpoints.getLast().disks.get(request.disk);
            for (int i = 0; i < wanted.sectorCount(); i++) {
                disk.put(wanted.sector() + i,
                        disks.get(request.disk).getOrDefault(wanted.sector() + i, ZEROS));
            }
        }
    }

    private static byte[] halfOf(byte[] data, byte[] old) {
        var mixed = old.clone();
        System.arraycopy(data, 0, mixed, 0, SECTOR_BYTES / 2);
        return mixed;
    }

    /** Whether a write that was issued later is in flight in a group of this one. */
    private boolean newWriteInSameGroup(Request request) {
        return inFlight.stream()
                .anyMatch(other -> other.ioId > request.ioId && other.disk == request.disk
                        && other.wanted.kind().writes()
                        && other.pendingAt.size() < request.pendingAt.size()
                        && other.wanted.sector() / 128 == request.wanted.sector() / 128);
    }

    private void landRead(Request request, boolean whole) {
        // Bound at issue: what was written after the next checkpoint is not seen.
        var view = request.pendingAt.isEmpty()
                ? disks.get(request.disk)
                : request.pendingAt.getFirst().disks.get(request.disk);
        var wanted = request.wanted;
        var data = new byte[wanted.sectorCount() * SECTOR_BYTES];
        for (int i = 0; i < wanted.sectorCount(); i++) {
            if (whole || random.nextBoolean()) {
                System.arraycopy(view.getOrDefault(wanted.sector() + i, ZEROS), 0, data,
                        i * SECTOR_BYTES,
                        SECTOR_BYTES);
            }
        }
        var isPending = !request.pendingAt.isEmpty();
        var lands = !request.detached || isMistake(Mistake.READ_LANDS_AFTER_A_RESET);
        if (lands && !(isPending && isMistake(Mistake.PENDING_READ_NOT_IN_THE_RUNNING_VM))) {
            scatter(wanted, data, null);
        }
        for (var checkpoint : request.pendingAt) {
            if (isMistake(Mistake.PENDING_READ_NOT_IN_THE_CHECKPOINT)) {
                continue;
            }
            scatter(wanted, data, checkpoint.memory);
            var written = request.pendingAt.stream().flatMap(other -> other.pending.stream())
                    .filter(other -> other.wanted.kind() == IoKind.WRITE
                            && other.disk == request.disk
                            && other.wanted.sector() < wanted.sector() + wanted.sectorCount()
                            && wanted.sector() < other.wanted.sector() + other.wanted.sectorCount()
                            && other.status == null)
                    .findFirst();
            if (written.isPresent() && isMistake(Mistake.PENDING_READ_TORN_BY_A_WRITE)) {
                // The second half of a block comes from a second look at the disk.
                var write = written.get();
                var sector = Math.max(wanted.sector(), write.wanted.sector());
                var torn = data.clone();
                System.arraycopy(write.data,
                        (int) (sector - write.wanted.sector()) * SECTOR_BYTES + SECTOR_BYTES / 2,
                        torn, (int) (sector - wanted.sector()) * SECTOR_BYTES + SECTOR_BYTES / 2,
                        SECTOR_BYTES / 2);
                scatter(wanted, torn, checkpoint.memory);
            }
        }
        if (!isPending && !checkpoints.isEmpty() && isMistake(Mistake.NEW_READ_IN_THE_CHECKPOINT)) {
            scatter(wanted, data, checkpoints.getLast().memory);
        }
    }

    /** Into the running VM's memory, or into a copy. */
    private void scatter(QueueRequest wanted, byte[] data, byte @Nullable [] copy) {
        int at = 0;
        for (var buffer : wanted.buffers()) {
            if (copy == null) {
                memory.write(buffer.address(), MemorySegment.ofArray(data), at, buffer.bytes());
            } else {
                System.arraycopy(data, at, copy, (int) buffer.address(), buffer.bytes());
            }
            at += buffer.bytes();
        }
    }

    private void deliver() {
        var landed = inFlight.stream()
                .filter(request -> request.status != null && !request.detached).toList();
        if (!landed.isEmpty()) {
            deliver(landed.get(random.nextInt(landed.size())));
        }
        if (mistake == Mistake.COMPLETION_AFTER_A_RESET) {
            inFlight.stream().filter(request -> request.detached && isMistake(mistake)).findFirst()
                    .ifPresent(request -> complete(request, IoStatus.OK));
        }
    }

    private void deliver(Request request) {
        var status = request.status;
        if (status == null) {
            throw new IllegalStateException("not landed");
        }
        inFlight.remove(request);
        complete(request, status);
        if (isMistake(Mistake.COMPLETED_TWICE)) {
            complete(request, status);
        }
        if (!request.pendingAt.isEmpty()
                && isMistake(Mistake.COMPLETION_AFTER_THE_STUN_IN_THE_CHECKPOINT)) {
            var checkpoint = request.pendingAt.getLast();
            var queue = checkpoint.queues.get(request.disk);
            var entry = new QueueLayout(queue.submissionAddress(), queue.completionAddress(),
                    queue.entryCount())
                    .completion(queue.sequence() + 1);
            ByteBuffer.wrap(checkpoint.memory).order(ByteOrder.LITTLE_ENDIAN)
                    .putLong((int) entry, request.wanted.tag())
                    .putLong((int) entry + 8, queue.sequence() + 1);
        }
    }

    private void complete(Request request, IoStatus status) {
        queues.get(request.disk).complete(memory, request.wanted.tag(), status);
    }

    /** All that is in flight lands and is delivered; nothing new is fetched. */
    void quiesce() {
        List.copyOf(inFlight).stream().filter(request -> request.status == null)
                .forEach(this::land);
        List.copyOf(inFlight).stream().filter(request -> !request.detached).forEach(this::deliver);
        inFlight.clear();
    }

    // ---- checkpoints ----

    Checkpoint stun(long id) {
        var checkpoint = new Checkpoint(id, this);
        checkpoint.pending.forEach(request -> request.pendingAt.add(checkpoint));
        checkpoints.add(checkpoint);
        return checkpoint;
    }

    /** What is pending at the checkpoint lands. */
    void seal(Checkpoint checkpoint) {
        checkpoint.pending.stream().filter(request -> request.status == null).forEach(this::land);
        inFlight.removeIf(request -> request.detached && request.status != null);
        if (isMistake(Mistake.HEAP_STORE_AFTER_THE_STUN_IN_THE_CHECKPOINT)) {
            var page = checkpoint.memory.length / 4096 - 1 - mistakes.nextInt(8);
            System.arraycopy(memoryBytes(), page * 4096, checkpoint.memory, page * 4096, 4096);
        }
        if (isMistake(Mistake.REGISTERS_OF_LATER)) {
            checkpoint.registers = guest.saveRegisters();
        }
    }

    CheckpointImage image(Checkpoint checkpoint) {
        var entries = new ArrayList<PendingEntry>();
        for (var request : checkpoint.pending) {
            if (isMistake(Mistake.REQUEST_MISSING_FROM_THE_PENDING_LIST)) {
                continue;
            }
            var status = request.status;
            if (isMistake(Mistake.ANOTHER_STATUS_IN_THE_CHECKPOINT)) {
                status = status == IoStatus.ERROR ? IoStatus.OK : IoStatus.ERROR;
            }
            if (isMistake(Mistake.SEALED_BEFORE_THE_PENDING_WERE_DONE)) {
                status = null;
            }
            var wanted = request.wanted;
            entries.add(new PendingEntry(request.ioId, wanted.tag(), request.disk, wanted.kind(),
                    wanted.sector(),
                    wanted.sectorCount(), status));
        }
        return new CheckpointImage(checkpoint.id, checkpoint.registers, checkpoint.queues, entries,
                (page, destination) -> {
                    MemorySegment.copy(MemorySegment.ofArray(checkpoint.memory), page * 4096L,
                            destination, 0, 4096);
                    return true;
                },
                (disk, sector, destination) -> {
                    for (long at = 0; at < destination.byteSize(); at += SECTOR_BYTES) {
                        var data = checkpoint.disks.get(disk)
                                .getOrDefault(sector + at / SECTOR_BYTES, ZEROS);
                        MemorySegment.copy(MemorySegment.ofArray(data), 0, destination, at,
                                SECTOR_BYTES);
                    }
                });
    }

    /** Some of the occasions for the mistake that was asked for. */
    boolean isMistake(Mistake asked) {
        if (mistake == asked && mistakes.nextInt(asked.oneIn) == 0) {
            mistakesMade++;
            return true;
        }
        return false;
    }
}
