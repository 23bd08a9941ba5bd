package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoStatus;
import io.tintype.store.CheckpointSink;
import io.tintype.store.Manifest;
import io.tintype.store.Sealed;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.VmIdentity;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A machine in the store and back: {@link #seal} writes what {@link #restoreEagerly} and {@link #restore} read.
 *
 * <p>Memory pages are written by {@link MemorySaver}; this class adds the device state and the manifest.
 * Calls block; never on a strand.
 */
final class StoredMachine {
    /** In the manifest: which life of the VM the views belong to. */
    private static final String INCARNATION = "incarnation";

    /**
     * A disk of a checkpoint.
     *
     * @param images the directory of its chain, relative to the store
     * @param view the topmost layer that is part of it
     * @param copy what it is read from instead, if the checkpoint has a copy of it
     */
    record DiskView(String images, int view, long sizeBytes, @Nullable Copy copy) {}

    /** A copy of a disk in a sealed checkpoint. */
    record Copy(CheckpointRef in, String name) {}
    /** In the manifest: what the guest was made from, for guests that say so. */
    private static final String PROGRAM = "program";

    private StoredMachine() {}

    /** Makes a machine that has never run. */
    static MachineState fresh(FramePool pool, VmSpec spec, List<DiskDirectory.Opened> disks,
            VmIdentity identity) {
        var queues = new ArrayList<DiskQueue>();
        for (long bytes : spec.diskBytes()) {
            queues.add(new DiskQueue(bytes));
        }
        var state =
                new MachineState(empty(pool, spec.regionBytes()), queues, disks, List.of(), 0,
                        identity);
        return state.guest(spec.guest().create(state.memory()));
    }

    static List<Function<MemoryRegion.CopyListener, MemoryRegion>> empty(
            FramePool pool, List<Long> regionBytes) {
        var makers = new ArrayList<Function<MemoryRegion.CopyListener, MemoryRegion>>();
        for (long bytes : regionBytes) {
            makers.add(listener -> new MemoryRegion(pool, bytes, listener));
        }
        return makers;
    }

    /**
     * Writes device state and manifest; when it returns the checkpoint is visible and durable.
     *
     * @param statuses of every request of P
     * @param hasCopies whether a copy of each disk was added
     * @return what was sealed: its size has copies of its disks in it, not the layers that it points to
     */
    static Sealed seal(
            CheckpointSink.Draft staged,
            CheckpointRef ref,
            Machine machine,
            CheckpointActor.Cut cut,
            SortedMap<Long, IoStatus> statuses,
            boolean hasCopies,
            Instant at,
            long stunNs)
            throws IOException {
        var captured = cut.captured();
        var devices = devices(machine, captured, statuses);
        var pending = new ArrayList<Manifest.Pending>();
        for (var entry : devices.pending()) {
            var status = entry.status();
            if (status == null) {
                // Only with R12 switched off is a checkpoint sealed before P has completed.
                continue;
            }
            pending.add(
                    new Manifest.Pending(
                            entry.ioId(),
                            entry.kind().name(),
                            entry.disk(),
                            entry.sector(),
                            entry.sectorCount(),
                            status.name()));
        }
        staged.put(DeviceState.SEGMENT, devices);
        var regions = new ArrayList<Manifest.Region>();
        for (var region : machine.state.regions()) {
            regions.add(new Manifest.Region(region.pageCount()));
        }
        var disks = new ArrayList<Manifest.Disk>();
        for (int i = 0; i < machine.state.chains().size(); i++) {
            disks.add(
                    new Manifest.Disk(
                            machine.state.imageKeys().get(i),
                            cut.views()[i],
                            machine.state.chains().get(i).geometry().sizeBytes(),
                            hasCopies ? StoredCheckpoint.diskName(i) : null));
        }
        return staged.seal(
                new Manifest(
                        ref,
                        at,
                        stunNs,
                        captured.guestKind(),
                        regions,
                        disks,
                        pending,
                        figures(machine)));
    }

    /** All of a machine that is neither memory nor disk, with the status that each request of P got. */
    static DeviceState devices(Machine machine, CapturedState captured,
            SortedMap<Long, IoStatus> statuses) {
        var entries = new ArrayList<DeviceState.Pending>();
        for (var request : captured.pending()) {
            entries.add(
                    new DeviceState.Pending(
                            request.ioId(),
                            request.disk(),
                            request.tag(),
                            request.kind(),
                            request.sector(),
                            request.sectorCount(),
                            statuses.get(request.ioId())));
        }
        return new DeviceState(
                captured.guestKind(),
                captured.registers(),
                captured.queues(),
                entries,
                captured.guestNs(),
                machine.state.identity().generation());
    }

    /** The disks of a machine as of some views. */
    static List<DiskView> views(Machine machine, int[] views) {
        var disks = new ArrayList<DiskView>();
        for (int i = 0; i < views.length; i++) {
            disks.add(new DiskView(machine.state.imageKeys().get(i), views[i],
                    machine.state.chains().get(i).geometry().sizeBytes(), null));
        }
        return disks;
    }

    private static Map<String, Object> figures(Machine machine) {
        var program = machine.state.guest().program();
        return program == null
                ? Map.of(INCARNATION, machine.incarnation)
                : Map.of(INCARNATION, machine.incarnation, PROGRAM, program);
    }

    /**
     * Makes guests of a checkpoint from nothing but what is in its manifest.
     *
     * @return null when it does not say enough
     * @throws IllegalArgumentException when what it says makes no sense
     */
    static @Nullable GuestFactory guest(Manifest manifest, GuestRecorder recorder) {
        return manifest.figures().get(PROGRAM) instanceof String program
                ? Guests.stored(manifest.guestKind(), program, diskBytes(manifest), recorder)
                : null;
    }

    /**
     * Makes a machine from a sealed checkpoint, all of whose memory is read before this returns. The machine's disks stand on
     * the checkpoint's layers.
     *
     * @param id the VM that it is for
     * @param incarnation its life: 0 for a new VM
     */
    static MachineState restoreEagerly(
            FramePool pool,
            StoredCheckpoint stored,
            DiskDirectory disks,
            VmId id,
            int incarnation,
            GuestFactory guest,
            VmIdentity identity)
            throws IOException {
        var manifest = stored.manifest();
        var state =
                restore(null, views(manifest), DeviceState.of(stored),
                        empty(pool, regionBytes(manifest)), disks, id, incarnation, guest,
                        identity);
        boolean loaded = false;
        try {
            for (int region = 0; region < manifest.regions().size(); region++) {
                var memory = state.regions().get(region);
                stored.forEachPage(region, memory::load);
            }
            // Before anything is stored into it: the completions that are owed, the guest's own.
            state.line(MemoryLine.restored(manifest.ref(), state.regions()));
            loaded = true;
        } finally {
            if (!loaded) {
                state.regions().forEach(MemoryRegion::close);
            }
        }
        return state;
    }

    /**
     * The same with memory that {@code memories} bring, now or when it is touched.
     *
     * @param sealed whose memory that is; null: of a snapshot that no store has, or not there yet
     */
    static MachineState restore(
            @Nullable CheckpointRef sealed,
            List<DiskView> views,
            DeviceState devices,
            List<Function<MemoryRegion.CopyListener, MemoryRegion>> memories,
            DiskDirectory disks,
            VmId id,
            int incarnation,
            GuestFactory guest,
            VmIdentity identity)
            throws IOException {
        var owed = new ArrayList<MachineState.OwedCompletion>();
        for (var entry : devices.pending()) {
            var status = entry.status();
            if (status != null) {
                owed.add(new MachineState.OwedCompletion(entry.disk(), entry.tag(), status));
            }
        }
        var opened = new ArrayList<DiskDirectory.Opened>();
        var queues = new ArrayList<DiskQueue>();
        for (int i = 0; i < views.size(); i++) {
            var disk = views.get(i);
            var copy = disk.copy();
            opened.add(copy == null
                    ? disks.cloneOf(disk.images(), disk.view(), id, i, incarnation)
                    : disks.cloneOfCopy(copy.in(), copy.name(), id, i, incarnation));
            queues.add(DiskQueue.restore(disk.sizeBytes(), devices.queues().get(i)));
        }
        var state =
                new MachineState(memories, queues, opened, owed, devices.guestNs(), identity);
        boolean complete = false;
        try {
            if (sealed != null) {
                // Before anything is stored into it: the completions that are owed, the guest's own.
                state.line(MemoryLine.restored(sealed, state.regions()));
            }
            var restored = state.guest(
                    guest.restore(devices.guestKind(), devices.registers(), state.memory()));
            complete = true;
            return restored;
        } finally {
            if (!complete) {
                state.regions().forEach(MemoryRegion::close);
            }
        }
    }

    static List<Long> regionBytes(Manifest manifest) {
        return manifest.regions().stream().map(region -> region.pages() * 4096L).toList();
    }

    static List<DiskView> views(Manifest manifest) {
        return manifest.disks().stream()
                .map(disk -> new DiskView(disk.images(), disk.view(), disk.sizeBytes(),
                        disk.copy() == null ? null : new Copy(manifest.ref(), disk.copy())))
                .toList();
    }

    static List<Long> diskBytes(Manifest manifest) {
        return manifest.disks().stream().map(Manifest.Disk::sizeBytes).toList();
    }

    /** Returns what tells the VM of a deleted checkpoint which layers it need not keep for it. */
    static VmActor.ForgetCheckpoint forget(Manifest manifest) {
        return new VmActor.ForgetCheckpoint(
                manifest.ref().id().value(),
                // A view of which it has a copy was given back when it was sealed.
                manifest.disks().stream().mapToInt(disk -> disk.copy() == null ? disk.view() : -1)
                        .toArray(),
                incarnation(manifest));
    }

    private static int incarnation(Manifest manifest) {
        return manifest.figures().get(INCARNATION) instanceof Number number ? number.intValue() : 0;
    }
}
