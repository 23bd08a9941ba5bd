package io.tintype.actors.strand;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.tintype.actors.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.jspecify.annotations.Nullable;
import scala.Function0;
import scala.concurrent.BlockContext;
import scala.concurrent.BlockContext$;
import scala.concurrent.CanAwait;

/**
 * An actor system without threads: nothing happens but what its caller has happen, one message at a time, and time passes when
 * the caller says so.
 *
 * <ul>
 *   <li>{@link #ready} lists which actors have something to handle, {@link #run} has one of them handle one message. Strands,
 *       urgent messages and holds are those of the live executor: what it would never run now is not listed.
 *   <li>The timers of the actors go off in {@link #fireTimer}, on virtual time.
 *   <li>All belongs to the thread that created it. {@link #checkThreads} fails if another one sent a message.
 * </ul>
 *
 * <p>Starting a system costs milliseconds, so a simulation starts one and has each run spawn and stop actors of its own below
 * the root. The system's own actors run at start-up only.
 */
public final class SimulatedSystem<T> implements AutoCloseable {
    /**
     * What Pekko's plug-ins find by the number in their configuration.
     *
     * @param executor of all dispatchers
     * @param timers of the scheduler
     * @param guard of all mailboxes
     */
    record Parts(StrandExecutor executor, VirtualTimers timers, SenderGuard guard) {}

    static final String NUMBER = "tintype.simulation.number";

    private static final String CONFIG =
            """
                    pekko {
                      loggers = []
                      loglevel = OFF
                      stdout-loglevel = OFF
                      use-slf4j = off
                      log-dead-letters = off
                      log-dead-letters-during-shutdown = off
                      daemonic = on
                      jvm-shutdown-hooks = off
                      coordinated-shutdown {
                        run-by-jvm-shutdown-hook = off
                        run-by-actor-system-terminate = off
                        terminate-actor-system = off
                        exit-jvm = off
                      }
                      jvm-exit-on-fatal-error = off
                      scheduler.implementation = "io.tintype.actors.strand.SimulatedScheduler"
                      actor {
                        default-dispatcher = ${tintype.simulated-dispatcher}
                        internal-dispatcher = "pekko.actor.default-dispatcher"
                        # Not aliases: Pekko refuses those here when it checks the configuration.
                        default-blocking-io-dispatcher = ${tintype.simulated-dispatcher}
                        default-mailbox.mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                        typed.default-mailbox.mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                      }
                      persistence.dispatchers {
                        default-plugin-dispatcher = ${tintype.simulated-dispatcher}
                        default-replay-dispatcher = ${tintype.simulated-dispatcher}
                        default-stream-dispatcher = ${tintype.simulated-dispatcher}
                      }
                    }
                    tintype {
                      simulated-dispatcher {
                        type = Dispatcher
                        executor = "io.tintype.actors.strand.SimulatedConfigurator"
                        throughput = 1
                        throughput-deadline-time = 0ms
                        shutdown-timeout = 0ms
                      }
                      blocking-dispatcher = ${tintype.simulated-dispatcher}
                      strand-root-mailbox {
                        mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                        strand-root = on
                      }
                    }
                    """;

    private static final ConcurrentHashMap<Long, Parts> PARTS = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();
    // Longer than any hold in virtual time; a hold that lapses is a mistake in an actor and would hide itself.
    private static final long HOLD_MAX_NS = 10_000_000;

    private final long number = NUMBERS.incrementAndGet();
    private final VirtualTimers timers = new VirtualTimers(this::runningActor);
    private final StrandExecutor executor =
            StrandExecutor.stepping(0, HOLD_MAX_NS, timers::nowNs, Chooser.FIRST);
    private final SenderGuard guard = new SenderGuard();
    private final ArrayList<Ready> ready = new ArrayList<>();
    private final ActorSystem<T> system;
    private @Nullable Ready running;
    private long runs;

    private SimulatedSystem(String name, Behavior<T> root) {
        PARTS.put(number, new Parts(executor, timers, guard));
        var config = ConfigFactory.parseMap(Map.of(NUMBER, number))
                .withFallback(ConfigFactory.parseString(CONFIG))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
        system = BlockContext$.MODULE$.withBlockContext(
                new Draining(), () -> ActorSystem.create(root, name, config));
        stepping(this::drain);
    }

