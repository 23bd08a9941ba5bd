package io.tintype.simulations.fleet;

import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.RunOptions;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.Mix;
import io.tintype.vm.guest.SyntheticProfile;
import io.tintype.vm.guest.TraceException;
import io.tintype.vm.guest.TraceProfile;
import io.tintype.vm.guest.VscsiTrace;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes the guests that a run asks for: the same for a VM and for those restored from it, but for the recorder. */
final class Guesthouse {
    // Requests of the whole fleet a second: what two cores serve from files with as much to checkpoint and verify beside it.
    private static final long FLEET_IO_PER_SECOND = 20_000;
    // The rest is spread over all of the memory: 64 VMs at 20,000 stores a second touch 26,000 fresh pages a second. With more
    // of them a fleet's first minute would measure how fast the host hands out memory.
    private static final int HOT_STORE_PERCENT = 98;
    private static final long VM_IO_PER_SECOND_MIN = 100;
    private static final long VM_IO_PER_SECOND_MAX = 5_000;

    private final RunOptions options;
    private final List<Long> diskBytes;
    private final @Nullable VscsiTrace trace;

    /** Reads the trace, if one is to be replayed. */
    Guesthouse(RunOptions options) throws TraceException {
        this.options = options;
        this.diskBytes = Collections.nCopies(options.disks(), options.diskSizeBytes());
        this.trace = trace(options);
    }

    static @Nullable VscsiTrace trace(RunOptions options) throws TraceException {
        var file = options.trace();
        return options.guest() == GuestKind.TRACE && file != null ? VscsiTrace.read(file) : null;
    }

    List<Long> diskBytes() {
        return diskBytes;
    }

    GuestBlueprint blueprint(int index) {
        return trace == null
                ? synthetic(index).blueprint(options.memoryBytes(), diskBytes)
                : replay(trace, index).blueprint(options.memoryBytes(), diskBytes);
    }

    GuestFactory guest(int index, GuestRecorder recorder) {
        return trace == null
                ? Guests.synthetic(synthetic(index), diskBytes, recorder)
                : Guests.trace(replay(trace, index), diskBytes, recorder);
    }

    private SyntheticProfile synthetic(int index) {
        long ioPerSecond = Math.clamp(FLEET_IO_PER_SECOND / options.vms(), VM_IO_PER_SECOND_MIN,
                VM_IO_PER_SECOND_MAX);
        return SyntheticProfile.DEFAULTS.withSeed(Mix.at(options.seed(), index))
                .withDirtyRate(dirtyRate())
                .withHotStores(HOT_STORE_PERCENT)
                .withIo(options.ioDepth(), ioPerSecond);
    }

    private long dirtyRate() {
        return options.dirtyPerSecond() == RunOptions.UNLIMITED
                ? SyntheticProfile.UNLIMITED
                : options.dirtyPerSecond();
    }

    private TraceProfile replay(VscsiTrace of, int index) {
        var profile = TraceProfile.ofVm(of, options.speed(), index, options.vms(), options.seed(),
                dirtyRate());
        return new TraceProfile(of, profile.speed(), profile.start(), options.ioDepth(),
                profile.seed(),
                profile.dirtyRate(), profile.hotHeapPercent(), profile.hotStorePercent());
    }
}
