package io.tintype.cow.disk;

import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Bounds the file descriptors of all image files of a host: an image that was not used lately is closed, and opened again
 * when it is. A long chain on each of many disks would otherwise run out of them. The bound is soft: files in use stay open.
 */
public final class OpenFiles {
    /** Well below the 1024 that a process often may have, sockets and the store's files being the rest. */
    public static final int FILES_MAX_DEFAULT = 512;

    /** How many candidates are looked at for each file opened. */
    private static final int LOOKS_MAX = 16;

    private static final OpenFiles SHARED = new OpenFiles(FILES_MAX_DEFAULT);

    private final int filesMax;
    private final AtomicInteger count = new AtomicInteger();

    /** Those open, longest unlooked-at first; also some closed since. */
    private final ConcurrentLinkedDeque<FileImage> candidates = new ConcurrentLinkedDeque<>();

    public OpenFiles(int filesMax) {
        this.filesMax = filesMax;
    }

    /** The one for who does not bring their own. */
    public static OpenFiles shared() {
        return SHARED;
    }

    /** How many are open now. */
    public int count() {
        return count.get();
    }

    void opened(FileImage file) {
        candidates.addLast(file);
        if (count.incrementAndGet() > filesMax) {
            // One with nothing to sync first: an error that the kernel meets while it writes back is surely told to a
            // descriptor that was open then, and to a later one only while the kernel remembers the file.
            if (!closeOne(false)) {
                closeOne(true);
            }
        }
    }

    void closed() {
        count.decrementAndGet();
    }

    void forget(FileImage file) {
        candidates.remove(file);
    }

    private boolean closeOne(boolean evenUnsynced) {
        for (int looks = 0; looks < LOOKS_MAX; looks++) {
            var candidate = candidates.pollFirst();
            if (candidate == null) {
                return false;
            }
            if (candidate.closeIfIdle(evenUnsynced)) {
                return true;
            }
            candidates.addLast(candidate);
        }
        return false;
    }
}
