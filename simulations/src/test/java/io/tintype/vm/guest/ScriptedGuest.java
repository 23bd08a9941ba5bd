package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;

/**
 * A guest that does what a test tells it, one step after another, and else looks for completions. Its memory, its requests and
 * its registers are those of the synthetic guest, so the oracle knows it as well.
 *
 * <p>The test's thread adds steps; the VM's strand executes them.
 */
public final class ScriptedGuest implements Guest {
    /** What a step may do. */
    public interface Cpu {
        /** Puts a request into the submission ring; the recorder hears of its slot. */
        void submit(IoKind kind, int disk, long sector, int sectorCount, boolean fua, int shape);

        /** Whether doorbells are rung after the steps; when not, requests stay in the ring, which is memory. */
        void ringing(boolean on);

        /** Stores beside the data of a straddling request into page 0 or 1 of its buffer: a COW fault, if it is frozen. */
        void touch(int slot, int page);

        /** Sixteen stores into the heap. */
        void storeIntoHeap();

        /** Resets a disk and marks the buffers that the reset took from its reads. */
        void reset(int disk);
    }

    private static final String KIND = "scripted";
    private static final long POLL_NS = 300_000;
    private static final int SLOT_COUNT = 16;
    private static final int REQUEST_SECTORS_MAX = 256;

    private final IoSlots slots;
    private final HeapWriter heap;
    private final GuestLayout layout;
    private final ConcurrentLinkedQueue<Consumer<Cpu>> steps;
    private boolean booted;
    private boolean ringing = true;
    private long turns;

    private ScriptedGuest(GuestBlueprint blueprint, GuestRecorder recorder,
            ConcurrentLinkedQueue<Consumer<Cpu>> steps) {
        this.layout = blueprint.layout();
        this.slots = new IoSlots(layout, blueprint.sectors(), recorder);
        this.heap = new HeapWriter(blueprint.heap(), layout, HeapWriter.UNLIMITED);
        this.steps = steps;
    }

    /** How these guests use their machines. */
    public static GuestBlueprint blueprint(long memoryBytes, List<Long> diskBytes) {
        return GuestBlueprint.of(1, memoryBytes, diskBytes, SLOT_COUNT, REQUEST_SECTORS_MAX, 10,
                90, false);
    }

    /** Makes guests that take their steps from {@code steps}. */
    public static GuestFactory factory(List<Long> diskBytes, GuestRecorder recorder,
            ConcurrentLinkedQueue<Consumer<Cpu>> steps) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new ScriptedGuest(blueprint(memory.sizeBytes(), diskBytes), recorder, steps);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                var guest = new ScriptedGuest(blueprint(memory.sizeBytes(), diskBytes), recorder,
                        steps);
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
        var step = steps.poll();
        if (step != null) {
            step.accept(new Steps(context));
        }
        if (ringing) {
            slots.ring(context);
        }
        return worked || step != null
                ? Outcome.BUSY
                : new Outcome.WaitUntil(context.guestNs() + POLL_NS);
    }

    private final class Steps implements Cpu {
        private final GuestContext context;

        Steps(GuestContext context) {
            this.context = context;
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
        return 2 * slots.pagesMax() + SLOT_COUNT * (layout.bufferPages() + 1)
                + HeapWriter.BATCH_STEPS;
    }
}
