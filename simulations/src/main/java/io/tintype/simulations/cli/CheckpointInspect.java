package io.tintype.simulations.cli;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.checkpoints.Refs;
import io.tintype.simulations.checkpoints.Vanished;
import io.tintype.simulations.report.Units;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import io.tintype.vm.DeviceState;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.RegisterHeader;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint inspect}: what one checkpoint consists of. */
@Command(
        name = "inspect",
        sortOptions = false,
        description = {
            "Shows a checkpoint: device state, registers, requests in flight, segments, disks.",
            CheckpointCommand.LOOKS_ONLY},
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {"  0:it is shown", "  2:it is not there, or damaged"},
        footerHeading = "%nExample:%n",
        footer = "  ./tintype checkpoint inspect vm-1/3 --store checkpoints")
final class CheckpointInspect implements Callable<Integer> {
    private static final int REGISTER_BYTES_A_LINE = 32;
    private static final int PENDING_SHOWN_MAX = 64;

    /** A segment's file. */
    record Segment(String name, long bytes, String crc) {}

    /** The guest's registers; what the first 24 bytes say is null where they are of no format known. */
    record Registers(String hex, @Nullable Integer versions, @Nullable Long events,
            @Nullable Long heapSteps) {}

    /** What {@code --json} prints. */
    record Inspection(String ref, @Nullable String parent, String createdAt, double stunMicros,
            String guestKind, double guestSeconds, Registers registers, List<Integer> regionPages,
            List<Manifest.Disk> disks, List<QueueState> queues, List<DeviceState.Pending> pending,
            List<Segment> segments, SortedMap<String, Object> figures) {}

    @Parameters(paramLabel = "REF", description = "VM/ID, or VM for its newest")
    private String name = "";

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        var out = spec.commandLine().getOut();
        try (var store = CheckpointStore.openReadOnly(common.store())) {
            var ref = Refs.find(store, name);
            var inspection = Vanished.guarded(store, List.of(ref), () -> {
                var stored = store.open(ref);
                return inspection(ref, stored.manifest(), DeviceState.of(stored));
            });
            if (!common.wasPrinted(inspection, out)) {
                print(inspection, out);
            }
        }
        out.flush();
        return Commands.EXIT_FINE;
    }

    private static Inspection inspection(CheckpointRef ref, Manifest manifest,
            DeviceState devices) {
        var parent = manifest.parent();
        return new Inspection(ref.toString(), parent == null ? null : parent.toString(),
                manifest.createdAt().toString(), manifest.stunNs() / 1e3, devices.guestKind(),
                devices.guestNs() / 1e9, registers(devices.registers()),
                manifest.regions().stream().map(Manifest.Region::pages).toList(),
                manifest.disks(), devices.queues(), devices.pending(),
                manifest.segments().stream()
                        .map(segment -> new Segment(segment.name(), segment.bytes(),
                                "%08x".formatted(segment.crc())))
                        .toList(),
                manifest.figures());
    }

    private static Registers registers(byte[] bytes) {
        var hex = HexFormat.of().formatHex(bytes);
        try {
            var header = RegisterHeader.of(bytes);
            return new Registers(hex, header.versions(), header.events(), header.heapSteps());
        } catch (IllegalArgumentException _) {
            return new Registers(hex, null, null, null);
        }
    }

    private static void print(Inspection all, PrintWriter out) {
        out.println("checkpoint  " + all.ref()
                + (all.parent() == null ? ", full" : ", incremental on " + all.parent()));
        out.println("taken       " + all.createdAt() + ", stun " + Units.micros(all.stunMicros()));
        out.println("guest       " + all.guestKind() + ", its clock at "
                + Units.digits(all.guestSeconds()) + " s");
        out.println();
        var registers = all.registers();
        out.println("registers   " + registers.hex().length() / 2 + " bytes"
                + (registers.events() == null
                        ? ""
                        : ": " + Units.whole(registers.events()) + " events, "
                                + Units.whole(registers.heapSteps() == null
                                        ? 0
                                        : registers.heapSteps())
                                + " stores into the heap, version "
                                + registers.versions() + " written last"));
        for (int at = 0; at < registers.hex().length(); at += 2 * REGISTER_BYTES_A_LINE) {
            out.println("  " + "%04x  ".formatted(at / 2) + registers.hex().substring(at,
                    Math.min(registers.hex().length(), at + 2 * REGISTER_BYTES_A_LINE)));
        }
        out.println();
        for (int i = 0; i < all.regionPages().size(); i++) {
            out.println("memory " + i + "    " + Units.bytes(all.regionPages().get(i) * 4096L)
                    + ", " + Units.whole(all.regionPages().get(i)) + " pages");
        }
        for (int i = 0; i < all.disks().size(); i++) {
            var disk = all.disks().get(i);
            out.println("disk " + i + "      " + Units.bytes(disk.sizeBytes()) + ", "
                    + disk.images() + " as of layer " + disk.view());
            if (i < all.queues().size()) {
                queue(all.queues().get(i), out);
            }
        }
        pending(all.pending(), out);
        out.println();
        out.println("segments");
        for (var segment : all.segments()) {
            out.println("  %-12s  %10s  crc %s".formatted(segment.name(),
                    Units.bytes(segment.bytes()), segment.crc()));
        }
        if (!all.figures().isEmpty()) {
            out.println();
            all.figures().forEach((name, value) -> out.println("%-11s ".formatted(name) + value));
        }
    }

    private static void queue(QueueState queue, PrintWriter out) {
        out.println(queue.entryCount() == 0
                ? "            queue not configured"
                : "            queue of " + queue.entryCount() + " entries at 0x"
                        + Long.toHexString(queue.submissionAddress()) + " and 0x"
                        + Long.toHexString(queue.completionAddress()) + ", fetched "
                        + Integer.toUnsignedString(queue.head()) + " of "
                        + Integer.toUnsignedString(queue.tail()) + ", completed "
                        + queue.sequence());
    }

    private static void pending(List<DeviceState.Pending> pending, PrintWriter out) {
        out.println();
        out.println("in flight   " + (pending.isEmpty()
                ? "nothing"
                : pending.size() + (pending.size() == 1 ? " request" : " requests")
                        + " at the cut, each with the status that both sides see"));
        for (var request : pending.stream().limit(PENDING_SHOWN_MAX).toList()) {
            out.println("  %6d  %-12s  disk %d  %s  tag %d  %s".formatted(request.ioId(),
                    request.kind(), request.disk(),
                    request.sectorCount() == 0
                            ? "all of it"
                            : "sectors " + request.sector() + "+" + request.sectorCount(),
                    request.tag(), request.status()));
        }
        if (pending.size() > PENDING_SHOWN_MAX) {
            out.println(
                    "  … and " + (pending.size() - PENDING_SHOWN_MAX) + " more, all with --json");
        }
    }
}
