package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;

/** A load profile: stores into the heap and requests to the disks, each choice a pure function of the seed and its number. */
final class SyntheticGuest implements Guest {
    static final String KIND = "synthetic";

    private static final int SMALL_SECTORS = 8;
    /** Places tried for a request before another one is in nobody's way; then the guest waits for a completion. */
    private static final int PLACES_TRIED_MAX = 4;

    private final SyntheticProfile profile;
    private final GuestBlueprint blueprint;
    private final IoSlots slots;
    private final HeapWriter heap;
    private final long choiceSeed;
    private final long ioIntervalNs;
    private final int weightSum;
    private final boolean doesIo;

    // ---- registers, with those of slots and heap ----
    private boolean booted;
    private long draws;
    private long ioDueNs;
    private int requestsToReset;

    private long firstSteps;

    SyntheticGuest(SyntheticProfile profile, GuestBlueprint blueprint, GuestRecorder recorder) {
        this.profile = profile;
        this.blueprint = blueprint;
        slots = new IoSlots(blueprint.layout(), blueprint.sectors(), recorder);
        heap = new HeapWriter(blueprint.heap(), blueprint.layout(), profile.dirtyRate());
        choiceSeed = Mix.at(profile.seed(), 3);
        ioIntervalNs = profile.ioRate() > 0 ? Math.max(1, 1_000_000_000 / profile.ioRate()) : 0;
        weightSum = profile.readWeight() + profile.writeWeight() + profile.flushWeight()
                + profile.discardWeight()
                + profile.zeroesWeight();
        doesIo = blueprint.layout().slotCount() > 0 && profile.ioRate() != 0;
        requestsToReset = profile.resetEvery();
    }

    SyntheticGuest restore(byte[] bytes) {
        var registers = new RegisterReader(bytes);
        booted = registers.getInt() != 0;
        draws = registers.getLong();
        ioDueNs = registers.getLong();
        requestsToReset = registers.getInt();
        heap.restore(registers);
        slots.restore(registers);
        registers.end();
        firstSteps = heap.steps() + slots.events();
        return this;
    }

    @Override
    public byte[] saveRegisters() {
        var registers = new RegisterWriter(
                new RegisterHeader(slots.versions(), slots.events(), heap.steps()));
        registers.putInt(booted ? 1 : 0);
        registers.putLong(draws);
        registers.putLong(ioDueNs);
        registers.putInt(requestsToReset);
        heap.save(registers);
        slots.save(registers);
        return registers.toBytes();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public String program() {
        return Programs.write(profile);
    }

    @Override
    public long steps() {
        return heap.steps() + slots.events() - firstSteps;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        // A completion's record, a request, a buffer to mark, and a batch of stores.
        return 2 * slots.pagesMax() + 1 + HeapWriter.BATCH_STEPS;
    }

    @Override
    public Outcome run(GuestContext context) {
        var memory = context.memory();
        if (!booted) {
            booted = true;
            slots.boot(context);
            heap.boot(context.guestNs());
            ioDueNs = context.guestNs();
        }
        slots.start(memory);
        while (true) {
            var nowNs = context.guestNs();
            var worked = slots.poll(memory);
            worked |= slots.detachNext(memory);
            worked |= doesIo && issue(context, nowNs);
            worked |= heap.run(memory, nowNs);
            if (!worked || context.shouldYield()) {
                slots.ring(context);
                return worked ? Outcome.BUSY : waiting(nowNs);
            }
        }
    }

    private Outcome waiting(long nowNs) {
        // A request that is due found its place taken: then it waits for a completion, too.
        var isIssuing = doesIo && ioDueNs > nowNs && slots.hasFree();
        var wakeNs = Math.min(heap.wakeNs(), isIssuing ? ioDueNs : Long.MAX_VALUE);
        return wakeNs == Long.MAX_VALUE
                ? Outcome.WAIT_FOR_INTERRUPT
                : new Outcome.WaitUntil(wakeNs);
    }

    /** Submits a request if one is due and a slot is free, or resets a disk. */
    private boolean issue(GuestContext context, long nowNs) {
        if (nowNs < ioDueNs) {
            return false;
        }
        if (profile.resetEvery() > 0 && requestsToReset == 0) {
            requestsToReset = profile.resetEvery();
            slots.reset(context, (int) Mix.scale(draw(), blueprint.layout().diskCount()));
            return true;
        }
        if (!slots.hasFree()) {
            return false;
        }
        for (int i = 0; i < PLACES_TRIED_MAX; i++) {
            if (tryIssue(context.memory())) {
                requestsToReset--;
                // Held up, it catches up by what fits in flight, and forgets the rest.
                ioDueNs =
                        Math.max(ioDueNs, nowNs - ioIntervalNs * profile.ioDepth()) + ioIntervalNs;
                return true;
            }
        }
        return false;
    }

    private boolean tryIssue(GuestMemory memory) {
        var kind = drawKind();
        var disk = (int) Mix.scale(draw(), blueprint.layout().diskCount());
        if (kind == IoKind.FLUSH) {
            slots.submit(memory, kind, disk, 0, 0, false, GuestLayout.SHAPE_PLAIN);
            return true;
        }
        var diskSectors = blueprint.diskSectors().get(disk);
        var place = draw();
        var isHot = Mix.scale(place, 100) < profile.hotDiskPercent();
        var area = isHot ? Math.min(profile.hotDiskSectors(), diskSectors) : diskSectors;
        var isSmall = (place >>> 60) != 0; // 15 of 16
        int sectorCount = (int) Math.min(area, isSmall
                ? Math.min(SMALL_SECTORS, profile.requestSectorsMax())
                : 1 + Mix.scale(draw(), profile.requestSectorsMax()));
        // Small ones are aligned like the blocks of a file system, the others to nothing.
        var sector = isSmall && area >= SMALL_SECTORS
                ? Mix.scale(draw(), area / SMALL_SECTORS) * SMALL_SECTORS
                : Mix.scale(draw(), area - sectorCount + 1);
        if (!profile.overlapping() && slots.conflicts(kind, disk, sector, sectorCount)) {
            return false;
        }
        var extras = draw();
        var fua = kind != IoKind.READ && Mix.scale(extras, 100) < profile.fuaPercent();
        var shape = profile.scattered() ? (int) (extras >>> 62) : GuestLayout.SHAPE_PLAIN;
        slots.submit(memory, kind, disk, sector, sectorCount, fua, shape);
        return true;
    }

    private IoKind drawKind() {
        var at = Mix.scale(draw(), weightSum) - profile.readWeight();
        if (at < 0) {
            return IoKind.READ;
        }
        at -= profile.writeWeight();
        if (at < 0) {
            return IoKind.WRITE;
        }
        at -= profile.flushWeight();
        if (at < 0) {
            return IoKind.FLUSH;
        }
        return at < profile.discardWeight() ? IoKind.DISCARD : IoKind.WRITE_ZEROES;
    }

    private long draw() {
        return Mix.at(choiceSeed, ++draws);
    }
}
