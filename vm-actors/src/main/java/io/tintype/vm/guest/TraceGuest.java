package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;

/**
 * Replays a recorded trace, open loop: a request is due at its time, whatever became of those before it. Requests of the
 * trace may share sectors while in flight.
 */
final class TraceGuest implements Guest {
    static final String KIND = "trace";

    private static final Outcome FINISHED = new Outcome.Stopped("the trace was replayed");

    private final TraceProfile profile;
    private final VscsiTrace trace;
    private final IoSlots slots;
    private final HeapWriter heap;

    // ---- registers, with those of slots and heap ----
    private boolean booted;
    private long bootNs;
    private int replayed;

    private long firstSteps;

    TraceGuest(TraceProfile profile, GuestBlueprint blueprint, GuestRecorder recorder) {
        this.profile = profile;
        trace = profile.trace();
        slots = new IoSlots(blueprint.layout(), blueprint.sectors(), recorder);
        heap = new HeapWriter(blueprint.heap(), blueprint.layout(), profile.dirtyRate());
    }

    TraceGuest restore(byte[] bytes) {
        var registers = new RegisterReader(bytes);
        booted = registers.getInt() != 0;
        bootNs = registers.getLong();
        replayed = registers.getInt();
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
        registers.putLong(bootNs);
        registers.putInt(replayed);
        heap.save(registers);
        slots.save(registers);
        return registers.toBytes();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public long steps() {
        return heap.steps() + slots.events() - firstSteps;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        return slots.pagesMax() + 1 + HeapWriter.BATCH_STEPS;
    }

    @Override
    public Outcome run(GuestContext context) {
        var memory = context.memory();
        if (!booted) {
            booted = true;
            slots.boot(context);
            bootNs = context.guestNs();
            heap.boot(bootNs);
        }
        slots.start(memory);
        while (true) {
            var nowNs = context.guestNs();
            var worked = slots.poll(memory);
            worked |= issue(memory, nowNs);
            var isFinished = replayed == trace.requestCount();
            worked |= !isFinished && heap.run(memory, nowNs);
            if (!worked || context.shouldYield()) {
                slots.ring(context);
                if (worked) {
                    return Outcome.BUSY;
                }
                return isFinished && slots.isIdle() ? FINISHED : waiting(isFinished);
            }
        }
    }

    private Outcome waiting(boolean isFinished) {
        if (isFinished) {
            return Outcome.WAIT_FOR_INTERRUPT;
        }
        var wakeNs = Math.min(heap.wakeNs(), slots.hasFree() ? dueNs() : Long.MAX_VALUE);
        return wakeNs == Long.MAX_VALUE
                ? Outcome.WAIT_FOR_INTERRUPT
                : new Outcome.WaitUntil(wakeNs);
    }

    private boolean issue(GuestMemory memory, long nowNs) {
        if (replayed == trace.requestCount() || !slots.hasFree() || nowNs < dueNs()) {
            return false;
        }
        var index = index();
        var kind = trace.isWrite(index) ? IoKind.WRITE : IoKind.READ;
        var shape = replayed & GuestLayout.SHAPE_STRADDLING + GuestLayout.SHAPE_SCATTERED;
        slots.submit(memory, kind, 0, trace.sector(index), trace.sectorCount(index), false, shape);
        replayed++;
        return true;
    }

    private int index() {
        return (int) (((long) profile.start() + replayed) % trace.requestCount());
    }

    private long dueNs() {
        return bootNs + (long) (trace.delayUs(profile.start(), index()) * 1000.0 / profile.speed());
    }
}
