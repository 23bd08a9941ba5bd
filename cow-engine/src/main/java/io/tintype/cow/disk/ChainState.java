package io.tintype.cow.disk;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of one open chain have in common: which files it has, in memory and on disk, and which layer is the top. Any
 * thread may ask; whoever changes which files there are holds {@link #structureLock}, during input and output too.
 */
final class ChainState {
    // Groups that share a lock only wait for each other's faults; so few faults run at once that this many never do.
    private static final Object[] GROUP_LOCKS = groupLocks(1024);

    private final ImageDirectory directory;
    private final DiskGeometry geometry;
    private final ChainId id;
    private final boolean readOnly;

    /** The only file of a {@link DiskCopy}; empty for a chain. */
    private final String copyName;

    private volatile LayerList layers;

    /** While the chain on disk is replaced: what {@link #layers} will be if that succeeds; else null. */
    private volatile @Nullable LayerList following;
    private volatile int top;
    private volatile boolean durable;

    private final Object structureLock = new Object();

    // Guarded by structureLock.
    private long generation;
    private int nextLayer;

    private final AtomicInteger users = new AtomicInteger(1);

    /** @param copyName empty for a chain */
    ChainState(ImageDirectory directory, ChainDescriptor descriptor, @Nullable DiskChain parent,
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

    ImageDirectory directory() {
        return directory;
    }

    /** For messages. */
    String location() {
        return directory.location();
    }

    DiskGeometry geometry() {
        return geometry;
    }

    ChainId id() {
        return id;
    }

    boolean isReadOnly() {
        return readOnly;
    }

    boolean isCopy() {
        return !copyName.isEmpty();
    }

    String copyName() {
        return copyName;
    }

    Object structureLock() {
        return structureLock;
    }

    LayerList layers() {
        return layers;
    }

    void setLayers(LayerList list) {
        layers = list;
    }

    @Nullable
    LayerList following() {
        return following;
    }

    void setFollowing(@Nullable LayerList list) {
        following = list;
    }

    int top() {
        return top;
    }

    void setTop(int layer) {
        top = layer;
    }

    /** See {@link DiskChain#files}. */
    int files() {
        return layers.files();
    }

    /** See {@link DiskChain#firstLayer}. */
    int firstLayer() {
        return layers.firstLayer();
    }

    void addUser() {
        users.incrementAndGet();
    }

    /** Whether that was the last. */
    boolean removeUser() {
        return users.decrementAndGet() == 0;
    }

    int users() {
        return users.get();
    }

    /** Under the structure lock. */
    long generation() {
        return generation;
    }

    /** Of a read-only chain that another process changed. Under the structure lock. */
    void reread(long newGeneration) {
        generation = newGeneration;
    }

    /** A number that no layer has had. Under the structure lock. */
    int takeLayer() {
        return nextLayer++;
    }

    /** Whether the chain's first description is on disk for good. */
    boolean isDurable() {
        return durable;
    }

    void makeDurable() throws IOException {
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

    /** Describes {@code list} on disk. Under the structure lock. */
    void replaceDescriptor(LayerList list) throws IOException {
        generation++;
        var below = list.below();
        var descriptor = new ChainDescriptor(generation, geometry, id, nextLayer,
                below == null ? null : below.place(), list.toFiles());
        directory.replace(ChainDescriptor.FILE, descriptor.encode());
        durable = true;
    }

    /** Of a file that the chain does not name any more: if it cannot be deleted now, the next opening does it. */
    void deleteOrLeave(String name) {
        try {
            directory.delete(name);
        } catch (IOException e) {
            // The change itself is done and durable: to fail it now would make the caller do it again.
            return;
        }
    }

    /** Lets the caller look again if the files are others than those that it saw. */
    void checkChanged(LayerList seen, ClosedImageException e) throws ClosedImageException {
        if (layers == seen) {
            throw e;
        }
    }

    /** What is held while a group changes its state in an image. Shared with other groups, so never two at once. */
    Object lockOf(LayerImage image, int group) {
        int hash = (image.name().hashCode() * 31 + directory.hashCode()) * 31 + group;
        return GROUP_LOCKS[(hash * 0x9E3779B9) >>> 22];
    }

    void checkNotReadOnly() {
        if (readOnly) {
            throw new IllegalStateException(directory.location() + ": open to be read only");
        }
    }

    void checkRange(long position, long bytes) {
        boolean aligned = (position | bytes) % DiskGeometry.SECTOR_BYTES == 0;
        if (!aligned || position < 0 || bytes <= 0 || bytes > geometry.sizeBytes() - position) {
            throw new IllegalArgumentException(bytes + " bytes at " + position
                    + " are no sectors of a disk of " + geometry.sizeBytes() + " bytes");
        }
    }

    int checkGroup(long group) {
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
