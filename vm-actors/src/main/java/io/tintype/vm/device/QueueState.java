package io.tintype.vm.device;

import io.tintype.vm.guest.QueueLayout;

/**
 * Settings and indices of a {@link DiskQueue}, which with the memory are all of its state.
 *
 * @param submissionAddress of the {@link QueueLayout}; meaningless if it has no entries
 * @param completionAddress of the {@link QueueLayout}; meaningless if it has no entries
 * @param entryCount of the {@link QueueLayout}; 0 if the guest has not configured the device
 * @param head entries fetched since the last reset, modulo 2^32
 * @param tail entries announced since the last reset, modulo 2^32
 * @param sequence completions written since the last reset
 */
public record QueueState(long submissionAddress, long completionAddress, int entryCount, int head,
        int tail,
        long sequence) {}
