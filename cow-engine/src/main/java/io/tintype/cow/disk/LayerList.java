package io.tintype.cow.disk;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedSet;
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
     * @param flat it holds every group, so that nothing below it is asked
     */
    record Entry(int first, int last, boolean absorbing, boolean flat, LayerImage image) {
        Entry(int first, int last, boolean absorbing, LayerImage image) {
            this(first, last, absorbing, false, image);
        }

        ChainDescriptor.LayerFile toFile() {
            return new ChainDescriptor.LayerFile(first, last, absorbing, flat, image.name());
        }

        Entry from(int lowest) {
            return new Entry(lowest, last, absorbing, flat, image);
        }
    }

    /**
     * What lies below the chain's own files.
     *
     * @param view up to which layer the chain is seen, and held; less than {@code place} says if our own view is
     */
    record Below(ChainDescriptor.Parent place, DiskChain chain, int view) {}

    private final Entry[] entries;
    private final @Nullable Below below;

    /** Index of the highest flat entry; -1 without one. */
    private final int highestFlat;

    LayerList(List<Entry> entries) {
        this(entries.toArray(Entry[]::new), null);
    }

    private LayerList(Entry[] entries, @Nullable Below below) {
        this.entries = entries;
        this.below = below;
        int flat = entries.length - 1;
        while (flat >= 0 && !entries[flat].flat) {
            flat--;
        }
        this.highestFlat = flat;
    }

    /** The same files on a parent; null for none. */
    LayerList on(@Nullable Below parent) {
        return new LayerList(entries, parent);
    }

    /** Null without a parent, or when no file needs one any more. */
    @Nullable
    Below below() {
        return below;
    }

    /** See {@link DiskChain#files}. */
    int files() {
        return entries.length + (below == null ? 0 : below.chain().files());
    }

    /** See {@link DiskChain#firstLayer}. */
    int firstLayer() {
        return below == null ? 0 : below.place().view() + 1;
    }

    /** Whether the entry holds every group, as zeros where it has nothing. */
    boolean isBottom(int index) {
        return entries[index].flat || (index == 0 && below == null);
    }

    int size() {
        return entries.length;
    }

    /** Whether it has fewer files, or lost its parent. */
    boolean isLessThan(LayerList before) {
        return size() < before.size() || (below == null && before.below != null);
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

    /** Index of the highest flat entry that {@code view} sees, below which it sees nothing; -1 without one. */
    int flatAtOrBelow(int view) {
        int flat = highestFlat;
        while (flat >= 0 && !(entries[flat].flat && entries[flat].last <= view)) {
            flat--;
        }
        return flat;
    }

    /**
     * What is left when {@code flat} is put on top of {@code view}, in place of what nobody sees any more. The layers of what
     * goes become the next flat entry's, so that their numbers name nothing.
     *
     * @param flat null to only drop what nobody sees
     * @param held views that must stay
     */
    LayerList pruned(@Nullable Entry flat, SortedSet<Integer> held) {
        var all = new ArrayList<>(List.of(entries));
        if (flat != null) {
            all.add(indexAtOrBelow(flat.last) + 1, flat);
        }
        var candidates = new LayerList(all);
        var seen = new boolean[all.size()];
        candidates.see(Integer.MAX_VALUE, all.size() - 1, seen);
        for (int view : held) {
            candidates.see(view, candidates.indexAtOrBelow(view), seen);
        }
        var kept = new ArrayList<Entry>();
        int dropped = -1;
        for (int i = 0; i < all.size(); i++) {
            var entry = all.get(i);
            if (!seen[i]) {
                dropped = dropped < 0 ? entry.first : dropped;
            } else {
                kept.add(entry.flat && dropped >= 0 ? entry.from(dropped) : entry);
                dropped = -1;
            }
        }
        boolean showsParent = held.stream().anyMatch(view -> candidates.flatAtOrBelow(view) < 0);
        if (below == null || showsParent || !kept.getFirst().flat) {
            return new LayerList(kept.toArray(Entry[]::new), below);
        }
        kept.set(0, kept.getFirst().from(0));
        return new LayerList(kept);
    }

    private void see(int view, int from, boolean[] seen) {
        int bottom = Math.max(0, flatAtOrBelow(view));
        for (int i = from; i >= bottom; i--) {
            seen[i] = true;
        }
    }

    LayerList with(Entry top) {
        var longer = Arrays.copyOf(entries, entries.length + 1);
        longer[entries.length] = top;
        return new LayerList(longer, below);
    }

    LayerList without(LayerImage image) {
        return new LayerList(
                Arrays.stream(entries).filter(entry -> entry.image != image).toArray(Entry[]::new),
                below);
    }

    /** With the entry at {@code index} marked as absorbing the one above it. */
    LayerList absorbing(int index) {
        var marked = entries.clone();
        var entry = entries[index];
        marked[index] = new Entry(entry.first, entry.last, true, entry.flat, entry.image);
        return new LayerList(marked, below);
    }

    /** With the entry at {@code index} in place of itself and the one above it, whose groups it has by now. */
    LayerList absorbed(int index) {
        var fewer = new Entry[entries.length - 1];
        System.arraycopy(entries, 0, fewer, 0, index);
        fewer[index] = new Entry(entries[index].first, entries[index + 1].last, false,
                entries[index].flat, entries[index].image);
        System.arraycopy(entries, index + 2, fewer, index + 1, entries.length - index - 2);
        return new LayerList(fewer, below);
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
