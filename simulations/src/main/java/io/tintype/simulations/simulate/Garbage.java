package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.scheduler.Rule;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreFiles;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which files of a store somebody needs, by what the simulation knows of its VMs and checkpoints: the engine's own account of that is
 * what is put to the test. Of the engine it takes what manifests and descriptions of disks say, which others compare with what the
 * guests knew.
 *
 * <p>What it does not see: layers within a disk's directory that its description still names, for which {@link Inspection} asks the
 * chains of running VMs.
 */
final class Garbage {
    private static final String IMAGES = "images";
    private static final String DESCRIPTION = "chain";
    private static final int NAMED_MAX = 5;

    private final Map<String, SimulatedVm> vms;
    private final SimulatedStoreFiles files;
    private final SimulatedImages images;
    private final CheckpointStore store;
    /** Directories of images that must be there, by their key. */
    private final Set<String> whole = new TreeSet<>();
    /** Those, and others that may be there. */
    private final Set<String> disks = new TreeSet<>();
    /** VMs whose disks all stay, whatever these are. */
    private final Set<String> keptVms = new HashSet<>();
    private final Set<CheckpointRef> listed;
    /** Those that are deleted, and have pages that others need. */
    private final Set<CheckpointRef> sources = new HashSet<>();

    private Garbage(Map<String, SimulatedVm> vms, SimulatedStoreFiles files,
            CheckpointStore store) {
        this.vms = vms;
        this.files = files;
        this.images = new SimulatedImages(files);
        this.store = store;
        this.listed = new HashSet<>(store.list());
    }

    /** Whether that is the directory of a disk, or of all disks of a VM. */
    static boolean isOfDisk(Path path) {
        return path.startsWith(SimulatedHost.STORE.resolve(IMAGES));
    }

    /**
     * With nothing in progress and garbage just collected: what is missing, and what is left over.
     *
     * @param vms that keep their disks, running or not; all other disks stay only for checkpoints
     * @param crashed whether the power failed since the VMs ran: of a disk that was never flushed anything may be left
     */
    static void check(Simulation simulation, Map<String, SimulatedVm> vms,
            SimulatedStoreFiles files, CheckpointStore store, boolean crashed) {
        try {
            var garbage = new Garbage(vms, files, store);
            garbage.find(!crashed);
            if (!crashed) {
                garbage.checkOpen(simulation);
            }
            garbage.missing().forEach(one -> simulation.violated(Rule.R16, "", "a file", one,
                    "none, after a collection of garbage"));
            var left = garbage.left();
            if (!left.isEmpty()) {
                simulation.violated(null, "", "the store after a collection of garbage",
                        "no file that nobody needs",
                        left.size() + ": " + left.subList(0, Math.min(NAMED_MAX, left.size())));
            }
        } catch (IOException e) {
            simulation.violated(Rule.R16, "", "the store after a collection of garbage",
                    "one that can be read", String.valueOf(e.getMessage()));
        }
    }

    /** Beside whatever goes on: only what is missing. */
    static void checkNeeded(Simulation simulation, CheckpointStore store) {
        try {
            var garbage = new Garbage(simulation.vms(), simulation.host().files, store);
            garbage.find(true);
            garbage.missing().forEach(one -> simulation.violated(Rule.R16, "", "a file", one,
                    "none, after a collection of garbage"));
        } catch (IOException e) {
            if (!simulation.host().power.isOff()) {
                simulation.violated(Rule.R16, "", "the store after a collection of garbage",
                        "one that can be read", String.valueOf(e.getMessage()));
            }
        }
    }

    private void find(boolean areDisksWhole) throws IOException {
        for (var vm : vms.values()) {
            if (vm.isDestroyed) {
                continue;
            }
            boolean isRunning = areDisksWhole && vm.isStarted() && !vm.isDead();
            if (isRunning) {
                addLife(vm.life(), vm.isDestroying ? disks : whole);
                for (var life : usedLives(vm)) {
                    addLife(life, vm.isDestroying ? disks : whole);
                }
            } else if (areDisksWhole || vm.isStarted()) {
                // Of one that the power failed under while it was made nothing was promised to anybody.
                // Somebody may take it up again: all that it has stays.
                keptVms.add(vm.name);
                for (var life : areDisksWhole ? vm.lives() : List.<Life>of()) {
                    addLife(life, disks);
                }
            }
        }
        for (var ref : listed) {
            var manifest = store.open(ref).manifest();
            sources.addAll(manifest.sources());
            for (var disk : manifest.disks()) {
                if (disk.copy() == null) {
                    whole.add(disk.images());
                }
            }
        }
        addParents(whole);
        disks.addAll(whole);
        for (var vm : keptVms) {
            for (var disk : names(SimulatedHost.STORE.resolve(IMAGES).resolve(vm))) {
                disks.add(IMAGES + "/" + vm + "/" + disk);
            }
        }
        addParents(disks);
    }

    /** Earlier lives that a running VM still needs: for a request, a checkpoint in progress, or a snapshot, be it closed under clones. */
    private List<Life> usedLives(SimulatedVm vm) {
        var used = new ArrayList<Life>();
        for (var one : vm.taken.values()) {
            boolean isUsed = !one.isOver() || one.isOpen()
                    || (one.isSnapshot && one.clones.stream().anyMatch(this::mayRun));
            if (isUsed && one.life != null) {
                used.add(one.life);
            }
        }
        for (var request : vm.flights.values()) {
            if (request.life != null) {
                used.add(request.life);
            }
        }
        return used;
    }

