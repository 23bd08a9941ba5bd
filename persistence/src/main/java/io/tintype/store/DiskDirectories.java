package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DamagedImageException;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.NewerVersionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The disks in a store's directory, by the files there: which there are, which of them are still needed, and which stand on copies
 * in checkpoints. Goes through the store's {@link StoreFiles}, so that a simulation sees what is looked at and removed. Of a disk
 * only the descriptor is read. Any thread; calls block.
 */
public final class DiskDirectories {
    // A disk is made when its chain is described.
    private static final String DESCRIPTION = "chain";
    // A page: what a crash leaves of a file is whole pages, or sectors of them.
    private static final int LOOK_BYTES = 4096;

    private final StoreFiles files;
    private final StoreLayout layout;

    DiskDirectories(StoreFiles files, StoreLayout layout) {
        this.files = files;
        this.layout = layout;
    }

    /** The VMs that have a directory here, in ascending order; other names are left out. */
    public List<VmId> vms() throws IOException {
        var found = new ArrayList<VmId>();
        for (String name : files.list(layout.images())) {
            if (VmId.isValid(name)) {
                found.add(new VmId(name));
            }
        }
        return found;
    }

    /** Whether there is anything of that VM, be it an empty directory. */
    public boolean has(VmId vm) throws IOException {
        return files.kind(ofVm(vm)) != StoreFiles.Kind.NOTHING;
    }

    /** The names of a VM's disks, in ascending order; none if it has no directory. */
    public List<String> of(VmId vm) throws IOException {
        var found = new ArrayList<String>();
        for (Path disk : foldersIn(ofVm(vm))) {
            found.add(String.valueOf(disk.getFileName()));
        }
        return found;
    }

    /**
     * Whether the disk in {@code place}, as in {@code vm-1/disk-0}, has a description, which may be damaged. A new one is written and
     * not synced, so a loss of power may leave it empty or zero: nothing of such a disk was ever durable, and it stands on nothing.
     */
    public boolean isDescribed(String place) throws IOException {
        return isDescribed(layout.images().resolve(place));
    }

    private boolean isDescribed(Path disk) throws IOException {
        Path description = disk.resolve(DESCRIPTION);
        if (files.kind(description) != StoreFiles.Kind.FILE) {
            return false;
        }
        try (StoreFile file = files.openToRead(description)) {
            var bytes = ByteBuffer.allocate((int) Math.min(file.size(), LOOK_BYTES));
            file.read(0, bytes);
            for (byte each : bytes.array()) {
                if (each != 0) {
                    return true;
                }
            }
            return false;
        } catch (NoSuchFileException _) {
            // Removed since.
            return false;
        }
    }

    /**
     * The name of a disk of {@code vm}, of whichever life, in which something may have been made durable for its guest; null if there
     * is none. Then nobody was ever told that something of this VM is durable: neither did a flush or a FUA write of its guest
     * succeed, nor was a checkpoint of it begun, since each of these first describes the disk anew, durably, and the description that
     * it was made with is of another generation. A description that cannot be read counts as one of a flushed disk.
     */
    public @Nullable String flushed(VmId vm) throws IOException {
        for (String name : of(vm)) {
            Path disk = ofVm(vm).resolve(name);
            try {
                if (isDescribed(disk) && !DiskChain.isAsMade(new StoreImages(files, disk))) {
                    return name;
                }
            } catch (DamagedImageException | NewerVersionException _) {
                return name; // Nobody can tell.
            }
        }
        return null;
    }

    /** The files of the disk in {@code place}, as in {@code vm-1/disk-0}, to be looked at and deleted; null for one elsewhere. */
    public @Nullable StoreImages at(String place) {
        Path path = layout.images().resolve(place).normalize();
        return path.startsWith(layout.images()) ? new StoreImages(files, path) : null;
    }

    /**
     * Removes all disks of {@code vm}; what is gone already is no error.
     *
     * @throws IOException if something could not be removed; the rest was
     */
    public void remove(VmId vm) throws IOException {
        if (has(vm)) {
            FileTrees.delete(files, ofVm(vm));
            // Else a loss of power may bring some of it back, for a VM that nobody knows any more.
            files.syncDirectory(layout.images());
        }
    }

    private Path ofVm(VmId vm) {
        return layout.images().resolve(vm.value());
    }