    /** Starts a system on the calling thread, which is its owner from now on. */
    public static <T> SimulatedSystem<T> create(String name, Behavior<T> root) {
        return new SimulatedSystem<>(name, root);
    }

    static Parts parts(Config config) {
        var parts = PARTS.get(config.getLong(NUMBER));
        if (parts == null) {
            throw new IllegalStateException(
                    "there is no simulated system " + config.getLong(NUMBER));
        }
        return parts;
    }

    /** Whoever waits for a message has all messages handled first; otherwise it would wait for ever. */
    private final class Draining implements BlockContext {
        @Override
        public <R> R blockOn(Function0<R> thunk, CanAwait permission) {
            stepping(SimulatedSystem.this::drain);
            return thunk.apply();
        }
    }

    /** The system, for messages to its root. */
    public ActorSystem<T> system() {
        return system;
    }

    /** Virtual time. */
    public Clock clock() {
        return timers::nowNs;
    }

    /** Virtual nanoseconds since the system started. */
    public long nowNs() {
        return timers.nowNs();
    }

    public void advance(long ns) {
        timers.advance(ns);
    }

    /** Has the caller step: cheaper than each run by itself. May be nested. */
    public void stepping(Runnable steps) {
        executor.stepping(steps);
    }

    /** Which runs may be next. The list is valid until the next call of anything here. */
    public List<Ready> ready() {
        ready.clear();
        executor.gather(ready);
        return ready;
    }

    /** Has one of {@link #ready} handle one message; within {@link #stepping}. */
    public void run(Ready one) {
        var before = running;
        running = one;
        runs++;
        try {
            executor.run((StrandEntry) one);
        } finally {
            running = before;
        }
    }

    /** The actor that is running now; empty outside a run. */
    public String runningActor() {
        var now = running;
        return now == null ? "" : now.actor();
    }

    /** From now on {@link #sentAt} knows where in the source each message was sent, which makes sending slow. */
    public void rememberSenders(boolean on) {
        guard.rememberSites(on);
    }

    /** File and line that sent what {@code one} would handle; empty if that was not remembered. */
    public String sentAt(Ready one) {
        return one instanceof StrandMailbox mailbox ? guard.siteOf(mailbox.sentMessage()) : "";
    }

    /** From now on messages are marked when they are sent, see {@link #mark}; forgets older marks. */
    public void markMessages(boolean on) {
        guard.rememberMarks(on);
    }

    /** Messages sent from now on carry {@code newMark}: whatever tells the caller what happens just now. */
    public void mark(Object newMark) {
        guard.mark(newMark);
    }

    /** The mark of what {@code one} would handle; null if it has none. */
    public @Nullable Object markOf(Ready one) {
        return one instanceof StrandMailbox mailbox
                ? guard.markOf(mailbox.sentMessage())
                : null;
    }

    /** Runs since the start. */
    public long runs() {
        return runs;
    }

    /** When the next timer is due; {@code Long.MAX_VALUE} if none is set. */
    public long nextTimerNs() {
        return timers.nextNs();
    }

    /** The actor whose timer is next; null if none is set. */
    public @Nullable String nextTimerOwner() {
        return timers.nextOwner();
    }

    /** The actors whose timers are set, the next one first; one that has several is named several times. */
    public List<String> timerOwners() {
        return timers.owners();
    }

    /** Lets the next timer go off; the clock goes to its time. */
    public void fireTimer() {
        timers.fire();
    }

    /** Lets the next timer of that actor go off, before its time perhaps; false if it has none. */
    public boolean fireTimerOf(String actor) {
        return timers.fireOf(actor);
    }

    /** Handles messages, first come first served, until there are none; within {@link #stepping}. */
    public void drain() {
        drain(_ -> {});
    }

    /** The same, and tells of each run before it. */
    public void drain(Consumer<Ready> before) {
        for (var list = ready(); !list.isEmpty(); list = ready()) {
            var next = list.getFirst();
            before.accept(next);
            run(next);
        }
    }

    /** Forgets all timers: the run that set them is over. */
    public void clearTimers() {
        timers.clear();
    }

    /**
     * Fails if another thread sent a message.
     *
     * @throws IllegalStateException then, with the name of the first
     */
    public void checkThreads() {
        guard.check();
    }

    @Override
    public void close() {
        system.terminate();
        stepping(this::drain);
        PARTS.remove(number);
    }
}
