package io.tintype.vm.guest;

import java.util.List;

/**
 * The guests there are. A factory with a recorder is for one VM: a VM restored or cloned from it needs a factory of its own,
 * with the same profile and disks, and with another recorder or none.
 */
public final class Guests {
    private Guests() {}

    /** Guests that follow a load profile. */
    public static GuestFactory synthetic(SyntheticProfile profile, List<Long> diskBytes,
            GuestRecorder recorder) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return guest(memory);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                checkKind(kind, SyntheticGuest.KIND);
                return guest(memory).restore(registers);
            }

            private SyntheticGuest guest(GuestMemory memory) {
                return new SyntheticGuest(profile, profile.blueprint(memory.sizeBytes(), diskBytes),
                        recorder);
            }
        };
    }

    /** Guests that replay a recorded trace. */
    public static GuestFactory trace(TraceProfile profile, List<Long> diskBytes,
            GuestRecorder recorder) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return guest(memory);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                checkKind(kind, TraceGuest.KIND);
                return guest(memory).restore(registers);
            }

            private TraceGuest guest(GuestMemory memory) {
                return new TraceGuest(profile, profile.blueprint(memory.sizeBytes(), diskBytes),
                        recorder);
            }
        };
    }

    /** Guests for measurements. */
    public static GuestFactory load(LoadProfile profile, List<Long> diskBytes) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new LoadGuest(profile, memory.sizeBytes(), diskBytes);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                checkKind(kind, LoadGuest.KIND);
                return new LoadGuest(profile, memory.sizeBytes(), diskBytes).restore(registers);
            }
        };
    }

    /**
     * Guests that are made from what a checkpoint says of its own.
     *
     * @param kind {@link Guest#kind} of the guest in the checkpoint
     * @param program {@link Guest#program} of it
     * @throws IllegalArgumentException if there is no such kind, or the program is none of it
     */
    public static GuestFactory stored(String kind, String program, List<Long> diskBytes,
            GuestRecorder recorder) {
        return switch (kind) {
            case SyntheticGuest.KIND ->
                synthetic(Programs.read(program, SyntheticProfile.class), diskBytes, recorder);
            case LoadGuest.KIND -> load(Programs.read(program, LoadProfile.class), diskBytes);
            default -> throw new IllegalArgumentException(
                    "guests of kind " + kind + " cannot be made from a checkpoint alone");
        };
    }

    private static void checkKind(String kind, String kindWanted) {
        if (!kind.equals(kindWanted)) {
            throw new IllegalArgumentException(
                    "these are the registers of a " + kind + " guest, not of a " + kindWanted
                            + " guest");
        }
    }
}
