package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.IoStatus;
import io.tintype.store.Manifest;
import io.tintype.store.StagedCheckpoint;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * A machine in the store and back: {@link #seal} writes what {@link #restore} reads.
 *
 * <p>Memory pages are written by {@link MemorySaver}; this class adds the device state and the manifest.
 * Calls block; never on a strand.
 */
final class StoredMachine {
    /** In the manifest: which life of the VM the views belong to. */
    private static final String INCARNATION = "incarnation";

    /** In the manifest: what the guest was made from, for guests that say so. */
    private static final String PROGRAM = "program";

    private StoredMachine() {}

    /** Makes a machine that has never run. */
    static MachineState fresh(FramePool pool, VmSpec spec, List<DiskDirectory.Opened> disks) {
        var queues = new ArrayList<DiskQueue>();
        for (long bytes : spec.diskBytes()) {
            queues.add(new DiskQueue(bytes));
        }
        var state =
                new MachineState(pool, spec.regionBytes(), queues, disks, List.of(), 0);
        return state.guest(spec.guest().create(state.memory()));
    }

    /**
     * Writes device state and manifest; when it returns the checkpoint is visible and durable.
     *
     * @param statuses of every request of P
     * @return size of the checkpoint in bytes, without its disks
     */
    static long seal(
            StagedCheckpoint staged,
            CheckpointRef ref,
            Machine machine,
            CheckpointActor.Cut cut,
            SortedMap<Long, IoStatus> statuses,
            Instant at,
            long stunNs)
            throws IOException {
        var captured = cut.captured();
        var entries = new ArrayList<DeviceState.Pending>();
        var pending = new ArrayList<Manifest.Pending>();
        for (var request : captured.pending()) {
            var status = statuses.get(request.ioId());
            entries.add(
                    new DeviceState.Pending(
                            request.ioId(),
                            request.disk(),
                            request.tag(),
                            request.kind(),
                            request.sector(),
                            request.sectorCount(),
                            status));
            if (status == null) {
                // Only with R12 switched off is a checkpoint sealed before P has completed.
                continue;
            }
            pending.add(
                    new Manifest.Pending(
                            request.ioId(),
                            request.kind().name(),
                            request.disk(),
                            request.sector(),
                            request.sectorCount(),
                            status.name()));
        }
        var devices =
                new DeviceState(
                        captured.guestKind(),
                        captured.registers(),
                        captured.queues(),
                        entries,
                        captured.guestNs());
        staged.putSegment(DeviceState.SEGMENT, devices.toJson());
        var regions =
                machine.state.regions().stream()
                        .map(region -> new Manifest.Region(region.pageCount()))
                        .toList();
        var disks = new ArrayList<Manifest.Disk>();
        for (int i = 0; i < machine.state.chains().size(); i++) {
            disks.add(
                    new Manifest.Disk(
                            machine.state.imageKeys().get(i),
                            cut.views()[i],
                            machine.state.chains().get(i).geometry().sizeBytes()));
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
                        figures(machine)))
                .bytes();
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
     * Reads a sealed checkpoint into a new machine whose disks stand on the checkpoint's layers.
     *
     * @param id the VM that it is for
     * @param incarnation its life: 0 for a new VM
     */
    static MachineState restore(
            FramePool pool,
            StoredCheckpoint stored,
            DiskDirectory disks,
            VmId id,
            int incarnation,
            GuestFactory guest)
            throws IOException {
        var manifest = stored.manifest();
        var devices = DeviceState.of(stored);
        var owed = new ArrayList<MachineState.OwedCompletion>();
        for (var entry : devices.pending()) {
            var status = entry.status();
            if (status != null) {
                owed.add(new MachineState.OwedCompletion(entry.disk(), entry.tag(), status));
            }
        }
        var opened = new ArrayList<DiskDirectory.Opened>();
        var queues = new ArrayList<DiskQueue>();
        for (int i = 0; i < manifest.disks().size(); i++) {
            var disk = manifest.disks().get(i);
            opened.add(disks.cloneOf(disk.images(), disk.view(), id, i, incarnation));
            queues.add(DiskQueue.restore(disk.sizeBytes(), devices.queues().get(i)));
        }
        var state =
                new MachineState(
                        pool, regionBytes(manifest), queues, opened, owed, devices.guestNs());
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
                state.regions().forEach(region -> region.close());
            }
        }
        return state.guest(
                guest.restore(devices.guestKind(), devices.registers(), state.memory()));
    }

    static List<Long> regionBytes(Manifest manifest) {
        return manifest.regions().stream().map(region -> region.pages() * 4096L).toList();
    }

    static List<Long> diskBytes(Manifest manifest) {
        return manifest.disks().stream().map(Manifest.Disk::sizeBytes).toList();
    }

    /** Returns what tells the VM of a deleted checkpoint which layers it need not keep for it. */
    static VmActor.ForgetCheckpoint forget(Manifest manifest) {
        return new VmActor.ForgetCheckpoint(
                manifest.ref().id().value(),
                manifest.disks().stream().mapToInt(Manifest.Disk::view).toArray(),
                incarnation(manifest));
    }

    private static int incarnation(Manifest manifest) {
        return manifest.figures().get(INCARNATION) instanceof Number number ? number.intValue() : 0;
    }
}
