package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.util.Iterator;
import java.util.LinkedHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the newest checkpoints show where, so that the next one of each VM need not read an index to
 * find contents that are stored already. Those used least recently go first. Any thread.
 */
final class ContentCache {
    private record Key(CheckpointRef ref, int region) {}

    /** A 32nd of the heap: at 16 to 32 bytes a page, the index of some 300 times as much memory. */
    private final long bytesMax = Math.max(16L << 20, Runtime.getRuntime().maxMemory() / 32);
    private final LinkedHashMap<Key, PageContents> kept = new LinkedHashMap<>(16, 0.75f, true);
    private long bytes;

    /** Not to be changed. */
    synchronized @Nullable PageContents get(CheckpointRef ref, int region) {
        return kept.get(new Key(ref, region));
    }

    /** Nobody changes {@code contents} from now on. */
    synchronized void put(CheckpointRef ref, int region, PageContents contents) {
        PageContents old = kept.put(new Key(ref, region), contents);
        bytes += contents.bytes() - (old == null ? 0 : old.bytes());
        Iterator<PageContents> oldest = kept.values().iterator();
        while (bytes > bytesMax && oldest.hasNext()) {
            bytes -= oldest.next().bytes();
            oldest.remove();
        }
    }

    synchronized void remove(CheckpointRef ref) {
        kept.entrySet().removeIf(entry -> {
            boolean gone = entry.getKey().ref().equals(ref);
            bytes -= gone ? entry.getValue().bytes() : 0;
            return gone;
        });
    }
}
