package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import java.util.List;

/**
 * Load for measurements. A request costs the guest two entries in the rings and, a write, a stamp in its buffer; everything
 * else was laid out at boot. Slot n only uses every {@code ioDepth}-th block of its disk, so requests never share one.
 */
final class LoadGuest implements Guest {
    static final String KIND = "load";

    private static final int WORK_BATCH_STEPS = 16;

    private final LoadProfile profile;
    private final GuestLayout layout;
    private final DiskDriver[] drivers;
    private final long[] blocksOfSlot;
    private final int sectorsOfBlock;
    private final long workAddress;
    private final long workWords;

    // ---- registers, with those of the drivers ----
    private boolean booted;
    private int started;
    private long requests;
    private long work;
    private long value;

    private long firstSteps;

    LoadGuest(LoadProfile profile, long memoryBytes, List<Long> diskBytes) {
        this.profile = profile;
        layout = profile.layout(memoryBytes, diskBytes);
        drivers = new DiskDriver[layout.slotCount() == 0 ? 0 : layout.diskCount()];
        blocksOfSlot = new long[drivers.length];
        sectorsOfBlock = Math.max(1, profile.ioBytes() / QueueLayout.SECTOR_BYTES);
        for (int disk = 0; disk < drivers.length; disk++) {
            drivers[disk] = new DiskDriver(disk, layout.queue(disk));
            blocksOfSlot[disk] =
                    diskBytes.get(disk) / ((long) sectorsOfBlock * QueueLayout.SECTOR_BYTES)
                            / profile.ioDepth();
            if (blocksOfSlot[disk] < 1) {
                throw new IllegalArgumentException(
                        "a disk of " + diskBytes.get(disk) + " bytes is too small for "
                                + profile.ioDepth() + " requests of " + profile.ioBytes()
                                + " bytes in flight");
            }
        }
        workAddress = layout.heap();
        var heapBytes = (long) layout.heapPageCount() * GuestMemory.PAGE_BYTES;
        workWords =
                (profile.workBytes() == 0 ? heapBytes : Math.min(heapBytes, profile.workBytes()))
                        / Long.BYTES;
        var isStoring = profile.work() == LoadProfile.Work.STORE_SEQUENTIAL
                || profile.work() == LoadProfile.Work.STORE_RANDOM;
        if (isStoring && workWords == 0) {
            throw new IllegalArgumentException(
                    "no memory is left to store to: the requests in flight need "
                            + layout.heap() + " of " + memoryBytes + " bytes");
        }
    }

    LoadGuest restore(byte[] bytes) {
        var registers = new RegisterReader(bytes);
        booted = registers.getInt() != 0;
        started = registers.getInt();
        requests = registers.header().events();
        work = registers.header().heapSteps();
        value = registers.getLong();
        for (var driver : drivers) {
            driver.restore(registers);
        }
        registers.end();
        firstSteps = requests + work;
        return this;
    }

    @Override
    public byte[] saveRegisters() {
        var registers = new RegisterWriter(new RegisterHeader(0, requests, work));
        registers.putInt(booted ? 1 : 0);
        registers.putInt(started);
        registers.putLong(value);
        for (var driver : drivers) {
            driver.save(registers);
        }
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
        return requests + work - firstSteps;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        return WORK_BATCH_STEPS + drivers.length * 3 + 4;
    }

    @Override
    public Outcome run(GuestContext context) {
        var memory = context.memory();
        if (!booted) {
            booted = true;
            for (int disk = 0; disk < drivers.length; disk++) {
                context.configureDisk(disk, layout.queue(disk));
            }
        }
        while (true) {
            var worked = start(memory);
            for (int disk = 0; disk < drivers.length; disk++) {
                worked |= turn(memory, disk);
            }
            worked |= work(memory);
            if (!worked || context.shouldYield()) {
                for (var driver : drivers) {
                    driver.ring(context);
                }
                return worked ? Outcome.BUSY : Outcome.WAIT_FOR_INTERRUPT;
            }
        }
    }

    /** Lays out the next slot and submits its first request. */
    private boolean start(GuestMemory memory) {
        if (drivers.length == 0 || started == layout.slotCount()) {
            return false;
        }
        var slot = started++;
        memory.putLong(layout.table(slot), layout.buffer(slot));
        memory.putLong(layout.table(slot) + 8, profile.ioBytes());
        submit(memory, slot % drivers.length, slot);
        return true;
    }

    /** Answers one completion with the next request. */
    private boolean turn(GuestMemory memory, int disk) {
        var completion = drivers[disk].poll(memory);
        if (completion == DiskDriver.NOTHING) {
            return false;
        }
        submit(memory, disk, DiskDriver.tagOf(completion));
        return true;
    }

    private void submit(GuestMemory memory, int disk, int slot) {
        requests++;
        var choices = Mix.at(profile.seed(), requests);
        var block = Mix.scale(choices, blocksOfSlot[disk]) * profile.ioDepth() + slot;
        var isRead = Mix.scale(choices >>> 32, 100) < profile.readPercent();
        if (!isRead) {
            memory.putLong(layout.buffer(slot), requests);
        }
        drivers[disk].submit(memory, isRead ? IoKind.READ : IoKind.WRITE, false, slot,
                block * sectorsOfBlock,
                sectorsOfBlock, layout.table(slot), 1);
    }

    private boolean work(GuestMemory memory) {
        switch (profile.work()) {
            case NONE -> {
                return false;
            }
            case COMPUTE -> {
                var mixed = value;
                for (int i = 0; i < WORK_BATCH_STEPS; i++) {
                    mixed = Mix.mix(mixed + i);
                }
                value = mixed;
            }
            case STORE_SEQUENTIAL -> {
                var at = work % workWords;
                for (int i = 0; i < WORK_BATCH_STEPS; i++) {
                    memory.putLong(workAddress + at * Long.BYTES, work + i);
                    at = at + 1 == workWords ? 0 : at + 1;
                }
            }
            case STORE_RANDOM -> {
                for (int i = 0; i < WORK_BATCH_STEPS; i++) {
                    var word = Mix.scale(Mix.at(profile.seed(), work + i), workWords);
                    memory.putLong(workAddress + word * Long.BYTES, work + i);
                }
            }
        }
        work += WORK_BATCH_STEPS;
        return true;
    }
}
