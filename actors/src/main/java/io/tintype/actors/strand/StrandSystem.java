package io.tintype.actors.strand;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;

/** Starts actor systems whose actors run on strands. Everything they need is in here; no configuration file is read. */
public final class StrandSystem {
    private static final String CONFIG =
            """
                    pekko {
                      loglevel = WARNING
                      stdout-loglevel = OFF
                      log-dead-letters = off
                      log-dead-letters-during-shutdown = off

                      # A library must not keep its user's JVM alive, nor stop it on the way out.
                      daemonic = on
                      jvm-shutdown-hooks = off
                      coordinated-shutdown {
                        run-by-jvm-shutdown-hook = off
                        run-by-actor-system-terminate = off
                        terminate-actor-system = off
                        exit-jvm = off
                      }
                      # A JVM that ran out of memory or lost a class is not to be trusted with anyone's data.
                      jvm-exit-on-fatal-error = on

                      scheduler.tick-duration = 1ms

                      actor {
                        default-dispatcher = ${tintype.strand-dispatcher}
                        internal-dispatcher = "pekko.actor.default-dispatcher"
                        default-mailbox.mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                        typed.default-mailbox.mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                      }
                    }
                    tintype {
                      strand-dispatcher {
                        type = Dispatcher
                        executor = "io.tintype.actors.strand.StrandConfigurator"
                        # One message a run: the strand decides after each what comes next.
                        throughput = 1
                        throughput-deadline-time = 0ms
                        shutdown-timeout = 100ms
                        strand-executor {
                          thread-count = ${tintype.options.thread-count}
                          budget-ns = ${tintype.options.budget-ns}
                          hold-max-ns = ${tintype.options.hold-max-ns}
                        }
                      }
                      blocking-dispatcher {
                        type = Dispatcher
                        executor = "thread-pool-executor"
                        throughput = 1
                        shutdown-timeout = 100ms
                        thread-pool-executor {
                          fixed-pool-size = ${tintype.options.blocking-thread-count}
                          keep-alive-time = 10s
                          allow-core-timeout = on
                        }
                      }
                      strand-root-mailbox {
                        mailbox-type = "io.tintype.actors.strand.StrandMailboxType"
                        strand-root = on
                      }
                    }
                    """;

    private StrandSystem() {}

    /**
     * Starts a system. Its threads are daemons: a program that wants to live as long as the system does waits for
     * {@link ActorSystem#getWhenTerminated()}.
     *
     * @param name of the system and its threads: letters, digits, {@code -} and {@code _}
     * @param root the behavior of {@code /user}, which is alone on its strand
     */
    public static <T> ActorSystem<T> create(String name, Behavior<T> root, StrandOptions options) {
        return create(name, root, options, ConfigFactory.empty());
    }

    /** Like the other, with settings that go before ours, for libraries that need their own. */
    public static <T> ActorSystem<T> create(String name, Behavior<T> root, StrandOptions options,
            Config settings) {
        return ActorSystem.create(root, name, config(options, settings));
    }

    private static Config config(StrandOptions options, Config settings) {
        return settings
                .withFallback(ConfigFactory.parseMap(Map.of(
                        "tintype.options.thread-count", options.threadCount(),
                        "tintype.options.budget-ns", options.budgetNs(),
                        "tintype.options.hold-max-ns", options.holdMaxNs(),
                        "tintype.options.blocking-thread-count", options.blockingThreadCount())))
                .withFallback(ConfigFactory.parseString(CONFIG))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
    }
}
