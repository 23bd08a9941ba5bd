package io.tintype.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A disk of twelve sectors in groups of four, with all its layers in memory, each twice: as written and as durable. Slow,
 * obvious, and without any order of its own: it does what it is told, sector by sector, whenever it is told.
 */
final class TinyDisk {
    static final int SECTORS = 12;
    static final int GROUP_SECTORS = 4;
    /** A sector's cells; that there are two makes a torn one visible. */
    static final int CELLS = 2;

    /** An image file; it stands for the layers {@code first} to {@code last}, more than one after commits. */
    static final class Image {
        final int first;
        int last;
        final Map<Integer, int[]> groups = new TreeMap<>();
        Map<Integer, int[]> durable = new TreeMap<>();

        Image(int layer) {
            first = layer;
            last = layer;
        }

        void sync() {
            durable = copy(groups);
        }

        private static Map<Integer, int[]> copy(Map<Integer, int[]> groups) {
            var copies = new TreeMap<Integer, int[]>();
            groups.forEach((group, cells) -> copies.put(group, cells.clone()));
            return copies;
        }
    }

    /** From the bottom up. */
    final List<Image> images = new ArrayList<>();
    @Nullable
    Image prepared;
    private int nextLayer = 1;

    TinyDisk() {
        var base = new Image(0);
        for (int group = 0; group < SECTORS / GROUP_SECTORS; group++) {
            var cells = new int[GROUP_SECTORS * CELLS];
            for (int i = 0; i < cells.length; i++) {
                cells[i] = TinyHistory.token(TinyHistory.INITIAL,
                        group * GROUP_SECTORS + i / CELLS, i % CELLS);
            }
            base.groups.put(group, cells);
        }
        base.sync();
        images.add(base);
    }

    int top() {
        return images.getLast().last;
    }

    void prepare() {
        if (prepared != null) {
            throw new IllegalStateException("two prepared overlays");
        }
        prepared = new Image(nextLayer++);
    }

    void switchToPrepared() {
        images.add(Objects.requireNonNull(prepared));
        prepared = null;
    }

    int indexOf(int layer) {
        for (int i = 0; i < images.size(); i++) {
            if (images.get(i).first <= layer && layer <= images.get(i).last) {
                return i;
            }
        }
        return -1;
    }

    boolean holds(int layer, long group) {
        int index = indexOf(layer);
        return index >= 0 && images.get(index).groups.containsKey((int) group);
    }

    int cell(int view, int sector, int half) {
        for (int i = images.size() - 1; i >= 0; i--) {
            if (images.get(i).first <= view) {
                var cells = images.get(i).groups.get(sector / GROUP_SECTORS);
                if (cells != null) {
                    return cells[sector % GROUP_SECTORS * CELLS + half];
                }
            }
        }
        throw new IllegalStateException("sector " + sector + " is nowhere");
    }

    /** What a crash now would leave of {@link #cell}. */
    int durableCell(int view, int sector, int half) {
        for (int i = images.size() - 1; i >= 0; i--) {
            if (images.get(i).first <= view) {
                var cells = images.get(i).durable.get(sector / GROUP_SECTORS);
                if (cells != null) {
                    return cells[sector % GROUP_SECTORS * CELLS + half];
                }
            }
        }
        throw new IllegalStateException("sector " + sector + " is durable nowhere");
    }

    /** The layers under this one's image, for a fault. */
    int cellBelow(int layer, int sector, int half) {
        return cell(images.get(indexOf(layer)).first - 1, sector, half);
    }

    int[] cells(int layer, int group) {
        var cells = images.get(indexOf(layer)).groups.get(group);
        if (cells == null) {
            throw new IllegalStateException("layer " + layer + " lacks group " + group);
        }
        return cells;
    }

    void publish(int layer, int group, int[] cells) {
        images.get(indexOf(layer)).groups.put(group, cells);
    }
}
