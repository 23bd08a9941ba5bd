package io.tintype.actors.strand;

import com.typesafe.config.Config;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.dispatch.DispatcherPrerequisites;
import org.apache.pekko.dispatch.ExecutorServiceConfigurator;
import org.apache.pekko.dispatch.ExecutorServiceFactory;

/** Named as the executor of every dispatcher of a simulated system; all of them are one executor, which has no thread. */
public final class SimulatedConfigurator extends ExecutorServiceConfigurator {
    private final SimulatedSystem.Parts parts;

    /** As Pekko wants it. */
    public SimulatedConfigurator(Config config, DispatcherPrerequisites prerequisites) {
        super(config, prerequisites);
        this.parts = SimulatedSystem.parts(prerequisites.settings().config());
    }

    @Override
    public ExecutorServiceFactory createExecutorServiceFactory(String id, ThreadFactory factory) {
        return new ExecutorServiceFactory() {
            @Override
            public ExecutorService createExecutorService() {
                return parts.executor();
            }
        };
    }
}
