package io.tintype.actors.strand;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The executor with its threads, without Pekko. */
@Timeout(60)
class StrandExecutorTest {
    private final ConcurrentLinkedQueue<Throwable> uncaught = new ConcurrentLinkedQueue<>();
    private final StrandExecutor executor = new StrandExecutor(
            StrandOptions.defaults().withThreadCount(4), "test", thread -> {
                thread.setDaemon(true);
                thread.setUncaughtExceptionHandler((_, thrown) -> uncaught.add(thrown));
            });

    @AfterEach
    void shutDown() {
        executor.shutdown();
    }

    @Test
    void shouldWakeExactlyOneThreadForOneStrand() throws InterruptedException {
        startAllThreads();
        long before = executor.wakeUps();

        for (int i = 1; i <= 100; i++) {
            runOne();
            await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1))
                    .until(() -> executor.idleThreads() == 4);
            assertEquals(before + i, executor.wakeUps());
        }
    }

    @Test
    void shouldParkThreadsThatHaveNothingToDo() throws InterruptedException {
        startAllThreads();

        await().untilAsserted(() -> assertTrue(executor.threads().stream()
                .allMatch(thread -> thread.getState() == Thread.State.WAITING)));
    }

    @Test
    void shouldParkAlsoAfterARunLeftTheThreadInterrupted() throws InterruptedException {
        startAllThreads();

        executor.execute(() -> Thread.currentThread().interrupt());

        await().untilAsserted(() -> assertTrue(executor.threads().stream()
                .allMatch(thread -> thread.getState() == Thread.State.WAITING
                        && !thread.isInterrupted())));
    }

    @Test
    void shouldOutliveWhateverARunThrows() throws InterruptedException {
        startAllThreads();
        var threads = executor.threads();
        var thrown = List.of(new IllegalStateException("a"), new LinkageError("b"),
                new StackOverflowError("c"));

        for (var each : thrown) {
            executor.execute(() -> throwUnchecked(each));
        }
        await().until(() -> uncaught.size() == 3);
        for (int i = 0; i < 100; i++) {
            runOne();
        }

        assertTrue(uncaught.containsAll(thrown));
        assertEquals(threads, executor.threads());
        assertTrue(threads.stream().allMatch(Thread::isAlive));
    }

    @Test
    void shouldGoOnWithAStrandAfterOneOfItsRunsThrew() throws InterruptedException {
        var strand = new Strand(null, true);
        var done = new CountDownLatch(1);

        executor.offer(strand, new StrandTask(() -> throwUnchecked(new LinkageError("a"))));
        executor.offer(strand, new StrandTask(done::countDown));

        assertTrue(done.await(30, TimeUnit.SECONDS));
    }

    @Test
    void shouldNeverRunTwoEntriesOfAStrandAtOnceNorLoseOne() throws InterruptedException {
        int senders = 4;
        int entriesEach = 50_000;
        var strands =
                List.of(new Strand(null, true), new Strand(null, true), new Strand(null, true));
        var inside =
                new AtomicInteger[] {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
        // Plain on purpose: it comes out right only if each run sees what the last one wrote.
        var counts = new long[3 * 16];
        var overlaps = new AtomicInteger();
        var left = new CountDownLatch(senders * entriesEach);

        var sending = new Thread[senders];
        for (int sender = 0; sender < senders; sender++) {
            int first = sender;
            sending[sender] = new Thread(() -> {
                for (int i = 0; i < entriesEach; i++) {
                    int to = (first + i) % 3;
                    executor.offer(strands.get(to), new StrandTask(() -> {
                        if (inside[to].getAndIncrement() != 0) {
                            overlaps.incrementAndGet();
                        }
                        counts[to * 16]++;
                        inside[to].decrementAndGet();
                        left.countDown();
                    }));
                }
            });
            sending[sender].start();
        }
        for (var thread : sending) {
            thread.join();
        }

        assertTrue(left.await(30, TimeUnit.SECONDS), left::toString);
        assertEquals(0, overlaps.get());
        assertEquals((long) senders * entriesEach, counts[0] + counts[16] + counts[32]);
    }

    @Test
    void shouldNotLoseAStrandThatRestsAndIsNeededAgainAllTheTime() throws InterruptedException {
        int tokens = 3;
        var strands = new Strand[7];
        Arrays.setAll(strands, _ -> new Strand(null, true));
        var arrived = new CountDownLatch(tokens);
        for (int token = 1; token <= tokens; token++) {
            passOn(strands, token, 100_000, arrived);
        }

        assertTrue(arrived.await(50, TimeUnit.SECONDS), arrived::toString);
    }

    /** A token that goes from strand to strand, most of which rest. */
    private void passOn(Strand[] strands, int token, int hopsLeft, CountDownLatch arrived) {
        if (hopsLeft == 0) {
            arrived.countDown();
            return;
        }
        executor.offer(strands[hopsLeft * token % strands.length],
                new StrandTask(() -> passOn(strands, token, hopsLeft - 1, arrived)));
    }

    @Test
    void shouldLetSeveralStrandsRunAtOnce() throws InterruptedException {
        runOneOnEachThread();
    }

    /** Returns when four runs have met. */
    private void runOneOnEachThread() throws InterruptedException {
        var meeting = new CountDownLatch(4);
        var met = new CountDownLatch(4);
        for (int i = 0; i < 4; i++) {
            executor.execute(() -> {
                meeting.countDown();
                awaitUnchecked(meeting);
                met.countDown();
            });
        }

        assertTrue(met.await(30, TimeUnit.SECONDS));
    }

    @Test
    void shouldRunWhatWaitsBeforeItShutsDownAndRefuseTheRest() throws InterruptedException {
        var ran = new AtomicInteger();
        for (int i = 0; i < 1_000; i++) {
            executor.execute(ran::incrementAndGet);
        }

        executor.shutdown();
        assertThrows(RejectedExecutionException.class, () -> executor.execute(() -> {}));

        assertTrue(executor.awaitTermination(30, TimeUnit.SECONDS));
        assertEquals(1_000, ran.get());
        assertTrue(executor.threads().stream().noneMatch(Thread::isAlive));
    }

    @Test
    void shouldServeAStrandElsewhereThatWasRefused() throws InterruptedException {
        var strand = new Strand(null, true);
        var entry = new StrandTask(() -> {});
        var done = new CountDownLatch(1);
        var gone = new StrandExecutor(StrandOptions.defaults(), "gone", _ -> {});
        gone.shutdown();
        assertThrows(RejectedExecutionException.class, () -> gone.offer(strand, entry));

        executor.offer(strand, new StrandTask(done::countDown));

        assertTrue(done.await(30, TimeUnit.SECONDS));
        assertFalse(entry.isDue());
    }

    /** One run on each of the four threads at once, then all are idle. */
    @Test
    void shouldGiveTurnsInPlaceOfRunsThatBlock() throws InterruptedException {
        startAllThreads();
        var blocking = new CountDownLatch(20);
        var goOn = new CountDownLatch(1);
        for (int i = 0; i < 20; i++) {
            executor.execute(() -> executor.blocking(() -> {
                blocking.countDown();
                awaitQuietly(goOn);
                return 0;
            }));
        }
        assertTrue(blocking.await(30, TimeUnit.SECONDS));

        runOne();

        goOn.countDown();
        var atOnce = new AtomicInteger();
        var atOnceMax = new AtomicInteger();
        var left = new CountDownLatch(2000);
        await().until(() -> executor.idleThreads() == executor.threads().size());
        for (int i = 0; i < 2000; i++) {
            executor.execute(() -> {
                atOnceMax.accumulateAndGet(atOnce.incrementAndGet(), Math::max);
                Thread.onSpinWait();
                atOnce.decrementAndGet();
                left.countDown();
            });
        }
        assertTrue(left.await(30, TimeUnit.SECONDS));
        assertTrue(atOnceMax.get() <= 4, () -> "at once: " + atOnceMax.get());
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void startAllThreads() throws InterruptedException {
        runOneOnEachThread();
        await().until(() -> executor.idleThreads() == 4);
    }

    private void runOne() throws InterruptedException {
        var done = new CountDownLatch(1);
        executor.execute(done::countDown);
        assertTrue(done.await(30, TimeUnit.SECONDS));
    }

    private static void awaitUnchecked(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void throwUnchecked(Throwable thrown) {
        if (thrown instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) thrown;
    }
}
