package io.tintype.vm;

import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.MemoryImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.StoreFiles;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;

/**
 * What a host stands on: storage, files and threads, and which ordering rules hold. Programs get {@link #of}. It is
 * public for simulators alone: the live runtime has no switch for rules.
 *
 * @param rules all on, but where a test breaks one to see its oracle cry out
 * @param diskIo when and where disk operations run; the host closes it
 * @param images the images of a disk, by their directory's path relative to the store
 * @param storeFiles the file system under the checkpoint store
 * @param blocking stands between the host and the threads for overlays, syncs, commits and manifests
 * @param saving stands between the host and the threads that copy frozen pages into the store
 * @param orderedDisks whether disks complete overlapping requests in the order of issue
 * @param groupBytes the unit of copy-on-write of new disks
 * @param world time, memory and actors
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
        Supplier<HostWorld> world) {
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
                DiskGeometry.GROUP_BYTES_DEFAULT, () -> new LiveWorld(options));
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
                options.disksInMemory() ? inMemory() : inFiles(store),
                StoreFiles.onDisk(),
                UnaryOperator.identity(),
                UnaryOperator.identity(),
                false,
                options);
    }

    private static Function<String, ImageDirectory> inMemory() {
        var memory = new MemoryImageDirectory();
        return memory::child;
    }

    private static Function<String, ImageDirectory> inFiles(Path store) {
        return key -> new FileImageDirectory(store.resolve(key));
    }
}
