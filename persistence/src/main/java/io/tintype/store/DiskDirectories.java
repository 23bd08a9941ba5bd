package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * The disks in a store's directory: which of them are still needed, and which stand on copies in checkpoints. Of a disk only the
 * descriptor is read. Any thread; calls block.
 */
final class DiskDirectories {
    private final StoreFiles files;
    private final StoreLayout layout;

    DiskDirectories(StoreFiles files, StoreLayout layout) {
        this.files = files;
        this.layout = layout;
    }

    /**
     * Removes all but the needed ones and those that these start from.
     *
     * @param needed relative to the store; those they start from are added
     * @throws StoreException if one that is needed cannot be read; nothing was removed then
     */
    void sweep(Sweep sweep, Set<String> needed) throws StoreException {
        addParents(needed);
        for (String vm : sweep.names(layout.images())) {
            sweepImages(sweep, layout.images().resolve(vm), needed);
        }
    }

    private void sweepImages(Sweep sweep, Path ofVm, Set<String> needed) {
        int left = 0;
        for (String disk : sweep.names(ofVm)) {
            Path ofDisk = ofVm.resolve(disk);
            if (needed.contains(layout.directory().relativize(ofDisk).toString())) {
                left++;
            } else {
                sweep.remove(ofDisk);
            }
        }
        if (left == 0) {
            sweep.remove(ofVm);
        }
    }

    /** What a chain that is kept starts from is kept, too. */
    private void addParents(Set<String> needed) throws StoreException {
        var unseen = new ArrayDeque<>(needed);
        while (!unseen.isEmpty()) {
            Path place = layout.directory().resolve(unseen.removeFirst());
            try {
                if (files.kind(place) != StoreFiles.Kind.DIRECTORY) {
                    continue; // Of a disk in memory, or lost: there is nothing to remove.
                }
                String parent = DiskChain.parentOf(new FileImageDirectory(place));
                if (parent != null) {
                    String key =
                            layout.directory().relativize(place.resolve(parent).normalize())
                                    .toString();
                    if (needed.add(key)) {
                        unseen.add(key);
                    }
                }
            } catch (IOException e) {
                throw new StoreException(
                        "no images are removed, since nobody can tell what those in "
                                + place + " start from: " + e.getMessage(),
                        e);
            }
        }
    }

    /** Refuses if a disk stands on a copy in that checkpoint. */
    void requireNoneOn(CheckpointRef ref) throws StoreException {
        Path path = layout.sealedAt(ref);
        Path images = layout.images();
        try {
            if (files.list(path).stream().noneMatch(
                    name -> name.startsWith(StoredCheckpoint.DISK_PREFIX))
                    || !Files.isDirectory(images)) {
                return;
            }
            String copies = new FileImageDirectory(path).location();
            for (Path ofVm : foldersIn(images)) {
                for (Path disk : foldersIn(ofVm)) {
                    if (Files.exists(disk.resolve("chain"))
                            && copies.equals(DiskChain.copyBelow(new FileImageDirectory(disk)))) {
                        throw new StoreException("checkpoint " + ref
                                + " has copies of disks that the disk "
                                + layout.directory().relativize(disk)
                                + " stands on; destroy its VM first, or make the disk flat");
                    }
                }
            }
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException("checkpoint " + ref + " is not deleted, since nobody can tell "
                    + "whether disks stand on copies in it: " + e.getMessage(), e);
        }
    }

    /** Refuses if a disk of another VM starts from one of {@code vm}. */
    void requireNoneFrom(VmId vm) throws StoreException {
        Path ofVm = layout.images().resolve(vm.value());
        try {
            for (Path ofOther : foldersIn(layout.images())) {
                for (Path disk : ofOther.equals(ofVm) ? List.<Path>of() : foldersIn(ofOther)) {
                    String parent = Files.exists(disk.resolve("chain"))
                            ? DiskChain.parentOf(new FileImageDirectory(disk))
                            : null;
                    if (parent != null && disk.resolve(parent).normalize().startsWith(ofVm)) {
                        throw new StoreException("the disk " + layout.directory().relativize(disk)
                                + " starts from one of VM " + vm
                                + "; destroy its VM first, or make the disk flat");
                    }
                }
            }
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException("the disks of VM " + vm + " are not deleted, since nobody can "
                    + "tell whether others start from them: " + e.getMessage(), e);
        }
    }

    /**
     * In the order of their names; empty if {@code folder} is gone. Not a walk of the tree, which fails when a file in it goes:
     * disks change their files while their VMs run.
     */
    private static List<Path> foldersIn(Path folder) throws IOException {
        var found = new ArrayList<Path>();
        try (var all = Files.newDirectoryStream(folder, Files::isDirectory)) {
            all.forEach(found::add);
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        Collections.sort(found);
        return found;
    }
}
