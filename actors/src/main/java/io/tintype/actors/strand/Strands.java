package io.tintype.actors.strand;

import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.MailboxSelector;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.jspecify.annotations.Nullable;

/** What actors say and ask about strands. */
public final class Strands {
    /** The dispatcher for what blocks or is long. */
    public static final String BLOCKING_DISPATCHER = "tintype.blocking-dispatcher";

    static final String ROOT_MAILBOX = "tintype.strand-root-mailbox";

    private Strands() {}

    /**
     * For {@code context.spawn(behavior, name, Strands.root())}: the new actor and all actors below it, at any depth, are
     * one strand. Without it, an actor is on its parent's strand if that has a root, and alone on its own otherwise.
     */
    public static Props root() {
        return MailboxSelector.fromConfig(ROOT_MAILBOX);
    }

    /**
     * For actors that block or compute for long. Such an actor runs on threads of its own kind, so at the same time as the
     * strand it was spawned on, and reaches that one by messages only.
     */
    public static Props blocking() {
        return DispatcherSelector.fromConfig(BLOCKING_DISPATCHER);
    }

    /**
     * From within an actor on a rooted strand: keeps the thread on this strand, however long its turn lasts already, until
     * {@link #endHold}. It lasts at most {@link StrandOptions#holdMaxNs}, and another call begins it anew. If the strand has
     * nothing to run meanwhile, its thread serves others, and the strand comes next when it has.
     *
     * @return false outside a strand, where there is no turn to hold, as in a {@code BehaviorTestKit}
     * @throws IllegalStateException if the actor is alone on its strand: the actors it is about to talk to are elsewhere, and
     *     a hold would not help it
     */
    public static boolean holdTurn() {
        var runner = StrandRunner.here();
        if (runner == null || runner.strand == null) {
            return false;
        }
        if (!runner.strand.isRoot()) {
            throw new IllegalStateException(runner.strand
                    + " holds its turn but has no root; spawn the VM with Strands.root()");
        }
        runner.executor.hold(runner.strand);
        return true;
    }

    /** From within an actor: ends what {@link #holdTurn} began, if it lasts still. */
    public static void endHold() {
        var strand = current();
        if (strand != null) {
            strand.queue().endHold();
        }
    }

    /**
     * From within an actor: runs {@code call}, which may block for a short while, on this thread. Its strand stands still
     * meanwhile, and another thread gives turns to the other strands. Elsewhere, and where strands are stepped, it is just run.
     * For a guest that touches memory which has to be read first: it cannot be left in the middle of an instruction.
     */
    public static <T> T blocking(Supplier<T> call) {
        var runner = StrandRunner.here();
        return runner == null || runner.strand == null
                ? call.get()
                : runner.executor.blocking(call);
    }

    /** The strand that this code runs on; null outside one. */
    public static @Nullable Strand current() {
        var runner = StrandRunner.here();
        return runner == null ? null : runner.strand;
    }

    /** The strand of an actor, also while it runs on the blocking dispatcher; null if it stopped or is not in this process. */
    public static @Nullable Strand of(ActorRef<?> actor) {
        return StrandMailbox.strandOf(Adapter.toClassic(actor));
    }
}