    /**
     * Removes all but the needed ones and those that these start from; of these, images that their descriptions do not name.
     *
     * @param needed relative to the store; those they start from are added
     * @param open those whose images may change meanwhile
     * @throws StoreException if one that is needed cannot be read; nothing was removed then
     */
    void sweep(Sweep sweep, Set<String> needed, Set<String> open) throws StoreException {
        addParents(needed);
        // Also of one that nothing is there of: the disk of a clone makes its directories when it is first written to, maybe now.
        Set<String> inhabited = new HashSet<>();
        for (String key : needed) {
            inhabited.add(key.substring(0, key.lastIndexOf('/') + 1));
        }
        for (String vm : sweep.names(layout.images())) {
            sweepImages(sweep, layout.images().resolve(vm), needed, open, inhabited);
        }
        // Else a loss of power may bring some of it back, for a VM that nobody knows any more.
        sweep.sync(layout.images());
    }

    private void sweepImages(Sweep sweep, Path ofVm, Set<String> needed, Set<String> open,
            Set<String> inhabited) {
        int removedBefore = sweep.count();
        for (String disk : sweep.names(ofVm)) {
            Path ofDisk = ofVm.resolve(disk);
            String key = layout.directory().relativize(ofDisk).toString();
            if (needed.contains(key)) {
                if (!open.contains(key)) {
                    sweepStrays(sweep, ofDisk);
                }
            } else {
                sweep.remove(ofDisk);
            }
        }
        if (!inhabited.contains(layout.directory().relativize(ofVm) + "/")) {
            sweep.remove(ofVm);
        } else if (sweep.count() > removedBefore) {
            sweep.sync(ofVm);
        }
    }

    /** What a crash left of an overlay or of a flatten, and nobody who opens the disk has come to remove. */
    private void sweepStrays(Sweep sweep, Path ofDisk) {
        try {
            if (isDescribed(ofDisk)) {
                DiskChain.strays(new StoreImages(files, ofDisk))
                        .forEach(name -> sweep.remove(ofDisk.resolve(name)));
            }
        } catch (IOException e) {
            sweep.failed("read", ofDisk, e);
        }
    }

    /** What a chain that is kept starts from is kept, too. */
    private void addParents(Set<String> needed) throws StoreException {
        var unseen = new ArrayDeque<>(needed);
        while (!unseen.isEmpty()) {
            Path place = layout.directory().resolve(unseen.removeFirst());
            try {
                if (!isDescribed(place)) {
                    continue; // Of a disk in memory, or lost, or one that never was: it stands on nothing.
                }
                String parent = DiskChain.parentOf(new StoreImages(files, place));
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
        try {
            if (files.list(path).stream().noneMatch(
                    name -> name.startsWith(StoredCheckpoint.DISK_PREFIX))) {
                return;
            }
            String copies = new StoreImages(files, path).location();
            for (Path disk : described(_ -> true)) {
                if (copies.equals(DiskChain.copyBelow(new StoreImages(files, disk)))) {
                    throw new StoreException("checkpoint " + ref
                            + " has copies of disks that the disk "
                            + layout.directory().relativize(disk)
                            + " stands on; destroy its VM first, or make the disk flat");
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
            for (Path disk : described(each -> !each.equals(ofVm))) {
                String parent = DiskChain.parentOf(new StoreImages(files, disk));
                if (parent != null && disk.resolve(parent).normalize().startsWith(ofVm)) {
                    throw new StoreException("the disk " + layout.directory().relativize(disk)
                            + " starts from one of VM " + vm
                            + "; destroy its VM first, or make the disk flat");
                }
            }
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException("the disks of VM " + vm + " are not deleted, since nobody can "
                    + "tell whether others start from them: " + e.getMessage(), e);
        }
    }

    /** The disks that have a description, VM by VM. */
    private List<Path> described(Predicate<Path> wanted) throws IOException {
        var found = new ArrayList<Path>();
        for (Path ofVm : foldersIn(layout.images())) {
            for (Path disk : wanted.test(ofVm) ? foldersIn(ofVm) : List.<Path>of()) {
                if (isDescribed(disk)) {
                    found.add(disk);
                }
            }
        }
        return found;
    }

    /**
     * In the order of their names; empty if {@code folder} is gone. Not a walk of the tree, which fails when a file in it goes:
     * disks change their files while their VMs run.
     */
    private List<Path> foldersIn(Path folder) throws IOException {
        var found = new ArrayList<Path>();
        try {
            for (String name : files.list(folder)) {
                if (files.kind(folder.resolve(name)) == StoreFiles.Kind.DIRECTORY) {
                    found.add(folder.resolve(name));
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        }
        return found;
    }
}
