package io.tintype.vm.guest;

import java.lang.foreign.MemorySegment;

/**
 * A page in which a guest makes up what it writes and looks at what it reads. Nothing in it outlives an instruction, so guests
 * that one thread runs one after another may share it.
 */
public final class GuestScratch {
    final long[] words = new long[GuestMemory.PAGE_BYTES / Long.BYTES];
    final MemorySegment bytes = MemorySegment.ofArray(words);
}
