package io.tintype.vm;

import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.PendingSet;
import java.util.List;

/**
 * Hears of every pure step that the actors of a VM take, with all that went into it and came out of it: enough to take the same
 * steps again without the actors. Called by the strand of the VM, before the outputs are carried out.
 */
public interface CoreProbe {
    /**
     * A step was taken.
     *
     * @param actor whose core it is; only its identity means something
     */
    void stepped(Object actor, CoreStep step);

    /** A step of one of the three cores. */
    sealed interface CoreStep {
        /** The core before the step. */
        Object before();

        /** The core after it. */
        Object next();

        /** What the actor was told to do. */
        List<?> outputs();

        /** Takes the step again, from {@code core}, which is of the same kind as {@link #before}. */
        Again again(Object core);
    }

    /** What a step comes to when it is taken again. */
    record Again(Object next, List<?> outputs) {}

    /**
     * Of a disk's order.
     *
     * @param held what the chain answered while the step was taken, question after question
     */
    record DiskStep(DiskOrder before, DiskOrder.Input input, List<Boolean> held, DiskOrder next,
            List<DiskOrder.Output> outputs) implements CoreStep {
        @Override
        public Again again(Object core) {
            var answers = held.iterator();
            var step = ((DiskOrder) core).step(input, (_, _) -> answers.next());
            return new Again(step.next(), step.outputs());
        }
    }

    /** Of a VM's pending set. */
    record PendingStep(PendingSet before, PendingSet.Input input, PendingSet next,
            List<PendingSet.Output> outputs) implements CoreStep {
        @Override
        public Again again(Object core) {
            var step = ((PendingSet) core).step(input);
            return new Again(step.next(), step.outputs());
        }
    }

    /** Of a checkpoint's phase. */
    record PhaseStep(CheckpointPhase before, CheckpointPhase.Input input, CheckpointPhase next,
            List<CheckpointPhase.Output> outputs) implements CoreStep {
        @Override
        public Again again(Object core) {
            var step = CheckpointPhase.step((CheckpointPhase) core, input);
            return new Again(step.next(), step.outputs());
        }
    }
}
