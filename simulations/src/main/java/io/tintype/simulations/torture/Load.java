package io.tintype.simulations.torture;

import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * The guests of a torture: small machines, so that all of each is compared after every kill, and so that writes meet in the same block
 * groups; many flushes, since only what was flushed is promised.
 */
final class Load {
    static final long MEMORY_BYTES = 2L << 20;
    static final List<Long> DISK_BYTES = List.of(4L << 20, 2L << 20);

    private static final int IO_DEPTH = 12;
    private static final long IO_RATE = 1_500;
    private static final long DIRTY_RATE = 30_000;
    private static final int REQUEST_SECTORS_MAX = 32;
    private static final int HOT_PERCENT = 60;
    private static final long HOT_SECTORS = 1_024;

    // In the registers of a synthetic guest, see SyntheticGuest: 24 bytes of header, whether it has booted, its draws.
    private static final int DRAWS_OFFSET = 28;

    private Load() {}

    /** @param seed of one lineage of VMs, each restored from the one before */
    private static SyntheticProfile profile(long seed) {
        return SyntheticProfile.DEFAULTS.withSeed(seed)
                .withDirtyRate(DIRTY_RATE)
                .withIo(IO_DEPTH, IO_RATE)
                .withWeights(30, 48, 8, 5, 5)
                .withRequests(REQUEST_SECTORS_MAX, HOT_PERCENT, HOT_SECTORS);
    }

    static GuestBlueprint blueprint(long seed) {
        return profile(seed).blueprint(MEMORY_BYTES, DISK_BYTES);
    }

    /**
     * Guests of one lineage.
     *
     * @param life of the VM; each does other things from its first instruction on, so that a write that leaks from a life that ended
     *     by a kill is not just what the next one writes
     */
    static GuestFactory guest(long seed, int life, GuestRecorder recorder) {
        var guests = Guests.synthetic(profile(seed), DISK_BYTES, recorder);
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return guests.create(memory);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                var changed = registers.clone();
                var words = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
                words.putLong(DRAWS_OFFSET, words.getLong(DRAWS_OFFSET) + ((long) life << 32));
                return guests.restore(kind, changed, memory);
            }
        };
    }
}
