package io.tintype.vm;

import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.Catalogues;
import io.tintype.catalogue.JournalPlace;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.MemoryImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import io.tintype.store.StoreFiles;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * What a host stands on: storage, files and threads, and which ordering rules hold. Programs get {@link #of}, some with a
 * disk of their own. The rest is public for simulators alone: the live runtime has no switch for rules.
 *
 * @param rules all on, but where a test breaks one to see its oracle cry out
 * @param diskIo when and where disk operations run; the host closes it
 * @param images the images of a disk, by their directory's path relative to the store; also the directories of checkpoints, for
 *     copies of disks
 * @param storeFiles the file system under the checkpoint store
 * @param blocking stands between the host and the threads for overlays, syncs, commits and manifests
 * @param saving stands between the host and the threads that copy frozen pages into the store
 * @param orderedDisks whether disks complete overlapping requests in the order of issue
 * @param groupBytes the unit of copy-on-write of new disks
 * @param world time, memory and actors
 * @param catalogue opens the catalogue of a store that was just opened
 */
public record HostPorts(
        Rules rules,
        DiskIo diskIo,
        Function<String, ImageDirectory> images,
        StoreFiles storeFiles,
        UnaryOperator<Executor> blocking,
        UnaryOperator<Executor> saving,
        boolean orderedDisks,
        int groupBytes,
        Supplier<HostWorld> world,
        CatalogueOpener catalogue) {
    /** Opens a catalogue beside what its caller does next. */
    @FunctionalInterface
    public interface CatalogueOpener {
        /** Returns the catalogue of {@code store}, or says in one line why there is none. */
        Catalogue open(CheckpointStore store) throws StoreException;
    }

    /** With a catalogue that is gone with the host. */
    public HostPorts(
            Rules rules,
            DiskIo diskIo,
            Function<String, ImageDirectory> images,
            StoreFiles storeFiles,
            UnaryOperator<Executor> blocking,
            UnaryOperator<Executor> saving,
            boolean orderedDisks,
            int groupBytes,
            Supplier<HostWorld> world) {
        this(rules, diskIo, images, storeFiles, blocking, saving, orderedDisks, groupBytes, world,
                store -> Catalogues.inMemory(new MemoryJournal(), store, InstantSource.system()));
    }

    /** On this machine's clock, memory and threads. */
    HostPorts(
            Rules rules,
            DiskIo diskIo,
            Function<String, ImageDirectory> images,
            StoreFiles storeFiles,
            UnaryOperator<Executor> blocking,
            UnaryOperator<Executor> saving,
            boolean orderedDisks,
            HostOptions options) {
        this(rules, diskIo, images, storeFiles, blocking, saving, orderedDisks,
                DiskGeometry.GROUP_BYTES_DEFAULT, () -> new LiveWorld(options),
                store -> Catalogues.open(
                        store,
                        // What vanishes with the process needs no record of it.
                        options.disksInMemory() ? new JournalPlace.Memory() : options.catalogue(),
                        !options.disksInMemory(),
                        InstantSource.system()));
    }

    /** These ports with other rules, disk operations and files under the store: for tests that break something on purpose. */
    public HostPorts broken(Rules newRules, UnaryOperator<DiskIo> newDiskIo,
            UnaryOperator<StoreFiles> newStoreFiles) {
        return new HostPorts(newRules, newDiskIo.apply(diskIo), images,
                newStoreFiles.apply(storeFiles), blocking, saving, orderedDisks, groupBytes, world);
    }

    /** What {@code options} ask for, on this machine's file system. */
    public static HostPorts of(HostOptions options) {
        var store = options.store().toAbsolutePath().normalize();
        return new HostPorts(
                Rules.ALL_ON,
                options.disksInMemory()
                        ? DiskIo.inline()
                        : new PooledDiskIo(options.diskThreads()),
                options.disksInMemory() ? inMemory(store) : inFiles(store),
                StoreFiles.onDisk(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                false,
                options);
    }

    /** The same on another disk, made of the one there was. */
    public HostPorts withDiskIo(UnaryOperator<DiskIo> other) {
        return new HostPorts(rules, other.apply(diskIo), images, storeFiles, blocking, saving,
                orderedDisks, groupBytes, world, catalogue);
    }

    /** Copies in checkpoints are files of the store all the same. */
    private static Function<String, ImageDirectory> inMemory(Path store) {
        var memory = new MemoryImageDirectory();
        return key -> key.startsWith(DiskDirectory.COPIES)
                ? new FileImageDirectory(store.resolve(key))
                : memory.child(key);
    }

    private static Function<String, ImageDirectory> inFiles(Path store) {
        return key -> new FileImageDirectory(store.resolve(key));
    }
}
