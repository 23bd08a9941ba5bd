package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Looks at a store before anything is done in it: quickly, names only. What costs more is read later, of those names alone.
 */
public final class StoreScan {
    private static final int PAGE_BYTES = 4096;
    private static final Pattern DISK = Pattern.compile("disk-(\\d{1,6})(-life-\\d+)?");

    private final CheckpointStore store;
    private final boolean disksKnown;
    private final List<CheckpointRef> sealed;
    private final List<VmId> vms = new ArrayList<>();

    private StoreScan(CheckpointStore store, boolean disksKnown) {
        this.store = store;
        this.disksKnown = disksKnown;
        this.sealed = store.list();
    }

    /**
     * Looks at {@code store}.
     *
     * @param withDisks false where disks are not in its directory
     */
    public static StoreScan of(CheckpointStore store, boolean withDisks) throws StoreException {
        var scan = new StoreScan(store, withDisks);
        if (withDisks) {
            try {
                scan.vms.addAll(store.images().vms());
            } catch (IOException e) {
                throw new StoreException("cannot list the disks in " + store.directory() + ": "
                        + e.getMessage() + "; choose a store directory that can be read", e);
            }
        }
        return scan;
    }

    /** Looks once more. */
    StoreScan again() throws StoreException {
        return of(store, disksKnown);
    }

    /** Returns what was there; reads directories. */
    StoreContents contents() throws IOException {
        var disks = new TreeMap<VmId, List<Integer>>();
        for (var vm : vms) {
            disks.put(vm, disksOf(vm));
        }
        return new StoreContents(new TreeSet<>(sealed), disks, disksKnown);
    }

    private List<Integer> disksOf(VmId vm) throws IOException {
        var found = new TreeSet<Integer>();
        for (var name : store.images().of(vm)) {
            var disk = DISK.matcher(name);
            if (disk.matches() && store.images().isDescribed(vm + "/" + name)) {
                found.add(Integer.valueOf(disk.group(1)));
            }
        }
        return List.copyOf(found);
    }

    /** Returns what the manifests of {@code refs} say; those that cannot be read are left out, and named in {@code warnings}. */
    SortedMap<CheckpointRef, SealedFacts> facts(SortedSet<CheckpointRef> refs,
            List<String> warnings) {
        return facts(store, refs, warnings);
    }

    static SortedMap<CheckpointRef, SealedFacts> facts(CheckpointStore store,
            SortedSet<CheckpointRef> refs, List<String> warnings) {
        var facts = new TreeMap<CheckpointRef, SealedFacts>();
        for (var ref : refs) {
            try {
                facts.put(ref, facts(store.open(ref).manifest()));
            } catch (StoreException e) {
                // It is deleted meanwhile, or damaged: opening it will say so, listing it here would not help.
                if (store.list().contains(ref)) {
                    warnings.add("checkpoint " + ref + " cannot be read: " + e.getMessage());
                }
            }
        }
        return facts;
    }

    /**
     * Returns what the chains in {@code places} say of themselves, and clears them of images that they do not name, such as one
     * that was being made of them; those that cannot be read are left out, and say so when they are opened.
     */
    SortedMap<String, DiskChain.Outline> outlines(SortedSet<String> places) {
        var outlines = new TreeMap<String, DiskChain.Outline>();
        for (var place : places) {
            var outline = disksKnown ? outline(place) : null;
            if (outline != null) {
                outlines.put(place, outline);
            }
        }
        return outlines;
    }

    private DiskChain.@Nullable Outline outline(String place) {
        var chain = store.images().at(place);
        try {
            if (chain == null || !store.images().isDescribed(place)) {
                return null;
            }
            DiskChain.deleteStrays(chain);
            return DiskChain.outline(chain);
        } catch (IOException _) {
            // Whoever opens it is told what is wrong with it.
            return null;
        }
    }

    /**
     * Removes the images of {@code vm}, unless disks of other VMs start from them; what is gone already is no error. Those of one that
     * was half made go only if nothing in them was ever flushed: after a loss of power a disk that was made may be gone, the
     * journal behind, and another disk of that VM have what its guest was told to be durable.
     *
     * @param mayHaveClones whether that may be: the VM was being destroyed, and is not one that was half made
     * @return why they stay, in one line; null if they are gone
     */
    @Nullable
    String removeImages(VmId vm, boolean mayHaveClones) throws IOException {
        if (!mayHaveClones) {
            var flushed = store.images().flushed(vm);
            if (flushed != null) {
                return "its guest may have flushed " + flushed + ", and another disk was lost "
                        + "with the power; delete images/" + vm + " if nobody needs it";
            }
        }
        try {
            if (mayHaveClones) {
                store.requireNoDisksFrom(vm);
            }
        } catch (StoreException needed) {
            return needed.getMessage();
        }
        store.images().remove(vm);
        return null;
    }

    /** Returns what the catalogue keeps of {@code manifest}. */
    public static SealedFacts facts(Manifest manifest) {
        long bytes = 0;
        for (var segment : manifest.segments()) {
            bytes += segment.bytes();
        }
        var regionBytes = new ArrayList<Long>(manifest.regions().size());
        for (var region : manifest.regions()) {
            regionBytes.add((long) region.pages() * PAGE_BYTES);
        }
        var diskBytes = new ArrayList<Long>(manifest.disks().size());
        for (var disk : manifest.disks()) {
            diskBytes.add(disk.sizeBytes());
        }
        return new SealedFacts(manifest.createdAt(), manifest.stunNs(),
                manifest.pending().size(), bytes, manifest.parent(), manifest.guestKind(),
                List.copyOf(regionBytes), List.copyOf(diskBytes));
    }
}
