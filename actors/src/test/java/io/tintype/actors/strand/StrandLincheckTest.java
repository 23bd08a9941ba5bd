package io.tintype.actors.strand;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.Validate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A strand's inbox and state, without threads of the executor: several threads send messages to two mailboxes of one strand, and
 * whichever of them is told to bring it into the line gives it its turn. Nothing may be left behind, and no two turns overlap.
 */
@Param(name = "mailbox", gen = IntGen.class, conf = "0:1")
public class StrandLincheckTest {
    /** Named by whoever has a turn, asked for nothing. */
    private static final StrandExecutor EXECUTOR =
            StrandExecutor.stepping(1, 1, () -> 0, Chooser.FIRST);

    private final Strand strand = new Strand(null, true);
    private final Mailbox[] mailboxes = {new Mailbox(), new Mailbox()};
    private final AtomicInteger sent = new AtomicInteger();
    /** Counted by who has the turn. */
    private int handled;
    private final AtomicBoolean isRunning = new AtomicBoolean();
    private volatile boolean hasOverlapped;

    /** As Pekko's: due again only after it has run, and once for all messages that came meanwhile. */
    private final class Mailbox extends StrandEntry {
        private final AtomicInteger messages = new AtomicInteger();
        private final AtomicBoolean isScheduled = new AtomicBoolean();
        private volatile @Nullable Runnable due;

        void send() {
            sent.incrementAndGet();
            messages.incrementAndGet();
            schedule();
        }

        private void schedule() {
            if (messages.get() > 0 && isScheduled.compareAndSet(false, true)) {
                due = this::run;
                strand.offer(this);
                giveTurnIfMustLineUp();
            }
        }

        /** One message a run; none if an earlier run had it already. */
        private void run() {
            if (messages.get() > 0) {
                messages.decrementAndGet();
                handled++;
            }
            isScheduled.set(false);
            schedule();
        }

        @Override
        public String actor() {
            return "mailbox";
        }

        @Override
        public @Nullable Object message() {
            return null;
        }

        @Override
        Strand strand() {
            return strand;
        }

        @Override
        boolean isDue() {
            return due != null;
        }

        @Override
        boolean isUrgent() {
            return false;
        }

        @Override
        @Nullable
        Runnable take() {
            var taken = due;
            due = null;
            return taken;
        }
    }

    private void giveTurnIfMustLineUp() {
        if (strand.mustLineUp()) {
            giveTurn();
        }
    }

    /** As {@link StrandExecutor} does it. */
    private void giveTurn() {
        var runner = new StrandRunner(EXECUTOR);
        runner.step(() -> giveTurn(runner));
    }

    private void giveTurn(StrandRunner runner) {
        begin();
        strand.startTurn(0, 1);
        runner.strand = strand;
        while (true) {
            var run = strand.next(Chooser.FIRST);
            if (run != null) {
                run.run();
                continue;
            }
            isRunning.set(false);
            if (strand.rest(0, 1)) {
                runner.strand = null;
                return;
            }
            begin();
        }
    }

    private void begin() {
        if (!isRunning.compareAndSet(false, true)) {
            hasOverlapped = true;
        }
    }

    @Operation
    public void send(@Param(name = "mailbox") int mailbox) {
        mailboxes[mailbox].send();
    }

    @Validate
    public void shouldHaveHandledEverything() {
        if (hasOverlapped) {
            throw new IllegalStateException("two turns at once");
        }
        if (handled != sent.get()) {
            throw new IllegalStateException(handled + " of " + sent.get() + " messages handled");
        }
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().threads(3).actorsPerThread(2).actorsBefore(0).actorsAfter(0)
                .iterations(6).invocationsPerIteration(600).check(StrandLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(4).actorsBefore(0).actorsAfter(0)
                .iterations(30).invocationsPerIteration(1_000).check(StrandLincheckTest.class);
    }
}
