package io.tintype.cow.disk;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Looks into the files of disks and writes nothing, whoever else uses them: for people who ask what is there, and whether it
 * is as it was written.
 */
public final class DiskInspector {
    /**
     * One image file.
     *
     * @param absorbing a commit into it has begun and not ended
     * @param flat it holds everything, so that nothing below is asked
     * @param groups block groups with data
     * @param zeroGroups block groups that are marked as zeros
     * @param sealedGroups of those with data, the ones whose blocks have checksums
     * @param bytesOnDisk what it takes, holes between its slots left out
     */
    public record FileInfo(String name, int formatVersion, int firstLayer, int lastLayer,
            boolean absorbing, boolean flat, int groups, int zeroGroups, int sealedGroups,
            long bytesOnDisk) {}

    /**
     * What the lowest file stands on.
     *
     * @param view the highest layer that is seen of it
     * @param chain null where the parent cannot be looked into, and then {@code problem} says why
     */
    public record ParentInfo(int view, String location, @Nullable ChainInfo chain,
            @Nullable String problem) {}

    /**
     * A chain, or a copy of a disk.
     *
     * @param file the name of a copy's only file; null for a chain
     * @param generation changes of the chain, 0 for a copy
     * @param unfinishedCommit the layer whose commit a crash may have come into; -1 for none
     * @param files lowest first
     * @param strays image files that the chain does not name; the next opening for writing deletes them
     */
    public record ChainInfo(String location, @Nullable String file, int formatVersion,
            long generation, long sizeBytes, int groupBytes, String id, int top,
            int unfinishedCommit, List<FileInfo> files, List<String> strays,
            @Nullable ParentInfo parent) {
        public ChainInfo {
            files = List.copyOf(files);
            strays = List.copyOf(strays);
        }

        /** Files that a read of the top may have to ask. */
        public int depth() {
            int depth = 0;
            for (int i = files.size() - 1; i >= 0; i--) {
                depth++;
                if (files.get(i).flat()) {
                    return depth;
                }
            }
            var below = parent == null ? null : parent.chain();
            return depth + (below == null ? 0 : below.depth());
        }

        /** What its own files take. */
        public long bytesOnDisk() {
            return files.stream().mapToLong(FileInfo::bytesOnDisk).sum();
        }
    }

    /**
     * What a check found.
     *
     * @param damages empty if all is well
     * @param provedBytes of data that fit their checksums
     * @param unprovedBytes of data that have none in the files: live data of a chain that is in use, or that was when its process was
     *     killed
     * @param hiddenBytes of data that a commit under way is about to write anew
     */
    public record Checked(List<DamagedImageException> damages, long provedBytes, long unprovedBytes,
            long hiddenBytes) {
        public Checked {
            damages = List.copyOf(damages);
        }
    }

    /** Chains under which another one is looked into; more than any that is made. */
    private static final int PARENTS_MAX = 1000;

    /** How often what looks damaged is looked at again when the chain has changed meanwhile. */
    private static final int CHECKS_MAX = 20;

    private DiskInspector() {}

    /** Whether there is a chain. */
    public static boolean isChain(ImageDirectory directory) throws IOException {
        return directory.list().contains(ChainDescriptor.FILE);
    }

    /**
     * Looks into a chain and those that it stands on.
     *
     * @throws DamagedImageException if its descriptor, or header or index of one of its files is damaged
     */
    public static ChainInfo chain(ImageDirectory directory) throws IOException {
        return chain(directory, PARENTS_MAX);
    }

    private static ChainInfo chain(ImageDirectory directory, int parentsMax) throws IOException {
        for (int tries = 1;; tries++) {
            var descriptor = ChainOpener.readDescriptor(directory);
            try {
                var files = new ArrayList<FileInfo>();
                for (var file : descriptor.files()) {
                    files.add(file(directory, descriptor, file));
                }
                return info(directory, descriptor, files, parentsMax);
            } catch (IOException e) {
                if (tries == CHECKS_MAX || !hasChanged(directory, descriptor)) {
                    throw e;
                }
            }
        }
    }

    private static ChainInfo info(ImageDirectory directory, ChainDescriptor descriptor,
            List<FileInfo> files, int parentsMax) throws IOException {
        var named = files.stream().map(FileInfo::name).toList();
        var strays = directory.list().stream()
                .filter(name -> ChainDescriptor.isImageName(name) && !named.contains(name))
                .toList();
        int unfinished = -1;
        for (int i = files.size() - 2; i >= 0; i--) {
            unfinished = files.get(i).absorbing() ? files.get(i + 1).lastLayer() : unfinished;
        }
        return new ChainInfo(directory.location(), null, ChainDescriptor.VERSION,
                descriptor.generation(), descriptor.geometry().sizeBytes(),
                descriptor.geometry().groupBytes(), descriptor.id().toString(),
                files.getLast().lastLayer(), unfinished, files, strays,
                parent(directory, descriptor, parentsMax));
    }

    private static @Nullable ParentInfo parent(ImageDirectory directory, ChainDescriptor descriptor,
            int parentsMax) {
        var place = descriptor.parent();
        if (place == null) {
            return null;
        }
        var below = directory.resolve(place.locator());
        var where = below.location() + (place.isCopy() ? "/" + place.file() : "");
        if (parentsMax == 0) {
            return new ParentInfo(place.view(), where, null, "too many disks stand on each other");
        }
        try {
            var info = place.isCopy() ? copy(below, place.file()) : chain(below, parentsMax - 1);
            return new ParentInfo(place.view(), where, info, null);
        } catch (IOException e) {
            return new ParentInfo(place.view(), where, null, String.valueOf(e.getMessage()));
        }
    }

