package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Makes and opens chains: finds their files, and those that they stand on, and checks what they say of themselves. */
final class ChainOpener {
    /** The generation of a chain's first description. */
    static final long AS_MADE = 1;

    /** How often a chain is read again because files went away meanwhile: a writer commits about once a second. */
    private static final int OPENS_MAX = 100;

    private ChainOpener() {}

    static DiskChain create(ImageDirectory directory, DiskGeometry geometry, ChainId id,
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
                new ChainDescriptor(AS_MADE, geometry, id, layer + 1, place,
                        List.of(entry.toFile()));
        try (var file = directory.create(ChainDescriptor.FILE)) {
            var bytes = descriptor.encode();
            file.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        } catch (IOException e) {
            image.close();
            LayerImage.deleteQuietly(directory, ChainDescriptor.FILE, e);
            LayerImage.deleteQuietly(directory, name, e);
            throw e;
        }
        return new DiskChain(new ChainState(directory, descriptor, parent, Integer.MAX_VALUE,
                new LayerList(List.of(entry)), false, false, ""));
    }

    static DiskChain open(ImageDirectory directory, @Nullable DiskChain openParent)
            throws IOException {
        var descriptor = readDescriptor(directory);
        var parent = openParent(directory, descriptor, openParent, Integer.MAX_VALUE, List.of());
        try {
            var layers = openLayers(directory, descriptor, descriptor.files(), true);
            var opened = new DiskChain(new ChainState(directory, descriptor, parent,
                    Integer.MAX_VALUE, layers, false, true, ""));
            deleteStrays(directory, layers.toFiles());
            return opened;
        } catch (IOException | RuntimeException e) {
            closeParent(parent, descriptor, Integer.MAX_VALUE, e);
            throw e;
        }
    }

    /** @param above where the chains are that start from this one, directly or not */
    static DiskChain openReadOnly(ImageDirectory directory, int view, List<String> above)
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

    private static DiskChain openReadOnly(ImageDirectory directory, ChainDescriptor descriptor,
            int view, List<String> above)
            throws IOException {
        checkVisible(directory, descriptor, view);
        var parent = openParent(directory, descriptor, null, view, above);
        try {
            var files = descriptor.files().stream().filter(file -> file.first() <= view).toList();
            return new DiskChain(new ChainState(directory, descriptor, parent, view,
                    openLayers(directory, descriptor, files, false), true, true, ""));
        } catch (IOException | RuntimeException e) {
            closeParent(parent, descriptor, view, e);
            throw e;
        }
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

    static LayerList openLayers(ImageDirectory directory, ChainDescriptor descriptor,
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
            open.addUser();
        }
        try {
            if (!open.geometry().equals(descriptor.geometry())) {
                throw new DamagedImageException(open.directory().location(), 0,
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
        return new DiskChain(new ChainState(directory, descriptor, null, header.layer(),
                new LayerList(List.of(entry)), true, true, name));
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

    static void checkVisible(ImageDirectory directory, ChainDescriptor descriptor, int view)
            throws UnknownViewException {
        String reason = view < 0 || view >= descriptor.nextLayer()
                ? "its layers go up to " + (descriptor.nextLayer() - 1)
                : LayerList.whyNotVisible(descriptor.files(), view);
        if (reason != null) {
            throw new UnknownViewException(directory.location(), view, reason);
        }
    }

    /** Files that no descriptor names: made or dropped just before a crash. */
    static void deleteStrays(ImageDirectory directory, List<ChainDescriptor.LayerFile> files)
            throws IOException {
        for (String name : strays(directory, files)) {
            directory.delete(name);
        }
    }

    static List<String> strays(ImageDirectory directory, List<ChainDescriptor.LayerFile> files)
            throws IOException {
        var named = files.stream().map(ChainDescriptor.LayerFile::name).toList();
        var strays = new ArrayList<String>();
        for (String name : directory.list()) {
            if (ChainDescriptor.isImageName(name) && !named.contains(name)) {
                strays.add(name);
            }
        }
        return strays;
    }
}
