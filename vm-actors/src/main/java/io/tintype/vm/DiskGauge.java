package io.tintype.vm;

import java.util.List;

/**
 * What one open disk is like now.
 *
 * @param images where its images are, relative to the store
 * @param depth files that a read of the top may have to ask, its parent's included
 * @param layers all files, also those that only checkpoints need, its parent's included
 * @param heldViews what checkpoints and clones need, ascending
 * @param bytesOnDisk what its own files take
 */
public record DiskGauge(
        String images, int depth, int layers, List<Integer> heldViews, long bytesOnDisk) {
    /** Copies the list. */
    public DiskGauge {
        heldViews = List.copyOf(heldViews);
    }
}
