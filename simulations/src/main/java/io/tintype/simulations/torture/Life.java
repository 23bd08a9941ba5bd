package io.tintype.simulations.torture;

import io.tintype.actors.CheckpointRef;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.torture.Tape.Fate;
import io.tintype.vm.guest.GuestRecorder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One VM from its start to the kill that ended it, as its tape tells it. */
final class Life {
    final String name;
    final EventLog log;
    final Oracle oracle;
    final Ledger ledger;
    /** Where it came from; null for a new VM. */
    final @Nullable CheckpointRef origin;
    /** Its checkpoints that had their instant T. */
    final Set<Long> cuts = new HashSet<>();
    /** What became of its checkpoints. */
    final Map<Long, EnumSet<Fate>> fates = new HashMap<>();

    Life(String name, EventLog log, Oracle oracle, Ledger ledger, @Nullable CheckpointRef origin) {
        this.name = name;
        this.log = log;
        this.oracle = oracle;
        this.ledger = ledger;
        this.origin = origin;
    }

    /** Follows the tape to its end; nothing when the VM was killed before it had one. */
    void follow(Path tape) throws IOException {
        if (Files.exists(tape)) {
            Tape.read(tape, new Both());
            while (oracle.drain(Integer.MAX_VALUE) == Integer.MAX_VALUE) {
                // As long as there is more.
            }
        }
    }

    boolean was(long checkpoint, Fate fate) {
        var known = fates.get(checkpoint);
        return known != null && known.contains(fate);
    }

    void fate(long checkpoint, Fate fate) {
        fates.computeIfAbsent(checkpoint, _ -> EnumSet.noneOf(Fate.class)).add(fate);
    }

    /** The oracle's log hears all, the ledger what it needs. */
    private final class Both implements Tape.Listener {
        private final GuestRecorder[] both = {log, ledger};

        @Override
        public void submitted(long event, int slot, IoKind kind, int disk,
                long sector, int sectorCount, boolean fua, int version, int shape) {
            for (var recorder : both) {
                recorder.submitted(event, slot, kind, disk, sector, sectorCount, fua, version,
                        shape);
            }
        }

        @Override
        public void completed(long event, int slot, int disk,
                IoStatus status, int[] versions, int versionCount) {
            for (var recorder : both) {
                recorder.completed(event, slot, disk, status, versions, versionCount);
            }
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            log.unexpected(event, disk, tag, status);
        }

        @Override
        public void reset(long event, int disk) {
            log.reset(event, disk);
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            log.overwritten(event, slot, disk);
        }

        @Override
        public void stunned(long checkpoint, byte[] registers) {
            cuts.add(checkpoint);
            log.stunned(checkpoint, registers);
            ledger.stunned(checkpoint, registers);
        }
    }
}
