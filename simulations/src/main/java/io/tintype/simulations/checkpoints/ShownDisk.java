package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import java.io.IOException;
import java.nio.file.Path;

/**
 * A disk as a checkpoint shows it, opened to be read: the copy that the checkpoint has of it, or else its layers up to the one that
 * the checkpoint points to. Where there is a copy those layers may be committed since, so that they show something later.
 *
 * @param view of the chain that is the disk
 */
record ShownDisk(DiskChain chain, int view) implements AutoCloseable {
    static ShownDisk open(CheckpointStore store, Manifest manifest, int index) throws IOException {
        var disk = manifest.disks().get(index);
        var copy = disk.copy();
        if (copy == null) {
            var images = new FileImageDirectory(store.directory().resolve(disk.images()));
            return new ShownDisk(DiskChain.openReadOnly(images, disk.view()), disk.view());
        }
        var chain = DiskCopy.open(new FileImageDirectory(directoryOf(store, manifest.ref())), copy);
        return new ShownDisk(chain, chain.top());
    }

    /** Where the files of a sealed checkpoint are. */
    static Path directoryOf(CheckpointStore store, CheckpointRef ref) {
        return store.directory().resolve("checkpoints").resolve(ref.vm().value())
                .resolve(ref.id().toString());
    }

    @Override
    public void close() {
        chain.close();
    }
}
