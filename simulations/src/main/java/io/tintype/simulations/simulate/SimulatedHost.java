package io.tintype.simulations.simulate;

import io.tintype.actors.Clock;
import io.tintype.catalogue.Catalogues;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.cow.memory.FramePool;
import io.tintype.store.StoreException;
import io.tintype.vm.DiskIo;
import io.tintype.vm.HostActor;
import io.tintype.vm.HostOptions;
import io.tintype.vm.HostPorts;
import io.tintype.vm.HostWorld;
import io.tintype.vm.TintypeHost;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;

/** The real host on a simulated machine, from its start until the power fails or the run ends. */
final class SimulatedHost {
    static final Path STORE = Path.of("/sim");
    static final int GROUP_BYTES = 4096;
    // So that a guest of a few dozen pages runs while they are loaded.
    private static final int PAGES_LOADED_AT_ONCE = 3;

    /** Virtual time, the machine's memory, and actors that run when the simulation says so. */
    private final class World implements HostWorld {
        @Override
        public Clock clock() {
            return machine.system().clock();
        }

        @Override
        public InstantSource wall() {
            return () -> Instant.EPOCH.plusNanos(machine.system().nowNs());
        }

        @Override
        public LongSupplier random() {
            return () -> Dice.of(knobs.seed(), actor.path().name(), ++draws);
        }

        @Override
        public Executor loading() {
            return loading;
        }

        @Override
        public int pagesLoadedAtOnce() {
            return PAGES_LOADED_AT_ONCE;
        }

        @Override
        public FramePool frames() {
            return pool;
        }

        @Override
        public ActorRef<HostActor.Command> host() {
            return actor;
        }

        @Override
        public Scheduler scheduler() {
            return machine.system().system().scheduler();
        }

        @Override
        public Executor answers() {
            return Runnable::run;
        }

        @Override
        public void end() {}
    }

    final Power power;
    final SimulatedImages images;
    final SimulatedStoreFiles files;
    final MemoryJournal journal;
    final TintypeHost host;
    private final SimulatedMachine machine;
    private final Knobs knobs;
    private final Executor loading;
    private long draws;
    private boolean stopped;
    private final FramePool pool;
    private final ActorRef<HostActor.Command> actor;

    /**
     * Starts it on storage that may hold something already.
     *
     * @param name of its actor
     */
    SimulatedHost(SimulatedMachine machine, Knobs knobs, String name, SimulatedStoreFiles files,
            MemoryJournal journal, DiskIo diskIo, Executor blocking, Executor saving,
            Executor loading)
            throws StoreException {
        this.machine = machine;
        this.knobs = knobs;
        this.loading = loading;
        this.power = files.power();
        this.images = new SimulatedImages(files);
        this.files = files;
        this.journal = journal;
        this.pool = machine.pool(knobs.heldFrames());
        this.actor = machine.startHost(name);
        var defaults = HostOptions.defaults(STORE);
        var options = new HostOptions(STORE, false, defaults.memoryBytes(), defaults.heldBytesMax(),
                1, 1, 1, Duration.ofNanos(knobs.stepNs()), Duration.ofNanos(knobs.deadlineNs()),
                knobs.chainDepthMax(), Duration.ofMillis(2), knobs.reissue(), knobs.conflict());
        host = TintypeHost.start(options, new HostPorts(knobs.rules(), diskIo, images::at,
                machine.planted(files),
                _ -> blocking, _ -> saving, knobs.ordered(), GROUP_BYTES, World::new,
                store -> Catalogues.inMemoryWithDisks(journal, store,
                        () -> Instant.EPOCH.plusNanos(machine.system().nowNs()))));
    }

    /** Stops what is left of its actors and closes its files; once. */
    void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        machine.stopHost(actor);
        host.closeFiles();
    }
}