    /** Looks into one file that is a copy of a disk, or one image of a chain. */
    public static ChainInfo copy(ImageDirectory directory, String name) throws IOException {
        var image = open(directory, name);
        try {
            var header = image.header();
            var file = file(image, header.layer(), header.layer(), false, image.plainCount() == 0);
            return new ChainInfo(directory.location(), name, header.version(), 0,
                    header.geometry().sizeBytes(), header.geometry().groupBytes(),
                    header.id().toString(), header.layer(), -1, List.of(file), List.of(), null);
        } finally {
            image.close();
        }
    }

    private static LayerImage open(ImageDirectory directory, String name) throws IOException {
        try {
            return LayerImage.openAlone(directory, name);
        } catch (NoSuchFileException e) {
            throw missing(directory, name);
        }
    }

    private static FileInfo file(ImageDirectory directory, ChainDescriptor descriptor,
            ChainDescriptor.LayerFile file) throws IOException {
        var image = open(directory, descriptor, file);
        try {
            return file(image, file.first(), file.last(), file.absorbing(), file.flat());
        } finally {
            image.close();
        }
    }

    private static LayerImage open(ImageDirectory directory, ChainDescriptor descriptor,
            ChainDescriptor.LayerFile file) throws IOException {
        try {
            return LayerImage.open(directory, file.name(),
                    new ImageHeader(descriptor.geometry(), descriptor.id(), file.headerLayer()),
                    false);
        } catch (NoSuchFileException e) {
            throw missing(directory, file.name());
        }
    }

    private static DamagedImageException missing(ImageDirectory directory, String name) {
        return new DamagedImageException(LayerImage.where(directory, name), 0,
                "the file is missing");
    }

    private static FileInfo file(LayerImage image, int first, int last, boolean absorbing,
            boolean flat) {
        int groups = 0;
        int zeros = 0;
        int sealed = 0;
        for (long cell : image.cells()) {
            long value = GroupTable.valueOf(cell);
            groups += GroupState.isPresent(value) ? 1 : 0;
            sealed += GroupState.isSealed(value) ? 1 : 0;
            zeros += GroupState.isZeros(value) ? 1 : 0;
        }
        return new FileInfo(image.name(), image.header().version(), first, last, absorbing, flat,
                groups, zeros, sealed, image.bytesOnDisk());
    }

    private static boolean hasChanged(ImageDirectory directory, ChainDescriptor descriptor)
            throws IOException {
        return ChainOpener.readDescriptor(directory).generation() != descriptor.generation();
    }

    /**
     * Reads all of a chain's own files and proves what has checksums: descriptor, headers, indices and the blocks of sealed
     * groups. Not those of its parent.
     *
     * @param progress takes bytes of data as they are read
     * @throws NewerVersionException if a file is of a format unknown here
     */
    public static Checked check(ImageDirectory directory, LongConsumer progress)
            throws IOException {
        for (int tries = 1;; tries++) {
            ChainDescriptor descriptor;
            try {
                descriptor = ChainOpener.readDescriptor(directory);
            } catch (DamagedImageException damaged) {
                return new Checked(List.of(damaged), 0, 0, 0);
            }
            var checked = check(directory, descriptor, progress);
            if (checked.damages.isEmpty() || tries == CHECKS_MAX
                    || !hasChanged(directory, descriptor)) {
                return checked;
            }
        }
    }

    private static Checked check(ImageDirectory directory, ChainDescriptor descriptor,
            LongConsumer progress) throws IOException {
        var damages = new ArrayList<DamagedImageException>();
        var images = new HashMap<Integer, LayerImage>();
        long proved = 0;
        long unproved = 0;
        long hidden = 0;
        try {
            var files = descriptor.files();
            for (int i = 0; i < files.size(); i++) {
                try {
                    images.put(i, open(directory, descriptor, files.get(i)));
                } catch (DamagedImageException damaged) {
                    damages.add(damaged);
                }
            }
            for (int i = 0; i < files.size(); i++) {
                var image = images.get(i);
                if (image == null) {
                    continue;
                }
                // What a commit has begun to write anew is read from the file above until it ends.
                var hides = files.get(i).absorbing() ? images.get(i + 1) : null;
                long all = dataBytes(image, null);
                long seen = hides == null ? all : dataBytes(image, hides);
                long plain = ImageProof.verify(image,
                        group -> hides == null || hides.lookup(group) == GroupState.ABSENT,
                        progress, damages::add);
                hidden += all - seen;
                unproved += plain;
                proved += seen - plain;
            }
        } finally {
            images.values().forEach(LayerImage::close);
        }
        return new Checked(damages, damages.isEmpty() ? proved : 0, unproved, hidden);
    }

    private static long dataBytes(LayerImage image, @Nullable LayerImage hides) {
        long bytes = 0;
        for (long cell : image.cells()) {
            int group = GroupTable.groupOf(cell);
            boolean isSeen = hides == null || hides.lookup(group) == GroupState.ABSENT;
            bytes += isSeen && GroupState.isPresent(GroupTable.valueOf(cell))
                    ? image.header().geometry().groupLength(group)
                    : 0;
        }
        return bytes;
    }

    /** The same for a single file: a copy of a disk, or one image of a chain. */
    public static Checked checkFile(ImageDirectory directory, String name, LongConsumer progress)
            throws IOException {
        var damages = new ArrayList<DamagedImageException>();
        try {
            var image = open(directory, name);
            try {
                long all = dataBytes(image, null);
                long plain = ImageProof.verify(image, _ -> true, progress, damages::add);
                return new Checked(damages, damages.isEmpty() ? all - plain : 0, plain, 0);
            } finally {
                image.close();
            }
        } catch (DamagedImageException damaged) {
            return new Checked(List.of(damaged), 0, 0, 0);
        }
    }
}