    private boolean mayRun(String name) {
        var vm = vms.get(name);
        return vm != null && !(vm.isStarted() && vm.isDead());
    }

    /** The disks of a life. Those that have no files yet do not say what they stand on: it does. */
    private void addLife(Life life, Set<String> needed) throws IOException {
        int count = 0;
        for (var of = life; of != null; of = of.from) {
            count = Math.max(count, of.images.size());
        }
        for (int disk = 0; disk < count; disk++) {
            boolean isDescribed = false;
            for (var of = life; of != null && !isDescribed; of = of.from) {
                if (disk < of.images.size()) {
                    needed.add(of.images.get(disk));
                    isDescribed = isDescribed(of.images.get(disk));
                }
            }
        }
    }

    private boolean isDescribed(String key) throws IOException {
        return store.images().isDescribed(key.substring(IMAGES.length() + 1));
    }

    /** A disk that nobody needs is not open either. */
    private void checkOpen(Simulation simulation) {
        for (var open : simulation.host().host.disks()) {
            var key = open.images();
            var vm = Path.of(key).getName(1).toString();
            if (!disks.contains(key) && !keptVms.contains(vm)) {
                simulation.violated(null, vm, "the open disks", "none of a life that is over and "
                        + "that nothing needs", key);
            }
        }
    }

    /** What disks stand on. */
    private void addParents(Set<String> needed) throws IOException {
        var unseen = new ArrayDeque<>(needed);
        while (!unseen.isEmpty()) {
            var key = unseen.remove();
            var directory = images.at(key);
            if (!isDescribed(key)) {
                continue;
            }
            var parent = DiskChain.parentOf(directory);
            if (parent != null) {
                var place = directory.resolve(parent).location();
                if (place.startsWith(IMAGES) && needed.add(place)) {
                    unseen.add(place);
                }
            }
        }
    }

    private List<String> names(Path directory) throws IOException {
        return files.kind(directory) == StoreFiles.Kind.DIRECTORY
                ? files.list(directory)
                : List.of();
    }

    /** Files of needed disks that are not there; a disk of a clone has none before it is written to. */
    private List<String> missing() throws IOException {
        var missing = new TreeSet<String>();
        for (var key : whole) {
            if (isDescribed(key)) {
                for (var name : DiskChain.filesOf(images.at(key))) {
                    if (files.kind(SimulatedHost.STORE.resolve(key).resolve(name))
                            != StoreFiles.Kind.FILE) {
                        missing.add(key + "/" + name);
                    }
                }
            } else if (isNamedByCheckpoint(key)) {
                missing.add(key + "/" + DESCRIPTION);
            }
        }
        return List.copyOf(missing);
    }

    private boolean isNamedByCheckpoint(String key) throws IOException {
        for (var ref : listed) {
            for (var disk : store.open(ref).manifest().disks()) {
                if (disk.copy() == null && disk.images().equals(key)) {
                    return true;
                }
            }
        }
        return false;
    }

    private List<String> left() throws IOException {
        var left = new TreeSet<String>();
        var named = new TreeMap<String, Set<String>>();
        for (var path : files.all()) {
            var file = SimulatedHost.STORE.relativize(path);
            boolean isNeeded = switch (file.getName(0).toString()) {
                case IMAGES -> isNeededImage(file, named);
                case "checkpoints" -> {
                    var ref = file.getName(1) + "/" + file.getName(2);
                    yield names(listed).contains(ref) || names(sources).contains(ref);
                }
                case "retired" -> names(sources).contains(dotted(file));
                case "hints" -> names(listed).contains(dotted(file));
                case "staging" -> false;
                default -> file.getNameCount() == 1;
            };
            if (!isNeeded) {
                left.add(file.toString());
            }
        }
        var checkpoints = SimulatedHost.STORE.resolve("checkpoints");
        for (var vm : names(checkpoints)) {
            if (names(checkpoints.resolve(vm)).isEmpty()) {
                left.add("checkpoints/" + vm);
            }
        }
        return List.copyOf(left);
    }

    private static Set<String> names(Set<CheckpointRef> refs) {
        var names = new HashSet<String>();
        refs.forEach(ref -> names.add(ref.toString()));
        return names;
    }

    /** The checkpoint that a file is named after. */
    private static String dotted(Path file) {
        return file.getName(1).toString().replace('.', '/');
    }

    /** Of a kept VM that is anything in a disk that is not described, since that may be all that a crash left of it. */
    private boolean isNeededImage(Path file, Map<String, Set<String>> named) throws IOException {
        if (file.getNameCount() != 4) {
            return false;
        }
        var key = file.subpath(0, 3).toString();
        if (!disks.contains(key) && !keptVms.contains(file.getName(1).toString())) {
            return false;
        }
        var names = named.get(key);
        if (names == null) {
            names = new HashSet<>();
            if (isDescribed(key)) {
                names.addAll(DiskChain.filesOf(images.at(key)));
            }
            named.put(key, names);
        }
        var name = file.getName(3).toString();
        // The next description takes the place of one that a crash caught half-written.
        // Where the storage was full the description may name an overlay that came to nothing, for all the engine knows: it stays until
        // the disk is opened the next time.
        return name.startsWith(DESCRIPTION) || names.isEmpty() || names.contains(name)
                || files.power().refusals() > 0;
    }
}
