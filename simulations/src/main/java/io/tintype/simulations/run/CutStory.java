package io.tintype.simulations.run;

import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where the requests went that were pending at the instant of one checkpoint. Times are nanoseconds since the VMs began to run.
 *
 * @param atNs the checkpoint's instant T
 * @param stunNs how long the guest stood still from then on
 * @param requests the cut: all that was issued before T and not delivered at it, in the order of issue
 * @param delayed writes issued after the resume that waited under R8, in the order of issue
 */
public record CutStory(
        String vm, long checkpoint, long atNs, long stunNs, List<Request> requests,
        List<DelayedWrite> delayed) {
    public CutStory {
        requests = List.copyOf(requests);
        delayed = List.copyOf(delayed);
    }

    /**
     * One pending request.
     *
     * @param kind read, write, flush, discard or write-zeroes
     * @param sector first one, of 512 bytes; 0 for a flush
     * @param count of sectors; 0 for a flush
     * @param landedNs when the device was done with it, or null if it never was
     * @param deliveredNs when the running guest got its completion, or null if it never did
     * @param status ok, error, or pending if it never completed
     * @param fate where it went, in words; see {@link #writeFate} and {@link #readFate}
     * @param reissuedPages guest pages whose copies it was paid to as well
     */
    public record Request(
            long ioId,
            String kind,
            int disk,
            long sector,
            int count,
            long issuedNs,
            @Nullable Long landedNs,
            @Nullable Long deliveredNs,
            String status,
            String fate,
            List<Integer> reissuedPages) {
        public Request {
            reissuedPages = List.copyOf(reissuedPages);
        }
    }

    /**
     * A new write that waited for an older one below it in its block group.
     *
     * @param kind write, discard or write-zeroes
     * @param group number of the block group on its disk
     * @param waitedForIoId the pending request it waited for, the last one if there were several
     * @param fromNs when it could have started
     * @param toNs when it did, or null if it never did
     */
    public record DelayedWrite(
            long ioId,
            String kind,
            int disk,
            long sector,
            int count,
            long group,
            long waitedForIoId,
            long fromNs,
            @Nullable Long toNs) {}

    /** In words, where a pending write went whose layer is {@code layer}, under a disk whose new top is {@code top}. */
    public static String writeFate(int layer, int top) {
        return "landed in layer " + layer + ": checkpoint disk, seen by the VM through overlay "
                + top;
    }

    /** In words, where a pending read went that had {@code frames} target frames and was owed to {@code reissuedPages} besides. */
    public static String readFate(int frames, List<Integer> reissuedPages) {
        var landed = "landed in " + (frames == 1 ? "one frozen frame" : frames + " frozen frames");
        if (reissuedPages.isEmpty()) {
            return landed + ", which the VM still shared";
        }
        var pages = reissuedPages.stream().map(String::valueOf).collect(Collectors.joining(", "));
        return landed + "; reissued to copied " + (reissuedPages.size() == 1 ? "page " : "pages ")
                + pages;
    }

    /** How much there is to see in it: of several stories the one with the highest figure is worth showing. */
    public int interest() {
        int kinds = Math.toIntExact(requests.stream().map(Request::kind).distinct().count());
        int reissued = count(request -> !request.reissuedPages().isEmpty());
        int failed = count(request -> !request.status().equals("ok"));
        // Each sight counts for more while it is rare; beyond a screenful, more requests only make the drawing dense.
        return 20 * kinds + 10 * Math.min(reissued, 5) + 10 * Math.min(delayed.size(), 5)
                + 10 * Math.min(failed, 2) + Math.min(requests.size(), 24)
                - Math.max(0, requests.size() - 48);
    }

    private int count(Predicate<Request> which) {
        return Math.toIntExact(requests.stream().filter(which).count());
    }
}
