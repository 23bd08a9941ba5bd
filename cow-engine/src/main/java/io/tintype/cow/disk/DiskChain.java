package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
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
 *   <li>The merged index says for each group which is the highest layer that holds it. It names layers, not files, so a
 *       commit, which only changes which file has a layer, need not touch it.
 * </ul>
 *
 * <p>Thread-safe, and nothing waits but for input and output of its own: reads and writes to held groups take no lock, {@link
 * #switchTo}, {@link #hold}, {@link #release} and {@link #holds} never wait for a file. Which of two conflicting requests
 * comes first is for the caller to settle. Positions and lengths are multiples of 512 bytes.
 *
 * <p>A chain may be open for writing once, and read-only any number of times; nothing here enforces that.
 */
public final class DiskChain implements AutoCloseable {
    /** How often a chain is read again because files went away meanwhile: a writer commits about once a second. */
    private static final int OPENS_MAX = 100;

    // Groups that share a lock only wait for each other's faults; so few faults run at once that this many never do.
    private static final Object[] GROUP_LOCKS = groupLocks(1024);

    private final ImageDirectory directory;
    private final DiskGeometry geometry;
    private final ChainId id;
    private final boolean readOnly;

    /** The only file of a {@link DiskCopy}; empty for a chain. */
    private final String copyName;

    private final GroupTable merged = new GroupTable();
    private volatile LayerList layers;

    /** While the chain on disk is replaced: what {@link #layers} will be if that succeeds; else null. */
    private volatile @Nullable LayerList following;
    private volatile int top;
    private volatile @Nullable PreparedOverlay prepared;
    private volatile boolean durable;

    /** Whoever changes which files there are holds this, during input and output too. */
    private final Object structureLock = new Object();

    // Guarded by structureLock.
    private long generation;
    private int nextLayer;

    /** Guards holds and what is being worked on, and the marking of a layer as absorbing. Never held during input or output. */
    private final Object holdsLock = new Object();

    private @Nullable TreeMap<Integer, Integer> holds;
    /** The one long change of files under way: a {@link Commit} or a {@link Flatten}. */
    private @Nullable Object working;

    private final AtomicInteger users = new AtomicInteger(1);
    private final AtomicLong faults = new AtomicLong();
    private final AtomicLong faultBytesCopied = new AtomicLong();
    private final AtomicLong groupsCommitted = new AtomicLong();

    private DiskChain(ImageDirectory directory, ChainDescriptor descriptor,
            @Nullable DiskChain parent,
            int view, LayerList layers, boolean readOnly, boolean durable) {
        this(directory, descriptor, parent, view, layers, readOnly, durable, "");
    }

    private DiskChain(ImageDirectory directory, ChainDescriptor descriptor,
            @Nullable DiskChain parent,
            int view, LayerList layers, boolean readOnly, boolean durable, String copyName) {
        this.directory = directory;
        this.copyName = copyName;
        this.geometry = descriptor.geometry();
        this.id = descriptor.id();
        var place = descriptor.parent();
        var below = place == null || parent == null
                ? null
                : new LayerList.Below(place, parent, Math.min(view, place.view()));
        this.readOnly = readOnly;
        this.durable = durable;
        this.layers = layers.on(below);
        this.top = readOnly ? view : layers.get(layers.size() - 1).last();
        this.generation = descriptor.generation();
        this.nextLayer = descriptor.nextLayer();
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
        return create(directory, geometry, id, null, null);
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
        parent.users.incrementAndGet();
        try {
            var place = new ChainDescriptor.Parent(directory.locate(parent.directory), view,
                    parent.copyName);
            return create(directory, parent.geometry, id, place, parent);
        } catch (IOException | RuntimeException e) {
            parent.release(view);
            parent.close();
            throw e;
        }
    }

    private static DiskChain create(ImageDirectory directory, DiskGeometry geometry, ChainId id,
            ChainDescriptor.@Nullable Parent place, @Nullable DiskChain parent) throws IOException {
        var names = directory.list();
        if (names.contains(ChainDescriptor.FILE)) {
            throw new FileAlreadyExistsException(
                    LayerImage.where(directory, ChainDescriptor.FILE), null,
                    "there is a disk already");
        }
        for (String stray : names) {
            // Of a disk that a crash caught before it was durable.
            if (ChainDescriptor.isImageName(stray)) {
                directory.delete(stray);
            }
        }
        int layer = place == null ? 0 : place.view() + 1;
        String name = ChainDescriptor.imageName(layer);
        var image = LayerImage.create(directory, name, new ImageHeader(geometry, id, layer));
        var entry = new LayerList.Entry(layer, layer, false, image);
        var descriptor =
                new ChainDescriptor(1, geometry, id, layer + 1, place, List.of(entry.toFile()));
        try (var file = directory.create(ChainDescriptor.FILE)) {
            var bytes = descriptor.encode();
            file.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        } catch (IOException e) {
            image.close();
            LayerImage.deleteQuietly(directory, ChainDescriptor.FILE, e);
            LayerImage.deleteQuietly(directory, name, e);
            throw e;
        }
        return new DiskChain(directory, descriptor, parent, Integer.MAX_VALUE,
                new LayerList(List.of(entry)),
                false, false);
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
        var descriptor = readDescriptor(directory);
        var parent = openParent(directory, descriptor, openParent, Integer.MAX_VALUE, List.of());
        try {
            var opened = new DiskChain(directory, descriptor, parent, Integer.MAX_VALUE,
                    openLayers(directory, descriptor, descriptor.files(), true), false, true);
            opened.mergeIndices();
            opened.deleteStrays();
            return opened;
        } catch (IOException | RuntimeException e) {
            closeParent(parent, descriptor, Integer.MAX_VALUE, e);
            throw e;
        }
    }

    /**
     * Opens a disk to read it as of {@code view}, from the files alone: another instance may have it open and go on
     * writing, overlaying and committing, as long as that one holds the view. What it wrote is seen only as far as it was
     * synced.
     *
     * @throws UnknownViewException if the disk cannot be seen as of that layer
     */
    public static DiskChain openReadOnly(ImageDirectory directory, int view) throws IOException {
        return openReadOnly(directory, view, List.of());
    }

    /** @param above where the chains are that start from this one, directly or not */
    private static DiskChain openReadOnly(ImageDirectory directory, int view, List<String> above)
            throws IOException {
        for (int tries = 1;; tries++) {
            var descriptor = readDescriptor(directory);
            try {
                return openReadOnly(directory, descriptor, view, above);
            } catch (ClosedImageException | DamagedImageException e) {
                // Gone or changed under our feet by a commit, unless the chain is still the same.
                if (tries == OPENS_MAX
                        || readDescriptor(directory).generation() == descriptor.generation()) {
                    throw e;
                }
            }
        }
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
        var parent = readDescriptor(directory).parent();
        return parent == null
                ? null
                : new Footing(directory.resolve(parent.locator()), parent.view());
    }

    /** As {@link #openReadOnly(ImageDirectory, int)}, as of the highest layer that is in the chain at this moment. */
    public static DiskChain openReadOnly(ImageDirectory directory) throws IOException {
        return openReadOnly(directory, readDescriptor(directory).files().getLast().last());
    }

    private static DiskChain openReadOnly(ImageDirectory directory, ChainDescriptor descriptor,
            int view, List<String> above)
            throws IOException {
        checkVisible(directory, descriptor, view);
        var parent = openParent(directory, descriptor, null, view, above);
        try {
            var files = descriptor.files().stream().filter(file -> file.first() <= view).toList();
            var opened = new DiskChain(directory, descriptor, parent, view,
                    openLayers(directory, descriptor, files, false), true, true);
            opened.mergeIndices();
            return opened;
        } catch (IOException | RuntimeException e) {
            closeParent(parent, descriptor, view, e);
            throw e;
        }
    }

    public ImageDirectory directory() {
        return directory;
    }

    public DiskGeometry geometry() {
        return geometry;
    }

    public ChainId id() {
        return id;
    }

    /** The layer that new writes go to; of a read-only chain its view. */
    public int top() {
        return top;
    }

    /** How many files a read of the top may have to ask, were it not for the merged index; a parent's are among them. */
    public int depth() {
        var list = layers;
        var below = list.below();
        int flat = list.flatAtOrBelow(Integer.MAX_VALUE);
        return flat >= 0
                ? list.size() - flat
                : list.size() + (below == null ? 0 : below.chain().depth());
    }

    /** How many files there are, also those that only older views see; a parent's are among them. */
    public int files() {
        var list = layers;
        var below = list.below();
        return list.size() + (below == null ? 0 : below.chain().files());
    }

    /** The chain's lowest own layer: 0, or the one after the parent's view. */
    public int firstLayer() {
        var below = layers.below();
        return below == null ? 0 : below.place().view() + 1;
    }

    /** Whether it is one file that speaks for itself. */
    public boolean isCopy() {
        return !copyName.isEmpty();
    }

    /** Whether other open disks stand on this one. */
    public boolean hasClones() {
        return users.get() > 1;
    }

    /** How many groups the top has of its own, zeros included. */
    public int topGroups() {
        var list = layers;
        return list.get(list.indexOf(top)).image().groupCount();
    }

    /**
     * Whether a write to {@code group} in {@code layer} needs no fault. Once true it stays true. The bottom of everything
     * holds all groups; a number that only a discarded overlay had holds none.
     */
    public boolean holds(int layer, long group) {
        int checked = checkGroup(group);
        var list = layers;
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
        checkRange(position, bytes);
        long at = position;
        long end = position + bytes;
        while (at < end) {
            int group = geometry.groupOf(at);
            int offset = (int) (at - geometry.positionOf(group));
            int length = (int) Math.min(geometry.groupBytes() - offset, end - at);
            readGroup(view, group, offset, target, targetOffset + (at - position), length);
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
        int group = checkWrite(layer, position, bytes);
        int offset = (int) (position - geometry.positionOf(group));
        for (;;) {
            var list = layers;
            int index = list.indexOf(layer);
            var image = list.get(index).image();
            long value = image.lookup(group);
            if (GroupState.isSealed(value)) {
                // A write that waited and was bound lower after an abort (R15): rare.
                synchronized (lockOf(image, group)) {
                    image.unseal(group);
                }
                continue;
            }
            if (GroupState.isPresent(value)) {
                image.writeSlot(GroupState.slot(value), offset, source, sourceOffset, bytes);
                return;
            }
            if (value == GroupState.ABSENT && !list.isBottom(index)) {
                throw new IllegalStateException(
                        "layer " + layer + " does not hold block group " + group
                                + ": it takes a fault to write to it");
            }
            synchronized (lockOf(image, group)) {
                if (!GroupState.isPresent(image.lookup(group))) {
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                    merge(group, layer);
                    return;
                }
            }
        }
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
        int checked = checkGroup(group);
        int length = geometry.groupLength(checked);
        if (offsetInGroup < 0 || bytes < 0 || offsetInGroup + bytes > length) {
            throw new IllegalArgumentException(
                    "bytes " + offsetInGroup + " to " + (offsetInGroup + bytes)
                            + " do not lie in a block group of " + length);
        }
        checkWritable(layer);
        faultGroup(layer, checked, (int) offsetInGroup, source, sourceOffset, bytes);
    }

    private void faultGroup(int layer, int group, int offset, MemorySegment source,
            long sourceOffset,
            int bytes) throws IOException {
        var list = layers;
        int index = list.indexOf(layer);
        var image = list.get(index).image();
        synchronized (lockOf(image, group)) {
            long value = image.lookup(group);
            if (GroupState.isPresent(value)) {
                if (bytes > 0) {
                    image.unseal(group);
                    image.writeSlot(GroupState.slot(value), offset, source, sourceOffset, bytes);
                }
                return;
            }
            if (GroupState.isZeros(value) || list.isBottom(index)) {
                if (bytes > 0) {
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                    merge(group, layer);
                }
                return;
            }
            int length = geometry.groupLength(group);
            int below = list.get(index).first() - 1;
            if (bytes == length) {
                image.writeGroup(group, source, sourceOffset);
            } else if (isZeros(below, group)) {
                // A new slot is a hole: there is nothing to copy, and nothing to write but the source.
                if (bytes == 0) {
                    image.markZeros(group);
                } else {
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                }
            } else {
                var whole = Scratch.borrow(length);
                int tail = offset + bytes;
                if (bytes == 0) {
                    readGroup(below, group, 0, whole, 0, length);
                } else {
                    if (offset > 0) {
                        readGroup(below, group, 0, whole, 0, offset);
                    }
                    MemorySegment.copy(source, sourceOffset, whole, offset, bytes);
                    if (tail < length) {
                        readGroup(below, group, tail, whole, tail, length - tail);
                    }
                }
                image.writeGroup(group, whole, 0);
                faultBytesCopied.addAndGet(length - bytes);
            }
            merge(group, layer);
            faults.incrementAndGet();
        }
    }

    /**
     * Writes zeros within one block group. A whole group becomes a marker, without input or output; a part of a group that
     * the layer does not hold is a fault.
     *
     * @param discard whether the guest only said that it needs the bytes no more; it reads zeros all the same
     */
    public void writeZeroes(int layer, long position, long bytes, boolean discard)
            throws IOException {
        int group = checkWrite(layer, position, bytes);
        int offset = (int) (position - geometry.positionOf(group));
        var list = layers;
        int index = list.indexOf(layer);
        var image = list.get(index).image();
        long value = image.lookup(group);
        boolean zerosAlready = GroupState.isZeros(value)
                || (value == GroupState.ABSENT && list.isBottom(index));
        if (zerosAlready) {
            return;
        }
        if (bytes == geometry.groupLength(group)) {
            synchronized (lockOf(image, group)) {
                image.markZeros(group);
                merge(group, layer);
            }
        } else {
            faultGroup(layer, group, offset, Scratch.ZEROS, 0, (int) bytes);
        }
    }

    /**
     * Makes durable every write to a layer up to {@code view} that returned before this was called, lowest layer first. A
     * failure is final for the layer it happened in, if the disk itself reported it.
     */
    public void sync(int view) throws IOException {
        if (readOnly) {
            return;
        }
        var below = layers.below();
        if (below != null) {
            below.chain().sync(Math.min(view, below.view()));
        }
        for (;;) {
            var list = layers;
            try {
                for (int i = 0; i < list.size() && list.get(i).first() <= view; i++) {
                    list.get(i).image().sync();
                }
                break;
            } catch (ClosedImageException e) {
                // Committed away meanwhile; what it had is durable in the layer below.
                checkChanged(list, e);
            }
        }
        makeDurable();
    }

    /**
     * As {@link #sync}, and seals the layers up to {@code view}: from now on what is read from them is verified. The caller sees
     * to it that no write is bound to any of them, nor will be as long as the view is held; the top is never sealed.
     */
    public void seal(int view) throws IOException {
        if (!readOnly && view < top) {
            for (;;) {
                var list = layers;
                try {
                    for (int i = 0; i < list.size() && list.get(i).last() <= view; i++) {
                        seal(list.get(i).image());
                    }
                    break;
                } catch (ClosedImageException e) {
                    checkChanged(list, e);
                }
            }
        }
        sync(view);
    }

    private void seal(LayerImage image) throws IOException {
        if (image.plainCount() == 0) {
            return;
        }
        for (long cell : image.cells()) {
            int group = GroupTable.groupOf(cell);
            synchronized (lockOf(image, group)) {
                image.seal(group);
            }
        }
    }

    /** As {@link #sync}, for one layer alone: what a write with FUA needs. */
    public void syncLayer(int layer) throws IOException {
        if (readOnly) {
            return;
        }
        for (;;) {
            var list = layers;
            int index = list.indexOf(layer);
            if (index < 0) {
                throw new IllegalArgumentException(
                        directory.location() + ": has no layer " + layer);
            }
            try {
                list.get(index).image().sync();
                break;
            } catch (ClosedImageException e) {
                checkChanged(list, e);
            }
        }
        makeDurable();
    }

    /**
     * Creates the next overlay, durably in the chain when this returns, while the disk goes on being used. Blocks.
     *
     * @throws IllegalStateException if one is prepared already
     */
    public PreparedOverlay prepareOverlay() throws IOException {
        synchronized (structureLock) {
            checkNotReadOnly();
            if (prepared != null) {
                throw new IllegalStateException(
                        directory.location() + ": an overlay is prepared already");
            }
            var list = layers;
            if (!durable) {
                for (var entry : list.toList()) {
                    entry.image().sync();
                }
            }
            int layer = nextLayer++;
            String name = ChainDescriptor.imageName(layer);
            var image = LayerImage.create(directory, name, new ImageHeader(geometry, id, layer));
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
                replaceDescriptor(longer);
            } catch (IOException e) {
                // The file stays: the chain on disk may name it, for all we know. The next change of the chain settles that.
                image.close();
                throw e;
            }
            layers = longer;
            var overlay = new PreparedOverlay(this, layer, image);
            prepared = overlay;
            return overlay;
        }
    }

    /** Makes a prepared overlay the top. In memory only, and of constant cost: this is done while the VM is stunned. */
    public void switchTo(PreparedOverlay overlay) {
        overlay.switched(this);
        top = overlay.layer();
        prepared = null;
    }

    /** Takes a prepared overlay that was never switched to out of the chain and deletes it. Blocks. */
    public void discardPrepared(PreparedOverlay overlay) throws IOException {
        overlay.discarded(this);
        synchronized (structureLock) {
            layers = layers.without(overlay.image());
            prepared = null;
            overlay.image().close();
            // If this fails the file stays, empty: the chain on disk still names it.
            replaceDescriptor(layers);
            deleteOrLeave(overlay.image().name());
        }
    }

    /**
     * Keeps the disk as of {@code view} as it is: nothing is committed into a file that has this view, unless what is
     * committed is part of the view itself. As often as it is released.
     *
     * @throws IllegalStateException if the view is gone
     */
    public void hold(int view) {
        synchronized (holdsLock) {
            var below = layers.below();
            if (below != null && view <= below.place().view()) {
                // Kept here too: as long as somebody sees the parent through this chain it must not be let go.
                below.chain().hold(view);
            } else if (view > top || !layers.isVisible(view) || !remainsVisible(view)) {
                throw new IllegalStateException(directory.location() + ": cannot hold view " + view
                        + ": the top is " + top + ", the files are " + layers.toFiles());
            }
            if (holds == null) {
                holds = new TreeMap<>();
            }
            holds.merge(view, 1, Integer::sum);
        }
    }

    private boolean remainsVisible(int view) {
        var next = following;
        return next == null || next.isVisible(view);
    }

    public void release(int view) {
        synchronized (holdsLock) {
            var before = holds == null ? null : holds.get(view);
            if (holds == null || before == null) {
                throw new IllegalStateException(
                        directory.location() + ": view " + view + " is not held");
            }
            var below = layers.below();
            if (below != null && view <= below.place().view()) {
                below.chain().release(view);
            }
            if (before == 1) {
                holds.remove(view);
            } else {
                holds.put(view, before - 1);
            }
        }
    }

    /** The views of this chain that are held, ascending: those that must not change. */
    public SortedSet<Integer> heldViews() {
        synchronized (holdsLock) {
            return holds == null ? new TreeSet<>() : new TreeSet<>(holds.keySet());
        }
    }

    /**
     * A commit that nobody's view forbids.
     *
     * @param firstLower lowest layer in the file that is committed into
     * @param firstUpper lowest layer in the file that is committed
     * @param lastUpper highest layer in it, which names it to {@link #commit}
     */
    public record Candidate(int firstLower, int firstUpper, int lastUpper) {}

    /** The lowest file that could be committed now; null when there is none. */
    public @Nullable Candidate nextCommit() {
        synchronized (holdsLock) {
            var list = layers;
            for (int i = 1; i < list.size(); i++) {
                if (whyNotCommit(list.get(i).last()) == null) {
                    return new Candidate(list.get(i - 1).first(), list.get(i).first(),
                            list.get(i).last());
                }
            }
            return null;
        }
    }

    /** Whether {@link #commit} would start: the layer is below the top, has a file of this chain below it, and no held view
     * would change. */
    public boolean mayCommit(int layer) {
        synchronized (holdsLock) {
            return whyNotCommit(layer) == null;
        }
    }

    /** How many files could be committed, one after another, if the views that must not change were these; of a read-only chain, too. */
    public int foldable(SortedSet<Integer> views) {
        var list = layers;
        int count = 0;
        int first = list.get(0).first();
        for (int i = 1; i < list.size() && list.get(i).last() < top; i++) {
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
        synchronized (structureLock) {
            checkNotReadOnly();
            Commit commit;
            synchronized (holdsLock) {
                String reason = whyNotCommit(layer);
                if (reason != null) {
                    throw new IllegalStateException(
                            directory.location() + ": cannot commit layer " + layer + ": "
                                    + reason);
                }
                int upper = layers.indexOf(layer);
                layers = layers.absorbing(upper - 1);
                commit = new Commit(this, layers.get(upper), layers.get(upper - 1),
                        layers.isBottom(upper - 1));
                working = commit;
            }
            try {
                // Before the first copy: a crash must not leave a lower layer that looks untouched.
                replaceDescriptor(layers);
            } catch (IOException e) {
                cancel(commit);
                throw e;
            }
            commit.findGroups();
            return commit;
        }
    }

    void finish(Commit commit) throws IOException {
        // Before the lock, for which the next checkpoint's overlay may wait. Nothing is written to the copies any more.
        commit.lower().image().sync();
        synchronized (structureLock) {
            int index = layers.indexOf(commit.lower().first());
            var fewer = layers.absorbed(index);
            replaceDescriptor(fewer);
            layers = fewer;
            cancel(commit);
            // Readers that found the upper file in the old list are let finish by close(), or look again in the new one.
            commit.upper().image().close();
            deleteOrLeave(commit.upper().image().name());
        }
    }

    /** Of a file that the chain does not name any more: if it cannot be deleted now, the next opening does it. */
    private void deleteOrLeave(String name) {
        try {
            directory.delete(name);
        } catch (IOException e) {
            // The change itself is done and durable: to fail it now would make the caller do it again.
            return;
        }
    }

    void cancel(Commit commit) {
        ended(commit);
    }

    @SuppressWarnings("ReferenceEquality") // this very one
    private void ended(Object work) {
        synchronized (holdsLock) {
            if (working == work) {
                working = null;
            }
        }
    }

    /**
     * The layer whose commit was begun and has not ended, in this process or before a crash: only its end makes the views
     * between it and the layer below whole again. -1 if there is none. It may be committed at once when nothing is in flight.
     */
    public int unfinishedCommit() {
        var list = layers;
        for (int i = 0; i + 1 < list.size(); i++) {
            if (list.get(i).absorbing() && list.get(i + 1).last() < top
                    && !list.get(i + 1).flat()) {
                return list.get(i + 1).last();
            }
        }
        return -1;
    }

    /** The view that {@link #flatten} would copy now: the highest below the top; -1 if there is nothing to make flat. */
    public int nextFlatten() {
        synchronized (holdsLock) {
            var list = layers;
            int index = list.indexOf(top) - 1;
            if (readOnly || working != null || (index < 0 && list.below() == null)) {
                return -1;
            }
            if (index < 0) {
                // All but the top is the parent's.
                return firstLayer() - 1;
            }
            return list.isBottom(index) ? -1 : list.get(index).last();
        }
    }

    /** How many files there would be after {@link #flatten}, the parent's included. */
    public int filesIfFlat() {
        synchronized (holdsLock) {
            var list = layers;
            int view = nextFlatten();
            if (view < 0) {
                return files();
            }
            var flat = new LayerList.Entry(view, view, false, true, list.get(0).image());
            var after = list.pruned(flat, viewsHeld());
            var below = after.below();
            return after.size() + (below == null ? 0 : below.chain().files());
        }
    }

    /** Whether the top could be committed if another layer were on top of it. */
    public boolean mayCommitOnceCovered() {
        synchronized (holdsLock) {
            var list = layers;
            int index = list.indexOf(top);
            return !readOnly && working == null && index > 0 && !list.get(index).flat()
                    && (holds == null || holds.subMap(list.get(index - 1).first(), top).isEmpty());
        }
    }

    /** Where the copy is that the disk in {@code directory} stands on; null if it stands on none. Opens nothing. */
    public static @Nullable String copyBelow(ImageDirectory directory) throws IOException {
        var parent = readDescriptor(directory).parent();
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
        var files = readDescriptor(directory).files();
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
     * Deletes the images of a chain that it does not name: what a crash left of a flatten, mostly. An opening does it, too. The
     * caller sees to it that nobody has the chain open for writing.
     */
    public static void deleteStrays(ImageDirectory directory) throws IOException {
        deleteStrays(directory, readDescriptor(directory).files());
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
        synchronized (structureLock) {
            if (!canFlatten(view)) {
                throw new IllegalStateException(
                        directory.location() + ": view " + view + " cannot be made flat");
            }
            String name = ChainDescriptor.flatName(view);
            if (directory.list().contains(name)) {
                // Of one that was cancelled; if its end failed, the chain on disk may name it until it is replaced.
                replaceDescriptor(layers);
                directory.delete(name);
            }
            var image =
                    LayerImage.createExact(directory, name, new ImageHeader(geometry, id, view));
            var flatten = new Flatten(this, view, image);
            synchronized (holdsLock) {
                working = flatten;
            }
            return flatten;
        }
    }

    private boolean canFlatten(int view) {
        synchronized (holdsLock) {
            var list = layers;
            if (view < 0 || view > nextFlatten()) {
                return false;
            }
            int index = list.indexOf(view);
            return index < 0
                    ? list.below() != null && view == firstLayer() - 1
                    : list.get(index).last() == view && !list.isBottom(index);
        }
    }

    void finish(Flatten flatten) throws IOException {
        // Before the lock, for which the next checkpoint's overlay may wait.
        flatten.image().sync();
        synchronized (structureLock) {
            directory.sync();
            int view = flatten.view();
            prune(new LayerList.Entry(view, view, false, true, flatten.image()));
            ended(flatten);
        }
    }

    /** @param mayBeNamed the chain on disk may name its image: then the next opening tells, or the next flatten */
    void cancel(Flatten flatten, boolean mayBeNamed) {
        ended(flatten);
        flatten.image().close();
        if (!mayBeNamed) {
            deleteOrLeave(flatten.image().name());
        }
    }

    /** Whether {@link #dropUnseen} would find something. */
    public boolean hasUnseen() {
        synchronized (holdsLock) {
            // Only what is below a flat file can be unseen.
            int flat = layers.flatAtOrBelow(Integer.MAX_VALUE);
            return !readOnly && working == null
                    && (flat > 0 || (flat == 0 && layers.below() != null))
                    && isLess(layers.pruned(null, viewsHeld()), layers);
        }
    }

    private static boolean isLess(LayerList after, LayerList before) {
        return after.size() < before.size() || (after.below() == null && before.below() != null);
    }

    /** Deletes the files below a flat one that nobody's view needs any more, and lets go of the parent. Blocks. */
    public void dropUnseen() throws IOException {
        synchronized (structureLock) {
            prune(null);
        }
    }

    /** Under structureLock. */
    private void prune(LayerList.@Nullable Entry flat) throws IOException {
        LayerList before;
        LayerList after;
        synchronized (holdsLock) {
            before = layers;
            after = before.pruned(flat, viewsHeld());
            if (flat == null && !isLess(after, before)) {
                return;
            }
            var parent = after.below();
            if (flat != null && parent != null && flat.last() <= parent.place().view()) {
                throw new IllegalStateException(directory.location() + ": cannot be made flat: "
                        + "a view of its parent is held through it");
            }
            // From now on nobody can begin to hold what goes.
            following = after;
        }
        var unseen = after.below() == null ? before.below() : null;
        var heldOfParent = new ArrayList<Integer>();
        try {
            replaceDescriptor(after);
            synchronized (holdsLock) {
                layers = after;
                if (unseen != null && holds != null) {
                    holds.headMap(unseen.place().view(), true).forEach((view, count) -> heldOfParent
                            .addAll(Collections.nCopies(count, view)));
                }
            }
        } finally {
            following = null;
        }
        var kept = after.toFiles().stream().map(ChainDescriptor.LayerFile::name).toList();
        for (var entry : before.toList()) {
            if (!kept.contains(entry.image().name())) {
                entry.image().close();
                deleteOrLeave(entry.image().name());
            }
        }
        if (unseen != null) {
            heldOfParent.forEach(unseen.chain()::release);
            unseen.chain().release(unseen.view());
            unseen.chain().close();
        }
    }

    /** Under holdsLock. */
    private SortedSet<Integer> viewsHeld() {
        return holds == null ? Collections.emptySortedSet() : holds.navigableKeySet();
    }

    /** The groups that may have data as of {@code view}: all others are zeros. */
    BitSet groupsWithData(int view) {
        var groups = new BitSet(geometry.groupCount());
        addGroupsWithData(view, groups);
        return groups;
    }

    private void addGroupsWithData(int view, BitSet groups) {
        var list = layers;
        int flat = list.flatAtOrBelow(view);
        var below = list.below();
        if (flat < 0 && below != null) {
            below.chain().addGroupsWithData(Math.min(view, below.view()), groups);
        }
        for (int i = Math.max(0, flat); i < list.size() && list.get(i).first() <= view; i++) {
            for (long cell : list.get(i).image().cells()) {
                groups.set(GroupTable.groupOf(cell),
                        !GroupState.isZeros(GroupTable.valueOf(cell)));
            }
        }
    }

    void committedOne() {
        groupsCommitted.incrementAndGet();
    }

    /** What is held while a group changes its state in an image. Shared with other groups, so never two at once. */
    Object lockOf(LayerImage image, int group) {
        int hash = (image.name().hashCode() * 31 + directory.hashCode()) * 31 + group;
        return GROUP_LOCKS[(hash * 0x9E3779B9) >>> 22];
    }

    public ChainStats stats() {
        return new ChainStats(layers.size(), faults.get(), faultBytesCopied.get(),
                groupsCommitted.get(),
                bytesOnDisk());
    }

    /** What the chain's own files take, a clone's parent's not counted. */
    public long bytesOnDisk() {
        long bytes = 0;
        for (var entry : layers.toList()) {
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
        if (users.decrementAndGet() != 0) {
            return;
        }
        for (var entry : layers.toList()) {
            entry.image().close();
        }
        var below = layers.below();
        if (below != null) {
            below.chain().release(below.view());
            below.chain().close();
        }
        synchronized (holdsLock) {
            if (working instanceof Flatten flatten) {
                flatten.image().close();
            }
        }
    }

    void readGroup(int view, int group, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        for (;;) {
            var list = layers;
            try {
                readGroup(list, view, group, offset, target, targetOffset, bytes);
                return;
            } catch (ClosedImageException e) {
                // Committed away between finding the file and reading it: the group is in the file below by now.
                if (!readOnly || isCopy() || list != layers) {
                    checkChanged(list, e);
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
                        directory.location() + ": cannot read view " + view
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
            below.chain().readGroup(Math.min(view, below.view()), group, offset, target,
                    targetOffset, bytes);
        } else {
            fillZeros(target, targetOffset, bytes);
        }
    }

    /** Whether all of {@code group} is known to be zeros as of {@code view}, without reading it. */
    public boolean isKnownZeros(int view, long group) {
        return isZeros(view, checkGroup(group));
    }

    private boolean isZeros(int view, int group) {
        var list = layers;
        var below = list.below();
        for (int i = startOf(list, view, group); i >= 0; i--) {
            long value = list.get(i).image().lookup(group);
            if (value != GroupState.ABSENT || list.get(i).flat()) {
                return value == GroupState.ABSENT || GroupState.isZeros(value);
            }
        }
        return below == null || below.chain().isZeros(Math.min(view, below.view()), group);
    }

    /** The highest file that may have the group as of {@code view}; not below a flat one, which has everything. */
    private int startOf(LayerList list, int view, int group) {
        int highest = (int) merged.get(group) - 1;
        return Math.max(list.indexAtOrBelow(Math.min(highest, view)), list.flatAtOrBelow(view));
    }

    private static void fillZeros(MemorySegment target, long offset, int bytes) {
        MemorySegment.copy(Scratch.ZEROS, 0, target, offset, bytes);
    }

    private void merge(int group, int layer) {
        synchronized (merged) {
            if (merged.get(group) <= layer) {
                merged.put(group, layer + 1L);
            }
        }
    }

    private void mergeIndices() {
        for (var entry : layers.toList()) {
            for (long cell : entry.image().cells()) {
                merge(GroupTable.groupOf(cell), entry.last());
            }
        }
    }

    private void makeDurable() throws IOException {
        if (durable) {
            return;
        }
        synchronized (structureLock) {
            if (durable) {
                return;
            }
            // A commit cannot have been first: the overlay that it needs makes everything durable.
            for (var entry : layers.toList()) {
                entry.image().sync();
            }
            replaceDescriptor(layers);
        }
    }

    /** Under structureLock. */
    private void replaceDescriptor(LayerList list) throws IOException {
        generation++;
        var descriptor =
                new ChainDescriptor(generation, geometry, id, nextLayer, placeOf(list),
                        list.toFiles());
        directory.replace(ChainDescriptor.FILE, descriptor.encode());
        durable = true;
    }

    private static ChainDescriptor.@Nullable Parent placeOf(LayerList list) {
        var below = list.below();
        return below == null ? null : below.place();
    }

    /** Under holdsLock. */
    private @Nullable String whyNotCommit(int layer) {
        var list = layers;
        int index = list.indexOf(layer);
        if (readOnly) {
            return "it is open to be read only";
        }
        if (index < 0) {
            return "there is no such layer";
        }
        if (list.get(index).last() >= top) {
            return "it is the top";
        }
        if (index == 0) {
            return "nothing of this disk lies below it";
        }
        if (working != null) {
            return "another commit or a flatten is under way";
        }
        var upper = list.get(index);
        var lower = list.get(index - 1);
        if (upper.flat()) {
            return "it is flat: what lies below goes when nobody needs it";
        }
        // Views from upper.last on see both files and go on seeing the same. Views below lower.first see neither.
        var hurt = holds == null ? null : holds.subMap(lower.first(), upper.last());
        return hurt == null || hurt.isEmpty() ? null : "view " + hurt.firstKey() + " is held";
    }

    private void checkChanged(LayerList seen, ClosedImageException e) throws ClosedImageException {
        if (layers == seen) {
            throw e;
        }
    }

    /** Another instance deleted a file of a chain that is open read-only: finds out which file has its groups now. */
    private void reload(LayerList seen, ClosedImageException cause) throws IOException {
        synchronized (structureLock) {
            if (layers != seen || users.get() == 0) {
                checkChanged(seen, cause);
                return;
            }
            for (;;) {
                var descriptor = readDescriptor(directory);
                if (descriptor.generation() == generation) {
                    throw cause;
                }
                generation = descriptor.generation();
                checkVisible(directory, descriptor, top);
                var files =
                        descriptor.files().stream().filter(file -> file.first() <= top).toList();
                try {
                    // The merged index stays: a commit changes in which file a layer is, not which layer holds a group.
                    layers = openLayers(directory, descriptor, files, false)
                            .on(seen.below());
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

    /**
     * How to find, from {@code directory}, the chain that the one in it starts from; null: it has a base of its own. Opens no
     * image.
     */
    public static @Nullable String parentOf(ImageDirectory directory) throws IOException {
        var parent = readDescriptor(directory).parent();
        return parent == null ? null : parent.locator();
    }

    static ChainDescriptor readDescriptor(ImageDirectory directory) throws IOException {
        String where = LayerImage.where(directory, ChainDescriptor.FILE);
        try {
            return ChainDescriptor.decode(where, directory.read(ChainDescriptor.FILE));
        } catch (NoSuchFileException e) {
            throw new DamagedImageException(where, 0,
                    "the file is missing, so there is no disk here");
        }
    }

    private static LayerList openLayers(ImageDirectory directory, ChainDescriptor descriptor,
            List<ChainDescriptor.LayerFile> files, boolean writable) throws IOException {
        var entries = new ArrayList<LayerList.Entry>();
        try {
            for (var file : files) {
                var header = new ImageHeader(descriptor.geometry(), descriptor.id(),
                        file.headerLayer());
                var image = LayerImage.open(directory, file.name(), header, writable);
                entries.add(new LayerList.Entry(file.first(), file.last(), file.absorbing(),
                        file.flat(), image));
            }
            return new LayerList(entries);
        } catch (IOException e) {
            for (var entry : entries) {
                entry.image().close();
            }
            if (e instanceof NoSuchFileException) {
                var missing = files.get(entries.size()).name();
                throw new DamagedImageException(LayerImage.where(directory, missing), 0,
                        "the file is missing");
            }
            throw e;
        }
    }

    private static @Nullable DiskChain openParent(ImageDirectory directory,
            ChainDescriptor descriptor,
            @Nullable DiskChain open, int view, List<String> above) throws IOException {
        var place = descriptor.parent();
        if (place == null) {
            return null;
        }
        if (open == null && place.isCopy()) {
            open = openCopy(resolve(directory, place), place.file());
        } else if (open == null) {
            var line = new ArrayList<>(above);
            line.add(directory.location());
            if (above.contains(directory.location())) {
                throw new DamagedImageException(LayerImage.where(directory, ChainDescriptor.FILE),
                        ChainDescriptor.ENVELOPE_HEAD, "the chain starts from itself");
            }
            open = openReadOnly(resolve(directory, place), Math.min(view, place.view()), line);
        } else {
            open.users.incrementAndGet();
        }
        try {
            if (!open.geometry.equals(descriptor.geometry())) {
                throw new DamagedImageException(open.directory.location(), 0,
                        "it has another geometry than "
                                + directory.location() + ", which starts from it");
            }
            open.hold(Math.min(view, place.view()));
            return open;
        } catch (IOException | RuntimeException e) {
            open.close();
            throw e;
        }
    }

    private static ImageDirectory resolve(ImageDirectory directory, ChainDescriptor.Parent place)
            throws DamagedImageException {
        try {
            return directory.resolve(place.locator());
        } catch (InvalidPathException e) {
            throw new DamagedImageException(LayerImage.where(directory, ChainDescriptor.FILE),
                    ChainDescriptor.ENVELOPE_HEAD,
                    "that is no place of a parent: " + e.getMessage());
        }
    }

    /** See {@link DiskCopy#open}. */
    static DiskChain openCopy(ImageDirectory directory, String name) throws IOException {
        LayerImage image;
        try {
            image = LayerImage.openAlone(directory, name);
        } catch (NoSuchFileException e) {
            throw new DamagedImageException(LayerImage.where(directory, name), 0,
                    "the file is missing");
        }
        var header = image.header();
        if (!header.hasSums() || image.plainCount() > 0) {
            image.close();
            throw new DamagedImageException(image.where(), 0,
                    "this is a layer of a chain, and no copy that speaks for itself");
        }
        var entry = new LayerList.Entry(0, header.layer(), false, true, image);
        var descriptor = new ChainDescriptor(0, header.geometry(), header.id(), header.layer() + 1,
                null, List.of(entry.toFile()));
        var opened = new DiskChain(directory, descriptor, null, header.layer(),
                new LayerList(List.of(entry)), true, true, name);
        opened.mergeIndices();
        return opened;
    }

    private static void closeParent(@Nullable DiskChain parent, ChainDescriptor descriptor,
            int view,
            Exception cause) {
        if (parent != null && descriptor.parent() != null) {
            try {
                parent.release(Math.min(view, descriptor.parent().view()));
                parent.close();
            } catch (RuntimeException e) {
                cause.addSuppressed(e);
            }
        }
    }

    private static void checkVisible(ImageDirectory directory, ChainDescriptor descriptor, int view)
            throws UnknownViewException {
        String reason = view < 0 || view >= descriptor.nextLayer()
                ? "its layers go up to " + (descriptor.nextLayer() - 1)
                : LayerList.whyNotVisible(descriptor.files(), view);
        if (reason != null) {
            throw new UnknownViewException(directory.location(), view, reason);
        }
    }

    /** Files that no descriptor names: made or dropped just before a crash. */
    private void deleteStrays() throws IOException {
        deleteStrays(directory, layers.toFiles());
    }

    private static void deleteStrays(ImageDirectory directory,
            List<ChainDescriptor.LayerFile> files) throws IOException {
        var named = files.stream().map(ChainDescriptor.LayerFile::name).toList();
        for (String name : directory.list()) {
            if (ChainDescriptor.isImageName(name) && !named.contains(name)) {
                directory.delete(name);
            }
        }
    }

    private int checkWrite(int layer, long position, long bytes) {
        checkRange(position, bytes);
        checkWritable(layer);
        int group = geometry.groupOf(position);
        if (bytes > geometry.positionOf(group) + geometry.groupBytes() - position) {
            throw new IllegalArgumentException(
                    bytes + " bytes at " + position + " do not lie in one block group");
        }
        return group;
    }

    private void checkWritable(int layer) {
        checkNotReadOnly();
        if (layer > top || layers.indexOf(layer) < 0) {
            throw new IllegalArgumentException(
                    directory.location() + ": layer " + layer + " takes no writes, its top is "
                            + top);
        }
    }

    private void checkNotReadOnly() {
        if (readOnly) {
            throw new IllegalStateException(directory.location() + ": open to be read only");
        }
    }

    private void checkRange(long position, long bytes) {
        boolean aligned = (position | bytes) % DiskGeometry.SECTOR_BYTES == 0;
        if (!aligned || position < 0 || bytes <= 0 || bytes > geometry.sizeBytes() - position) {
            throw new IllegalArgumentException(bytes + " bytes at " + position
                    + " are no sectors of a disk of " + geometry.sizeBytes() + " bytes");
        }
    }

    private int checkGroup(long group) {
        if (group < 0 || group >= geometry.groupCount()) {
            throw new IllegalArgumentException(
                    "block group " + group + " is not one of " + geometry.groupCount());
        }
        return (int) group;
    }

    private static Object[] groupLocks(int count) {
        var locks = new Object[count];
        for (int i = 0; i < count; i++) {
            locks[i] = new Object();
        }
        return locks;
    }
}
