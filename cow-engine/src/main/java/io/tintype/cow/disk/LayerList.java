package io.tintype.cow.disk;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The files of a chain, lowest layer first, as of one moment: immutable, so that a reader works on one while a commit puts
 * another in its place.
 */
final class LayerList {
    /**
     * One file.
     *
     * @param first lowest layer in it
     * @param last highest layer in it
     * @param absorbing a commit into it began: it cannot be seen as of {@code last} any more
     */
    record Entry(int first, int last, boolean absorbing, LayerImage image) {
        ChainDescriptor.LayerFile toFile() {
            return new ChainDescriptor.LayerFile(first, last, absorbing, image.name());
        }
    }

    private final Entry[] entries;

    LayerList(List<Entry> entries) {
        this.entries = entries.toArray(Entry[]::new);
    }

    private LayerList(Entry[] entries) {
        this.entries = entries;
    }

    int size() {
        return entries.length;
    }

    Entry get(int index) {
        return entries[index];
    }

    List<Entry> toList() {
        return List.of(entries);
    }

    List<ChainDescriptor.LayerFile> toFiles() {
        return Arrays.stream(entries).map(Entry::toFile).toList();
    }

    /** Index of the highest entry that begins at or below {@code layer}; -1 if all begin above it. */
    int indexAtOrBelow(int layer) {
        int high = entries.length - 1;
        // The newest layers are asked for most.
        for (int tries = 0; tries < 3 && high >= 0; tries++, high--) {
            if (entries[high].first <= layer) {
                return high;
            }
        }
        int low = 0;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (entries[middle].first <= layer) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** Index of the entry that has {@code layer}; -1 if none has. */
    int indexOf(int layer) {
        int index = indexAtOrBelow(layer);
        return index >= 0 && layer <= entries[index].last ? index : -1;
    }

    LayerList with(Entry top) {
        var longer = Arrays.copyOf(entries, entries.length + 1);
        longer[entries.length] = top;
        return new LayerList(longer);
    }

    LayerList without(LayerImage image) {
        return new LayerList(
                Arrays.stream(entries).filter(entry -> entry.image != image).toArray(Entry[]::new));
    }

    /** With the entry at {@code index} marked as absorbing the one above it. */
    LayerList absorbing(int index) {
        var marked = entries.clone();
        var entry = entries[index];
        marked[index] = new Entry(entry.first, entry.last, true, entry.image);
        return new LayerList(marked);
    }

    /** With the entry at {@code index} in place of itself and the one above it, whose groups it has by now. */
    LayerList absorbed(int index) {
        var fewer = new Entry[entries.length - 1];
        System.arraycopy(entries, 0, fewer, 0, index);
        fewer[index] = new Entry(entries[index].first, entries[index + 1].last, false,
                entries[index].image);
        System.arraycopy(entries, index + 2, fewer, index + 1, entries.length - index - 2);
        return new LayerList(fewer);
    }

    /** Whether the disk can be seen as of {@code view}, as far as these files are asked. */
    boolean isVisible(int view) {
        int index = indexAtOrBelow(view);
        if (index < 0) {
            return true;
        }
        boolean hasNext = index + 1 < entries.length;
        return entries[index].last <= view && !(entries[index].absorbing && hasNext);
    }

    /** The same of a chain on disk, with the reason; null if it can be seen. */
    static @Nullable String whyNotVisible(List<ChainDescriptor.LayerFile> files, int view) {
        for (int i = 0; i < files.size(); i++) {
            var file = files.get(i);
            if (file.first() <= view && view < file.last()) {
                return "layers " + file.first() + " to " + file.last()
                        + " were committed into one file, "
                        + file.name();
            }
            boolean belowNext = i + 1 < files.size() && view < files.get(i + 1).last();
            if (file.absorbing() && file.last() <= view && belowNext) {
                return "a commit into its file, " + file.name() + ", has begun";
            }
        }
        return null;
    }
}
