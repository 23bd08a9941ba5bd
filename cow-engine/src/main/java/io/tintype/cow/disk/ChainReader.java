package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Finds the groups of a chain, and reads them. The <em>merged index</em> says for each group which is the highest layer that holds
 * it. It names layers, not files, so a commit, which only changes which file has a layer, need not touch it.
 */
final class ChainReader {
    private final ChainState state;
    private final GroupTable merged = new GroupTable();

    ChainReader(ChainState state) {
        this.state = state;
        mergeIndices();
    }

    void readGroup(int view, int group, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        for (;;) {
            var list = state.layers();
            try {
                readGroup(list, view, group, offset, target, targetOffset, bytes);
                return;
            } catch (ClosedImageException e) {
                // Committed away between finding the file and reading it: the group is in the file below by now.
                if (!state.isReadOnly() || state.isCopy() || list != state.layers()) {
                    state.checkChanged(list, e);
                } else {
                    reload(list, e);
                }
            }
        }
    }

    private void readGroup(LayerList list, int view, int group, int offset, MemorySegment target,
            long targetOffset, int bytes) throws IOException {
        var below = list.below();
        for (int i = startOf(list, view, group); i >= 0; i--) {
            var entry = list.get(i);
            long value = entry.image().lookup(group);
            if (value == GroupState.ABSENT) {
                if (entry.flat()) {
                    fillZeros(target, targetOffset, bytes);
                    return;
                }
                continue;
            }
            if (entry.last() > view) {
                throw new IllegalArgumentException(
                        state.location() + ": cannot read view " + view
                                + ": layers " + entry.first() + " to " + entry.last() + " are one");
            }
            if (GroupState.isPresent(value)) {
                entry.image().read(group, value, offset, target, targetOffset, bytes);
            } else {
                fillZeros(target, targetOffset, bytes);
            }
            return;
        }
        if (below != null) {
            below.chain().reader().readGroup(Math.min(view, below.view()), group, offset, target,
                    targetOffset, bytes);
        } else {
            fillZeros(target, targetOffset, bytes);
        }
    }

    boolean isZeros(int view, int group) {
        var list = state.layers();
        var below = list.below();
        for (int i = startOf(list, view, group); i >= 0; i--) {
            long value = list.get(i).image().lookup(group);
            if (value != GroupState.ABSENT || list.get(i).flat()) {
                return value == GroupState.ABSENT || GroupState.isZeros(value);
            }
        }
        return below == null || below.chain().reader().isZeros(Math.min(view, below.view()), group);
    }

    /** The highest file that may have the group as of {@code view}; not below a flat one, which has everything. */
    private int startOf(LayerList list, int view, int group) {
        int highest = (int) merged.get(group) - 1;
        return Math.max(list.indexAtOrBelow(Math.min(highest, view)), list.flatAtOrBelow(view));
    }

    private static void fillZeros(MemorySegment target, long offset, int bytes) {
        MemorySegment.copy(Scratch.ZEROS, 0, target, offset, bytes);
    }

    /** Has reads of {@code group} look for it in {@code layer}, too. To be called before the layer has it: until then they find it below. */
    void merge(int group, int layer) {
        synchronized (merged) {
            if (merged.get(group) <= layer) {
                merged.put(group, layer + 1L);
            }
        }
    }

    private void mergeIndices() {
        for (var entry : state.layers().toList()) {
            for (long cell : entry.image().cells()) {
                merge(GroupTable.groupOf(cell), entry.last());
            }
        }
    }

    /** Another instance deleted a file of a chain that is open read-only: finds out which file has its groups now. */
    private void reload(LayerList seen, ClosedImageException cause) throws IOException {
        synchronized (state.structureLock()) {
            if (state.layers() != seen || state.users() == 0) {
                state.checkChanged(seen, cause);
                return;
            }
            for (;;) {
                var descriptor = ChainOpener.readDescriptor(state.directory());
                if (descriptor.generation() == state.generation()) {
                    throw cause;
                }
                state.reread(descriptor.generation());
                ChainOpener.checkVisible(state.directory(), descriptor, state.top());
                var files =
                        descriptor.files().stream().filter(file -> file.first() <= state.top())
                                .toList();
                try {
                    // The merged index stays: a commit changes in which file a layer is, not which layer holds a group.
                    state.setLayers(ChainOpener
                            .openLayers(state.directory(), descriptor, files, false)
                            .on(seen.below()));
                    break;
                } catch (ClosedImageException | DamagedImageException e) {
                    // Either it changed once more, or it is damaged indeed.
                    cause.addSuppressed(e);
                }
            }
            for (var entry : seen.toList()) {
                entry.image().close();
            }
        }
    }

    /** The groups that may have data as of {@code view}: all others are zeros. */
    BitSet groupsWithData(int view) {
        // It grows: most of a large disk is never written.
        var groups = new BitSet();
        addGroupsWithData(view, groups);
        return groups;
    }

    void addGroupsWithData(int view, BitSet groups) {
        var list = state.layers();
        int flat = list.flatAtOrBelow(view);
        var below = list.below();
        if (flat < 0 && below != null) {
            below.chain().reader().addGroupsWithData(Math.min(view, below.view()), groups);
        }
        for (int i = Math.max(0, flat); i < list.size() && list.get(i).first() <= view; i++) {
            for (long cell : list.get(i).image().cells()) {
                groups.set(GroupTable.groupOf(cell),
                        !GroupState.isZeros(GroupTable.valueOf(cell)));
            }
        }
    }
}
