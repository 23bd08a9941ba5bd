package io.tintype.actors.strand;

import com.typesafe.config.Config;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;
import org.apache.pekko.dispatch.MonitorableThreadFactory;

/** Named in the configuration as the executor of a dispatcher; Pekko creates it. */
public final class StrandConfigurator extends ExecutorServiceConfigurator {
    private final StrandOptions options;

    /** @param config of the dispatcher, with a section {@code strand-executor} */
    public StrandConfigurator(Config config, DispatcherPrerequisites prerequisites) {
        super(config, prerequisites);
        var own = config.getConfig("strand-executor");
        this.options = new StrandOptions(own.getInt("thread-count"), own.getLong("budget-ns"))
                .withHoldMaxNs(own.getLong("hold-max-ns"));
    }

    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory factory) {
        return new ExecutorServiceFactory() {
            @Override
            public ExecutorService createExecutorService() {
                return new StrandExecutor(options, threadName(factory),
                        thread -> setUp(thread, factory));
            }
        };
    }

    private static String threadName(ThreadFactory factory) {
        return factory instanceof MonitorableThreadFactory pekko
                ? pekko.name() + "-strands"
                : "strands";
    }

    private static void setUp(Thread thread, ThreadFactory factory) {
        if (factory instanceof MonitorableThreadFactory pekko) {
            thread.setDaemon(pekko.daemonic());
            thread.setUncaughtExceptionHandler(pekko.exceptionHandler());
            if (pekko.contextClassLoader().isDefined()) {
                thread.setContextClassLoader(pekko.contextClassLoader().get());
            }
        }
    }
}
