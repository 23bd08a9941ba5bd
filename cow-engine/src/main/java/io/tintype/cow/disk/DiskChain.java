package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SortedSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A virtual disk: a base image, or another disk as of some layer, and overlays on it.
 *
 * <pre>
 *    top ──▶ layer 7      layer-7.img       writes go here; a group it does not hold is read from below
 *            layer 6      layer-6.img       as of a checkpoint: only requests issued before it still write here
 *            layers 0…5   layer-0.img       the base, with overlays 1 to 5 committed into it
 * </pre>
 *
 * <p>Layers are numbered in the order of their creation, from 0. A <em>view</em> is a layer number and means all layers up
 * to it. A clone goes on with the numbers of the chain that it starts from, so a view means the same in both.
 *
 * <ul>
 *   <li>For a group that layer k holds, layers below k are not asked; the bottom holds everything, as zeros where it has
 *       nothing.
 *   <li>A group is held only after all its bytes are in place, the copied ones included; on disk too, whatever crash comes
 *       between.
 *   <li>A layer stays as it is for every view that someone holds ({@link #hold}).
 *   <li>What is read is what was written: each block has a checksum, in the file once it is sealed, and in memory before.
 * </ul>
 *
 * <p>Thread-safe, and nothing waits but for input and output of its own: reads and writes to held groups wait for each
 * other only where a write is under way in the same group, {@link #switchTo}, {@link #hold}, {@link #release} and {@link
 * #holds} never wait for a file. Which of two conflicting requests comes first is for the caller to settle. Positions and
 * lengths are multiples of 512 bytes.
 *
 * <p>A chain may be open for writing once, and read-only any number of times; nothing here enforces that.
 */
public final class DiskChain implements AutoCloseable {
    private final ChainState state;
    private final ViewHolds holds;
    private final ChainReader reader;
    private final ChainWriter writer;
    private final ChainUpkeep upkeep;
    private volatile @Nullable PreparedOverlay prepared;

    DiskChain(ChainState state) {
        this.state = state;
        this.holds = new ViewHolds(state);
        this.reader = new ChainReader(state);
        this.writer = new ChainWriter(state, reader);
        this.upkeep = new ChainUpkeep(this, state, holds);
    }

    /** As {@link #create(ImageDirectory, DiskGeometry, ChainId)}, with no id. */
    public static DiskChain create(ImageDirectory directory, DiskGeometry geometry)
            throws IOException {
        return create(directory, geometry, ChainId.NONE);
    }

    /**
     * Creates a disk of zeros in a directory that has none. It is on disk for good after the first {@link #sync} or {@link
     * #prepareOverlay}; before, a crash may leave nothing or something that does not open.
     */
    public static DiskChain create(ImageDirectory directory, DiskGeometry geometry, ChainId id)
            throws IOException {
        return ChainOpener.create(directory, geometry, id, null, null);
    }

    /** As {@link #createOn(ImageDirectory, DiskChain, int, ChainId)}, with no id. */
    public static DiskChain createOn(ImageDirectory directory, DiskChain parent, int view)
            throws IOException {
        return createOn(directory, parent, view, ChainId.NONE);
    }

    /**
     * Creates a disk that starts as {@code parent} is as of {@code view}: the parent's layers are read, never written, and
     * an overlay of its own takes the writes. Until it is closed it holds that view and keeps the parent's files open, also
     * after the parent was closed. Durable as {@link #create} says.
     */
    public static DiskChain createOn(ImageDirectory directory, DiskChain parent, int view,
            ChainId id)
            throws IOException {
        parent.hold(view);
        parent.addUser();
        try {
            var place = new ChainDescriptor.Parent(directory.locate(parent.directory()), view,
                    parent.state.copyName());
            return ChainOpener.create(directory, parent.geometry(), id, place, parent);
        } catch (IOException | RuntimeException e) {
            parent.release(view);
            parent.close();
            throw e;
        }
    }

    /**
     * Opens a disk for writing and checks all of it that carries checksums. Its top is the highest layer in the chain, be it
     * one that was prepared and not switched to before a crash. If it is a clone, its parent is opened read-only with it,
     * and whoever has the parent open for writing must hold the view.
     *
     * @throws DamagedImageException if something is not as it was written, {@link NewerVersionException} if it is of a
     *     format unknown here
     */
    public static DiskChain open(ImageDirectory directory) throws IOException {
        return open(directory, null);
    }

    /** As {@link #open(ImageDirectory)}, on a parent that is open already; as in {@link #createOn}, its view is held. */
    public static DiskChain open(ImageDirectory directory, @Nullable DiskChain openParent)
            throws IOException {
        return ChainOpener.open(directory, openParent);
    }

    /**
     * Opens a disk to read it as of {@code view}, from the files alone: another instance may have it open and go on
     * writing, overlaying and committing, as long as that one holds the view. What it wrote is seen only as far as it was
     * synced.
     *
     * @throws UnknownViewException if the disk cannot be seen as of that layer
     */
    public static DiskChain openReadOnly(ImageDirectory directory, int view) throws IOException {
        return ChainOpener.openReadOnly(directory, view, List.of());
    }

    /**
     * What a chain that is not open stands on.
     *
     * @param directory of the parent's images
     * @param view the highest of the parent's layers that it sees
     */
    public record Footing(ImageDirectory directory, int view) {}

    /** Reads what the chain in {@code directory} stands on; null when it has a base of its own. */
    public static @Nullable Footing footing(ImageDirectory directory) throws IOException {
        var parent = ChainOpener.readDescriptor(directory).parent();
        return parent == null
                ? null
                : new Footing(directory.resolve(parent.locator()), parent.view());
    }

    /** As {@link #openReadOnly(ImageDirectory, int)}, as of the highest layer that is in the chain at this moment. */
    public static DiskChain openReadOnly(ImageDirectory directory) throws IOException {
        return openReadOnly(directory,
                ChainOpener.readDescriptor(directory).files().getLast().last());
    }

    /**
     * How to find, from {@code directory}, the chain that the one in it starts from; null: it has a base of its own. Opens no
     * image.
     */
    public static @Nullable String parentOf(ImageDirectory directory) throws IOException {
        var parent = ChainOpener.readDescriptor(directory).parent();
        return parent == null ? null : parent.locator();
    }

    /** The names of the images that the chain in {@code directory} is made of, parents left out, the lowest first. Opens nothing. */
    public static List<String> filesOf(ImageDirectory directory) throws IOException {
        return ChainOpener.readDescriptor(directory).files().stream()
                .map(ChainDescriptor.LayerFile::name).toList();
    }

    /** Where the copy is that the disk in {@code directory} stands on; null if it stands on none. Opens nothing. */
    public static @Nullable String copyBelow(ImageDirectory directory) throws IOException {
        var parent = ChainOpener.readDescriptor(directory).parent();
        return parent == null || !parent.isCopy()
                ? null
                : directory.resolve(parent.locator()).location();
    }

    /**
     * What the description of a chain says that is not open.
     *
     * @param unfinishedCommit as {@link #unfinishedCommit()}
     * @param lastLayers the highest layer in each file, ascending
     * @param flat the highest layer that is made flat with all below it; -1 for none
     */
    public record Outline(int unfinishedCommit, List<Integer> lastLayers, int flat) {
        /** Copies the list. */
        public Outline {
            lastLayers = List.copyOf(lastLayers);
        }
    }

    /** Reads what the chain in {@code directory} says of itself; opens no image. */
    public static Outline outline(ImageDirectory directory) throws IOException {
        var files = ChainOpener.readDescriptor(directory).files();
        int unfinished = -1;
        int flat = -1;
        for (int i = 0; i < files.size(); i++) {
            flat = files.get(i).flat() ? files.get(i).last() : flat;
            boolean isUnfinished = files.get(i).absorbing() && i + 2 < files.size()
                    && !files.get(i + 1).flat();
            if (isUnfinished && unfinished < 0) {
                unfinished = files.get(i + 1).last();
            }
        }
        return new Outline(unfinished,
                files.stream().map(ChainDescriptor.LayerFile::last).toList(), flat);
    }

    /**
     * Whether the chain in {@code directory} is described as it was made: nothing of it was ever made durable, by a flush or else,
     * since that describes it anew.
     */
    public static boolean isAsMade(ImageDirectory directory) throws IOException {
        return ChainOpener.readDescriptor(directory).generation() == ChainOpener.AS_MADE;
    }

    /**
     * Deletes the images of a chain that it does not name: what a crash left of a flatten, mostly. An opening does it, too. The
     * caller sees to it that nobody has the chain open for writing.
     */
    public static void deleteStrays(ImageDirectory directory) throws IOException {
        ChainOpener.deleteStrays(directory, ChainOpener.readDescriptor(directory).files());
    }

    /** The images that {@link #deleteStrays} would delete. */
    public static List<String> strays(ImageDirectory directory) throws IOException {
        return ChainOpener.strays(directory, ChainOpener.readDescriptor(directory).files());
    }

    public ImageDirectory directory() {
        return state.directory();
    }

    public DiskGeometry geometry() {
        return state.geometry();
    }

    public ChainId id() {
        return state.id();
    }

    /** The layer that new writes go to; of a read-only chain its view. */
    public int top() {
        return state.top();
    }

    /** How many files a read of the top may have to ask, were it not for the merged index; a parent's are among them. */
    public int depth() {
        var list = state.layers();
        var below = list.below();
        int flat = list.flatAtOrBelow(Integer.MAX_VALUE);
        return flat >= 0
                ? list.size() - flat
                : list.size() + (below == null ? 0 : below.chain().depth());
    }

    /** How many files there are, also those that only older views see; a parent's are among them. */
    public int files() {
        return state.files();
    }

    /** The chain's lowest own layer: 0, or the one after the parent's view. */
    public int firstLayer() {
        return state.firstLayer();
    }

    /** Whether it is one file that speaks for itself. */
    public boolean isCopy() {
        return state.isCopy();
    }

    /** Whether other open disks stand on this one. */
    public boolean hasClones() {
        return state.users() > 1;
    }

    /** Whether nobody needs it open: no view is held, no open disk stands on it, and no commit or flatten is under way. */
    public boolean isIdle() {
        return !hasClones() && heldViews().isEmpty() && holds.working() == null;
    }

    /** Where the disk is that this one starts from; null if it starts from none, or was made flat since. */
    public @Nullable String parentLocation() {
        var below = state.layers().below();
        return below == null ? null : below.chain().directory().location();
    }

    /** How many groups the top has of its own, zeros included. */
    public int topGroups() {
        var list = state.layers();
        return list.get(list.indexOf(state.top())).image().groupCount();
    }

    /**
     * Whether a write to {@code group} in {@code layer} needs no fault. Once true it stays true. The bottom of everything
     * holds all groups; a number that only a discarded overlay had holds none.
     */
    public boolean holds(int layer, long group) {
        int checked = state.checkGroup(group);
        var list = state.layers();
        int index = list.indexAtOrBelow(layer);
        if (index < 0) {
            var below = list.below();
            return below != null && below.chain().holds(layer, group);
        }
        if (layer > list.get(index).last()) {
            return false;
        }
        return list.isBottom(index) || list.get(index).image().lookup(checked) != GroupState.ABSENT;
    }

    /** As {@link #read(int, long, MemorySegment, long, long)}, for all of {@code target}. */
    public void read(int view, long position, MemorySegment target) throws IOException {
        read(view, position, target, 0, target.byteSize());
    }

    /**
     * Reads the disk as of {@code view}. For a view equal to the top or a group not written since, this asks one file
     * whatever the depth of the chain.
     */
    public void read(int view, long position, MemorySegment target, long targetOffset, long bytes)
            throws IOException {
        state.checkRange(position, bytes);
        var geometry = state.geometry();
        long at = position;
        long end = position + bytes;
        while (at < end) {
            int group = geometry.groupOf(at);
            int offset = (int) (at - geometry.positionOf(group));
            int length = (int) Math.min(geometry.groupBytes() - offset, end - at);
            reader.readGroup(view, group, offset, target, targetOffset + (at - position), length);
            at += length;
        }
    }

    /** As {@link #write(int, long, MemorySegment, long, int)}, with all of {@code source}. */
    public void write(int layer, long position, MemorySegment source) throws IOException {
        write(layer, position, source, 0, Math.toIntExact(source.byteSize()));
    }

    /** Writes within one block group that {@code layer} holds; {@link #fault} is for the others. */
    public void write(int layer, long position, MemorySegment source, long sourceOffset, int bytes)
            throws IOException {
        writer.write(layer, position, source, sourceOffset, bytes);
    }

    /** As {@link #fault(int, long, long, MemorySegment, long, int)}, with all of {@code source}. */
    public void fault(int layer, long group, long offsetInGroup, MemorySegment source)
            throws IOException {
        fault(layer, group, offsetInGroup, source, 0, Math.toIntExact(source.byteSize()));
    }

    /**
     * Lets {@code layer} hold {@code group}: what lies below, with {@code source} written over it. Where the source covers
     * the group nothing is read, where the layer holds the group by now this is a write.
     *
     * @param bytes 0 for a fault that writes nothing new
     */
    public void fault(int layer, long group, long offsetInGroup, MemorySegment source,
            long sourceOffset,
            int bytes) throws IOException {
        writer.fault(layer, group, offsetInGroup, source, sourceOffset, bytes);
    }

    /**
     * Writes zeros within one block group. A whole group becomes a marker, without input or output; a part of a group that
     * the layer does not hold is a fault.
     *
     * @param discard whether the guest only said that it needs the bytes no more; it reads zeros all the same
     */
    public void writeZeroes(int layer, long position, long bytes, boolean discard)
            throws IOException {
        writer.writeZeroes(layer, position, bytes, discard);
    }

    /** The block groups that may hold data as of {@code view}, ascending, without reading any; all others are known to be zeros. */
    public IntStream groupsWithData(int view) {
        return reader.groupsWithData(view).stream();
    }

    /**
     * Makes durable every write to a layer up to {@code view} that returned before this was called, lowest layer first. A
     * failure is final for the layer it happened in, if the disk itself reported it.
     */
    public void sync(int view) throws IOException {
        if (state.isReadOnly()) {
            return;
        }
        var below = state.layers().below();
        if (below != null) {
            below.chain().sync(Math.min(view, below.view()));
        }
        for (;;) {
            var list = state.layers();
            try {
                for (int i = 0; i < list.size() && list.get(i).first() <= view; i++) {
                    list.get(i).image().sync();
                }
                break;
            } catch (ClosedImageException e) {
                // Committed away meanwhile; what it had is durable in the layer below.
                state.checkChanged(list, e);
            }
        }
        state.makeDurable();
    }

    /**
     * As {@link #sync}, and seals the layers up to {@code view}: from now on what is read from them is verified. The caller sees
     * to it that no write is bound to any of them, nor will be as long as the view is held; the top is never sealed.
     */
    public void seal(int view) throws IOException {
        if (!state.isReadOnly() && view < state.top()) {
            for (;;) {
                var list = state.layers();
                try {
                    for (int i = 0; i < list.size() && list.get(i).last() <= view; i++) {
                        seal(list.get(i).image());
                    }
                    break;
                } catch (ClosedImageException e) {
                    state.checkChanged(list, e);
                }
            }
        }
        sync(view);
    }

    /**
     * As {@link #seal}, for all layers, the top too: the next opening then verifies everything. For an orderly end, when nothing
     * is in flight. A disk that nobody wrote to is not touched.
     */
    public void sealAll() throws IOException {
        var list = state.layers();
        boolean isUntouched = true;
        for (var entry : list.toList()) {
            isUntouched &= entry.image().groupCount() == 0;
        }
        if (state.isReadOnly() || isUntouched) {
            return;
        }
        for (var entry : list.toList()) {
            seal(entry.image());
        }
        sync(Integer.MAX_VALUE);
    }

    private void seal(LayerImage image) throws IOException {
        if (image.plainCount() == 0) {
            return;
        }
        for (long cell : image.cells()) {
            int group = GroupTable.groupOf(cell);
            synchronized (state.lockOf(image, group)) {
                image.seal(group);
            }
        }
    }

    /** As {@link #sync}, for one layer alone: what a write with FUA needs. */
    public void syncLayer(int layer) throws IOException {
        if (state.isReadOnly()) {
            return;
        }
        for (;;) {
            var list = state.layers();
            int index = list.indexOf(layer);
            if (index < 0) {
                throw new IllegalArgumentException(
                        state.location() + ": has no layer " + layer);
            }
            try {
                list.get(index).image().sync();
                break;
            } catch (ClosedImageException e) {
                state.checkChanged(list, e);
            }
        }
        state.makeDurable();
    }

    /**
     * Creates the next overlay, durably in the chain when this returns, while the disk goes on being used. Blocks.
     *
     * @throws IllegalStateException if one is prepared already
     */
    public PreparedOverlay prepareOverlay() throws IOException {
        synchronized (state.structureLock()) {
            state.checkNotReadOnly();
            if (prepared != null) {
                throw new IllegalStateException(
                        state.location() + ": an overlay is prepared already");
            }
            var list = state.layers();
            if (!state.isDurable()) {
                for (var entry : list.toList()) {
                    entry.image().sync();
                }
            }
            int layer = state.takeLayer();
            var directory = state.directory();
            String name = ChainDescriptor.imageName(layer);
            var image = LayerImage.create(directory, name,
                    new ImageHeader(state.geometry(), state.id(), layer));
            try {
                image.sync();
                directory.sync();
            } catch (IOException e) {
                image.close();
                LayerImage.deleteQuietly(directory, name, e);
                throw e;
            }
            var longer = list.with(new LayerList.Entry(layer, layer, false, image));
            try {
                state.replaceDescriptor(longer);
            } catch (IOException e) {
                // The file stays: the chain on disk may name it, for all we know. The next change of the chain settles that.
                image.close();
                throw e;
            }
            state.setLayers(longer);
            var overlay = new PreparedOverlay(this, layer, image);
            prepared = overlay;
            return overlay;
        }
    }

    /** Makes a prepared overlay the top. In memory only, and of constant cost: this is done while the VM is stunned. */
    public void switchTo(PreparedOverlay overlay) {
        overlay.switched(this);
        state.setTop(overlay.layer());
        prepared = null;
    }

    /** Takes a prepared overlay that was never switched to out of the chain and deletes it. Blocks. */
    public void discardPrepared(PreparedOverlay overlay) throws IOException {
        overlay.discarded(this);
        synchronized (state.structureLock()) {
            state.setLayers(state.layers().without(overlay.image()));
            prepared = null;
            overlay.image().close();
            // If this fails the file stays, empty: the chain on disk still names it.
            state.replaceDescriptor(state.layers());
            state.deleteOrLeave(overlay.image().name());
        }
    }

    /**
     * Keeps the disk as of {@code view} as it is: nothing is committed into a file that has this view, unless what is
     * committed is part of the view itself. As often as it is released.
     *
     * @throws IllegalStateException if the view is gone
     */
    public void hold(int view) {
        holds.hold(view);
    }

    /** Ends one {@link #hold}. */
    public void release(int view) {
        holds.release(view);
    }

    /** The views of this chain that are held, ascending: those that must not change. */
    public SortedSet<Integer> heldViews() {
        return holds.views();
    }

    /**
     * A commit that nobody's view forbids.
     *
     * @param firstLower lowest layer in the file that is committed into
     * @param firstUpper lowest layer in the file that is committed
     * @param lastUpper highest layer in it, which names it to {@link #commit}
     */
    public record Candidate(int firstLower, int firstUpper, int lastUpper) {}

    /**
     * What could be done about the length of a chain, as of one moment: taken with one short lock, and worked out without it, so
     * that nobody who holds or releases a view meanwhile waits for it.
     *
     * @param top the top of that moment: while it is still the top nothing was switched since
     * @param heldViews as {@link #heldViews}
     * @param nextCommit as {@link #nextCommit}
     * @param nextFlatten as {@link #nextFlatten}
     * @param files as {@link #files}
     * @param filesIfFlat as {@link #filesIfFlat}
     * @param topGroups as {@link #topGroups}
     * @param hasUnseen as {@link #hasUnseen}
     * @param mayCommitOnceCovered as {@link #mayCommitOnceCovered}
     */
    public record Outlook(int top, SortedSet<Integer> heldViews, @Nullable Candidate nextCommit,
            int nextFlatten, int files, int filesIfFlat, int topGroups, boolean hasUnseen,
            boolean mayCommitOnceCovered) {}

    /** All that is to be known before something is begun. */
    public Outlook outlook() {
        return holds.outlook();
    }

    /**
     * Whether there is nothing but a base of the chain's own and one file on it: then nothing can be committed, made flat or dropped,
     * whatever views are held. Costs next to nothing.
     */
    public boolean isShort() {
        var list = state.layers();
        return list.size() <= 2 && list.below() == null
                && list.flatAtOrBelow(Integer.MAX_VALUE) < 0
                && list.get(list.size() - 1).last() == state.top();
    }

    /** The lowest file that could be committed now; null when there is none. */
    public @Nullable Candidate nextCommit() {
        return holds.nextCommit();
    }

    /** Whether {@link #commit} would start: the layer is below the top, has a file of this chain below it, and no held view
     * would change. */
    public boolean mayCommit(int layer) {
        return holds.whyNotCommit(layer) == null;
    }

    /** How many files could be committed, one after another, if the views that must not change were these; of a read-only chain, too. */
    public int foldable(SortedSet<Integer> views) {
        var list = state.layers();
        int count = 0;
        int first = list.get(0).first();
        for (int i = 1; i < list.size() && list.get(i).last() < state.top(); i++) {
            if (views.subSet(first, list.get(i).last()).isEmpty()) {
                count++;
            } else {
                first = list.get(i).first();
            }
        }
        return count;
    }

    /**
     * Begins to commit the file that has {@code layer} into the file below it. The caller sees to it that until the commit
     * ends no write is bound to the upper file, and no read to a view that ends in the lower one.
     *
     * @throws IllegalStateException where {@link #mayCommit} says no
     */
    public Commit commit(int layer) throws IOException {
        return upkeep.commit(layer);
    }

    /**
     * The layer whose commit was begun and has not ended, in this process or before a crash: only its end makes the views
     * between it and the layer below whole again. -1 if there is none. It may be committed at once when nothing is in flight.
     */
    public int unfinishedCommit() {
        var list = state.layers();
        for (int i = 0; i + 1 < list.size(); i++) {
            if (list.get(i).absorbing() && list.get(i + 1).last() < state.top()
                    && !list.get(i + 1).flat()) {
                return list.get(i + 1).last();
            }
        }
        return -1;
    }

    /** Whether the top could be committed if another layer were on top of it. */
    public boolean mayCommitOnceCovered() {
        return holds.mayCommitOnceCovered();
    }

    /** The view that {@link #flatten} would copy now: the highest below the top; -1 if there is nothing to make flat. */
    public int nextFlatten() {
        return holds.nextFlatten();
    }

    /** How many files there would be after {@link #flatten}, the parent's included. */
    public int filesIfFlat() {
        return holds.filesIfFlat();
    }

    /**
     * Begins to copy all that {@code view} shows into one image. The caller sees to it that until it ends no request is bound
     * to a layer of it, but reads that see all of them.
     *
     * @param view what {@link #nextFlatten} said when the caller looked what requests there are: the top may have moved on since,
     *     and requests bound to what was the top then are none of this
     * @throws IllegalStateException if that can be made flat no more
     */
    public Flatten flatten(int view) throws IOException {
        return upkeep.flatten(view);
    }

    /** Whether {@link #dropUnseen} would find something. */
    public boolean hasUnseen() {
        return holds.hasUnseen();
    }

    /** Deletes the files below a flat one that nobody's view needs any more, and lets go of the parent. Blocks. */
    public void dropUnseen() throws IOException {
        upkeep.dropUnseen();
    }

    public ChainStats stats() {
        return new ChainStats(state.layers().size(), writer.faults(), writer.bytesCopied(),
                upkeep.groupsCommitted(), bytesOnDisk());
    }

    /** What the chain's own files take, a clone's parent's not counted. */
    public long bytesOnDisk() {
        long bytes = 0;
        for (var entry : state.layers().toList()) {
            bytes += entry.image().bytesOnDisk();
        }
        return bytes;
    }

    /**
     * Gives everything back. Syncs nothing. If clones of this disk are open, its files stay open for them until the last is
     * closed.
     */
    @Override
    public void close() {
        if (!state.removeUser()) {
            return;
        }
        var layers = state.layers();
        for (var entry : layers.toList()) {
            entry.image().close();
        }
        var below = layers.below();
        if (below != null) {
            below.chain().release(below.view());
            below.chain().close();
        }
        upkeep.close();
    }

    /** Somebody stands on it: it is closed when it was closed once more. */
    void addUser() {
        state.addUser();
    }

    ChainUpkeep upkeep() {
        return upkeep;
    }

    ChainReader reader() {
        return reader;
    }

    /** See {@link ChainState#lockOf}. */
    Object lockOf(LayerImage image, int group) {
        return state.lockOf(image, group);
    }
}
