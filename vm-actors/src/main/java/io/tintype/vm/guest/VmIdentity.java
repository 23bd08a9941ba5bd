package io.tintype.vm.guest;

import java.util.HexFormat;

/**
 * Who a VM is, for a guest that has to know whether it was copied: a device shows it, and it is no part of its memory or
 * registers. A VM keeps it as long as it runs on, through any number of its own checkpoints; a VM that was restored, cloned
 * or rolled back has another one, as with the generation id of hypervisors.
 *
 * @param generationHigh 64 of the 128 bits that no other VM has
 * @param generationLow the others
 * @param randomSeed 64 bits that nobody else knows, to begin a generator of random numbers anew
 */
public record VmIdentity(long generationHigh, long generationLow, long randomSeed) {
    /** The generation id as 32 hexadecimal digits. */
    public String generation() {
        var hex = HexFormat.of();
        return hex.toHexDigits(generationHigh) + hex.toHexDigits(generationLow);
    }
}
