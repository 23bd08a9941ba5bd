package io.tintype.simulations.fleet;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.DiskId;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.run.CutStory;
import io.tintype.vm.IoRequest;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.Guest;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One VM of the fleet with what follows it: its guest's log, the story of its cuts, and where its checkpoints stand. */
final class FleetMember {
    /** What the probe noted of one checkpoint. */
    static final class Noted {
        volatile long atNs = -1;
        volatile int reissued;
        volatile int delayed;
    }

    /** Tells the log and the story teller; on the VM's strand. */
    private final class Probe implements VmProbe {
        private final CutRecorder story;
        // The checkpoint that reissues and delays are counted for: the latest one stunned.
        private @Nullable Noted latest;

        Probe(CutRecorder story) {
            this.story = story;
        }

        @Override
        public void stunned(long checkpoint, Guest guest) {
            log.stunned(checkpoint, guest.saveRegisters());
            var noted = new Noted();
            noted.atNs = System.nanoTime() - beginNs;
            latest = noted;
            checkpoints.put(checkpoint, noted);
            story.stunned(checkpoint, guest);
        }

        @Override
        public void resumed(long checkpoint, long stunNs) {
            story.resumed(checkpoint, stunNs);
        }

        @Override
        public void issued(IoRequest request) {
            story.issued(request);
        }

        @Override
        public void started(DiskId disk, long ioId, int layer, long group, boolean fault) {
            story.started(disk, ioId, layer, group, fault);
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the strand
        public void delayed(DiskId disk, long ioId, long group) {
            var noted = latest;
            if (noted != null) {
                noted.delayed++;
            }
            story.delayed(disk, ioId, group);
        }

        @Override
        public void landed(long ioId, IoStatus status) {
            story.landed(ioId, status);
        }

        @Override
        @SuppressWarnings("NonAtomicVolatileUpdate") // one writer, the strand
        public void reissued(long ioId, int page, int bytes) {
            var noted = latest;
            if (noted != null) {
                noted.reissued++;
            }
            story.reissued(ioId, page, bytes);
        }

        @Override
        public void delivered(long ioId, IoStatus status) {
            story.delivered(ioId, status);
        }

        @Override
        public void detached(long ioId) {
            story.detached(ioId);
        }

        @Override
        public void guestStopped(String reason) {
            stopped = true;
        }
    }

    final int index;
    final String name;
    final EventLog log;
    final Map<Long, Noted> checkpoints = new ConcurrentHashMap<>();
    // Sealed and verified, oldest first; the runner's thread only.
    final ArrayDeque<CheckpointRef> kept = new ArrayDeque<>();
    private final long beginNs;
    private final Probe probe;

    private @Nullable Vm vm;
    long nextDueNs;
    // Begun and not yet sealed or aborted, and sealed but not yet verified; the runner's thread only.
    int inProgress;
    int unverified;
    volatile boolean stopped;

    // For the speed meter; the runner's thread only.
    long lastSteps;
    long lastNs;
    boolean lastInProgress;

    FleetMember(int index, String name, EventLog log, long beginNs, Consumer<CutStory> told) {
        this.index = index;
        this.name = name;
        this.log = log;
        this.beginNs = beginNs;
        this.probe = new Probe(new CutRecorder(name, beginNs, told));
    }

    VmProbe probe() {
        return probe;
    }

    void vm(Vm running) {
        vm = running;
    }

    Vm vm() {
        if (vm == null) {
            throw new IllegalStateException(name + " is not created yet");
        }
        return vm;
    }
}
