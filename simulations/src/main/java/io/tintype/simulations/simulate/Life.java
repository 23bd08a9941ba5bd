package io.tintype.simulations.simulate;

import io.tintype.simulations.oracle.CrashCheck;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A VM from its start, or from a rollback, to the next rollback: what its guest did, and who knows what it must find. Checkpoints are
 * compared with the life in which they had their T, however long that is over.
 */
final class Life {
    final EventLog log;
    final Oracle oracle;
    final CrashCheck crashCheck;
    /** Whose disks its own begin from; null for one that began with empty disks. */
    final @Nullable Life from;
    /** Where the images of each disk are; empty until the VM is there. */
    final List<String> images = new ArrayList<>();

    Life(EventLog log, Oracle oracle, CrashCheck crashCheck, @Nullable Life from) {
        this.from = from;
        this.log = log;
        this.oracle = oracle;
        this.crashCheck = crashCheck;
    }
}
