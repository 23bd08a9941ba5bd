package io.tintype.vm;

import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.MemoryImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.StoreFiles;
import java.nio.file.Path;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * What a host stands on: storage, files and threads, and which ordering rules hold. Programs get {@link #of}; only tests and
 * the simulator put something else in, which is why nothing here is public.
 *
 * @param rules all on, but where a test breaks one to see its oracle cry out
 * @param diskIo when and where disk operations run; the host closes it
 * @param images the images of a disk, by their directory's path relative to the store
 * @param storeFiles the file system under the checkpoint store
 * @param blocking stands between the host and the threads for overlays, syncs, commits and manifests
 * @param saving stands between the host and the threads that copy frozen pages into the store
 * @param orderedDisks whether disks complete overlapping requests in the order of issue
 */
record HostPorts(
        Rules rules,
        DiskIo diskIo,
        Function<String, ImageDirectory> images,
        StoreFiles storeFiles,
        UnaryOperator<Executor> blocking,
        UnaryOperator<Executor> saving,
        boolean orderedDisks) {
    /** What {@code options} ask for, on this machine's file system. */
    static HostPorts of(HostOptions options) {
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
                false);
    }

    private static Function<String, ImageDirectory> inMemory() {
        var memory = new MemoryImageDirectory();
        return memory::child;
    }

    private static Function<String, ImageDirectory> inFiles(Path store) {
        return key -> new FileImageDirectory(store.resolve(key));
    }
}
