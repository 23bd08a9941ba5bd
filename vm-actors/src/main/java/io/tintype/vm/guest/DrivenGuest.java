package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import java.util.List;

/**
 * A guest whose program arrives step by step from outside, for simulators: it handles its completions, takes the steps that are
 * there, and waits for an interrupt. Its memory, requests and registers are those of the synthetic guest.
 */
public final class DrivenGuest implements Guest {
    /** Where the steps come from; asked on the VM's strand, within a slice. */
    @FunctionalInterface
    public interface Script {
        /** No steps. */
        Script NONE = _ -> false;

        /** Takes one step, if there is one; false if not. */
        boolean step(Cpu cpu);
    }

    /** What a step may do. */
    public interface Cpu {
        /** What the guest's clock shows, in nanoseconds. */
        long guestNs();

        /** Whether there is a free slot: a request may be submitted. */
        boolean maySubmit();

        /** Puts a request into the submission ring; the recorder hears of its slot. */
        void submit(IoKind kind, int disk, long sector, int sectorCount, boolean fua, int shape);

        /** Whether doorbells are rung after the steps; when not, requests stay in the ring, which is memory. */
        void ringing(boolean on);

        /** Stores into page {@code page} of the buffer of a slot, beside the data of a straddling request. */
        void touch(int slot, int page);

        /** Stores into the heap. */
        void storeIntoHeap();

        /** Resets a disk and marks the buffers that the reset took from its reads. */
        void reset(int disk);
    }

    private static final String KIND = "driven";
    private static final int HOT_HEAP_PERCENT = 50;
    private static final int HOT_STORE_PERCENT = 80;

    private final IoSlots slots;
    private final HeapWriter heap;
    private final GuestLayout layout;
    private final int slotCount;
    private final Script script;
    private boolean booted;
    private boolean ringing = true;
    private long turns;

    private DrivenGuest(GuestBlueprint blueprint, GuestRecorder recorder, Script script,
            GuestScratch scratch) {
        this.layout = blueprint.layout();
        this.slotCount = layout.slotCount();
        this.slots = new IoSlots(layout, blueprint.sectors(), recorder, scratch);
        this.heap = new HeapWriter(blueprint.heap(), layout, HeapWriter.UNLIMITED);
        this.script = script;
    }

    /**
     * How these guests use their machines.
     *
     * @param seed of what is written
     * @param slotCount requests in flight at most
     * @param requestSectorsMax longest request
     */
    public static GuestBlueprint blueprint(long seed, long memoryBytes, List<Long> diskBytes,
            int slotCount, int requestSectorsMax) {
        return GuestBlueprint.of(seed, memoryBytes, diskBytes, slotCount, requestSectorsMax,
                HOT_HEAP_PERCENT, HOT_STORE_PERCENT, false);
    }

    /** Makes guests that take their steps from {@code script}. */
    public static GuestFactory factory(GuestBlueprint blueprint, GuestRecorder recorder,
            Script script) {
        return factory(blueprint, recorder, script, new GuestScratch());
    }

    /** The same; the guests, which one thread runs, share {@code scratch} with others. */
    public static GuestFactory factory(GuestBlueprint blueprint, GuestRecorder recorder,
            Script script, GuestScratch scratch) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new DrivenGuest(blueprint, recorder, script, scratch);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                if (!kind.equals(KIND)) {
                    throw new IllegalArgumentException("a guest of kind " + kind + ", not " + KIND);
                }
                var guest = new DrivenGuest(blueprint, recorder, script, scratch);
                var reader = new RegisterReader(registers);
                guest.booted = reader.getInt() != 0;
                guest.heap.restore(reader);
                guest.slots.restore(reader);
                reader.end();
                return guest;
            }
        };
    }

    @Override
    public Outcome run(GuestContext context) {
        turns++;
        var memory = context.memory();
        if (!booted) {
            booted = true;
            slots.boot(context);
            heap.boot(context.guestNs());
        }
        slots.start(memory);
        boolean worked = slots.poll(memory);
        if (!worked) {
            worked = script.step(new Steps(context));
        }
        if (ringing) {
            slots.ring(context);
        }
        return worked ? Outcome.BUSY : Outcome.WAIT_FOR_INTERRUPT;
    }

    private final class Steps implements Cpu {
        private final GuestContext context;

        Steps(GuestContext context) {
            this.context = context;
        }

        @Override
        public long guestNs() {
            return context.guestNs();
        }

        @Override
        public boolean maySubmit() {
            return slots.hasFree();
        }

        @Override
        public void submit(IoKind kind, int disk, long sector, int sectorCount, boolean fua,
                int shape) {
            slots.submit(context.memory(), kind, disk, sector, sectorCount, fua, shape);
        }

        @Override
        public void ringing(boolean on) {
            ringing = on;
        }

        @Override
        public void touch(int slot, int page) {
            long offset = page == 0 ? 0 : GuestMemory.PAGE_BYTES - Long.BYTES;
            context.memory().putLong(
                    layout.buffer(slot) + (long) page * GuestMemory.PAGE_BYTES + offset, turns);
        }

        @Override
        public void storeIntoHeap() {
            heap.run(context.memory(), context.guestNs());
        }

        @Override
        public void reset(int disk) {
            slots.reset(context, disk);
            while (slots.detachNext(context.memory())) {
                // one read after another
            }
        }
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public byte[] saveRegisters() {
        var registers = new RegisterWriter(
                new RegisterHeader(slots.versions(), slots.events(), heap.steps()));
        registers.putInt(booted ? 1 : 0);
        heap.save(registers);
        slots.save(registers);
        return registers.toBytes();
    }

    @Override
    public long steps() {
        return turns;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        // A reset marks the buffers of all slots.
        return 2 * slots.pagesMax() + slotCount * (layout.bufferPages() + 1)
                + HeapWriter.BATCH_STEPS;
    }
}
