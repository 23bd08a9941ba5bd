package io.tintype.vm;

import io.tintype.actors.VmId;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.util.List;

/**
 * What a VM is to be.
 *
 * @param id unique on its host
 * @param regionBytes size of each memory region in bytes, multiples of 4,096; at least one
 * @param diskBytes size of each virtual disk in bytes, multiples of a block group; may be empty
 * @param guest makes the guest, new or from saved registers
 */
public record VmSpec(VmId id, List<Long> regionBytes, List<Long> diskBytes, GuestFactory guest) {
    /** Copies the lists and checks that there is memory. */
    public VmSpec {
        regionBytes = List.copyOf(regionBytes);
        diskBytes = List.copyOf(diskBytes);
        if (regionBytes.isEmpty()) {
            throw new IllegalArgumentException(id + " needs a memory region");
        }
    }

    /** Returns a VM with one memory region and one disk. */
    public static VmSpec of(String id, long memoryBytes, long diskBytes, GuestFactory guest) {
        return new VmSpec(new VmId(id), List.of(memoryBytes), List.of(diskBytes), guest);
    }

    /**
     * Returns a VM with one memory region, one disk, and a guest that keeps both busy, as {@link
     * SyntheticProfile#DEFAULTS} says; the seed comes from {@code id}, so that no two write the same.
     */
    public static VmSpec synthetic(String id, long memoryBytes, long diskBytes) {
        var profile = SyntheticProfile.DEFAULTS.withSeed(id.hashCode());
        return of(
                id,
                memoryBytes,
                diskBytes,
                Guests.synthetic(profile, List.of(diskBytes), GuestRecorder.NONE));
    }
}
