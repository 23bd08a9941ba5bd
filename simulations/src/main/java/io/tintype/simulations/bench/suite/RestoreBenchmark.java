package io.tintype.simulations.bench.suite;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.RestoreMode;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * From the call of restore to the first instruction of the guest, and to the first word that it loads, which has to be read
 * from the store: for a VM of 1 GiB and one of 4 GiB, all pages different, with a disk in files. The checkpoint was just
 * written, so it is in the page cache. Reading everything first is shown beside it.
 */
final class RestoreBenchmark implements Benchmark {
    private static final double FIRST_MS_MAX = 5;
    private static final int WARMUPS = 200;
    private static final int EARLY = 20;
    private static final long DISK_BYTES = 64 * Rig.MIB;

    @Override
    public String name() {
        return "restore";
    }

    @Override
    public String title() {
        return "restore of a large VM to its first instruction";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        var rows = new ArrayList<Row>();
        for (long gib : new long[] {1, 4}) {
            long bytes = context.quick() ? gib * 8 * Rig.MIB : gib * 1024 * Rig.MIB;
            if (!context.cancelled()) {
                measure(context, context.quick() ? 8 * gib + " MiB" : gib + " GiB", bytes, rows);
            }
        }
        return new BenchResult(rows);
    }

    private static void measure(BenchContext context, String size, long bytes, List<Row> rows)
            throws IOException {
        var first = new Medians();
        var loaded = new Medians();
        var early = new Medians();
        try (var rig = Rig.start(context, size.replace(' ', '-'),
                Rig.Wish.diskFiles(bytes + bytes / 2, bytes))) {
            context.note(size + ": writing the checkpoint");
            var ref = checkpoint(context, rig, bytes);
            int rounds = context.quick() ? 2 : 15;
            // The rows with a target are of a host whose code is compiled: compilers want both cores for some seconds before.
            // What its first restores take is shown beside them.
            int warmups = context.quick() ? 2 : WARMUPS;
            for (int round = 0; round < warmups + rounds && !context.cancelled(); round++) {
                var watch = new FirstStepGuest.Watch();
                // Another page each time; a prime number of pages apart.
                long address = (7919L * 4096 * (round + 1)) % bytes;
                long start = System.nanoTime();
                var vm = rig.host().restore(ref, "restored-" + round,
                        FirstStepGuest.factory(address, watch), VmProbe.NONE);
                vm.start();
                await(watch);
                double firstMs = (watch.firstNs - start) / 1e6;
                double loadedMs = (watch.loadedNs - start) / 1e6;
                if (round == 0) {
                    rows.add(Row.shown(size + ", first instruction of the first restore", firstMs,
                            "ms"));
                    rows.add(Row.shown(size + ", first word loaded of the first restore", loadedMs,
                            "ms"));
                }
                if (round > 0 && round < Math.min(warmups, EARLY)) {
                    early.add(firstMs);
                }
                if (round >= warmups) {
                    first.add(firstMs);
                    loaded.add(loadedMs);
                }
                rig.host().destroy(vm);
            }
            if (!first.isEmpty()) {
                rows.add(Row.atMost(size + ", first instruction, median", FIRST_MS_MAX,
                        first.median(), "ms"));
                rows.add(Row.shown(size + ", first word loaded, median", loaded.median(), "ms"));
                rows.add(Row.shown(size + ", first instruction, median of restores 2 to " + EARLY,
                        early.median(), "ms"));
            }
            if (!context.cancelled()) {
                rows.add(Row.shown(size + ", everything read before", eager(rig, ref), "ms"));
            }
        }
    }

    private static CheckpointRef checkpoint(BenchContext context, Rig rig, long bytes)
            throws IOException {
        var load = LoadProfile.work(context.seed(), Work.NONE, 0);
        var vm = rig.create("large", bytes, List.of(DISK_BYTES), load, VmProbe.NONE);
        fill(vm);
        var outcome = Rig.answer(vm.checkpoint());
        if (!outcome.sealed()) {
            throw new IllegalStateException(outcome.ref() + ": " + outcome.reason());
        }
        Rig.answer(vm.stop());
        return outcome.ref();
    }

    /** Gives each page bytes that no other page has. */
    static void fill(Vm vm) throws IOException {
        Rig.answer(vm.visit(machine -> {
            var memory = machine.memory();
            for (long at = 0; at < memory.sizeBytes(); at += 4096) {
                memory.fillLongs(at, 512, at * 31 + 1);
            }
        }));
    }

    private static double eager(Rig rig, CheckpointRef ref) throws IOException {
        var watch = new FirstStepGuest.Watch();
        long start = System.nanoTime();
        var vm = rig.host().restore(ref, "eager", FirstStepGuest.factory(0, watch), VmProbe.NONE,
                RestoreMode.EAGER);
        vm.start();
        await(watch);
        double ms = (watch.firstNs - start) / 1e6;
        rig.host().destroy(vm);
        return ms;
    }

    static void await(FirstStepGuest.Watch watch) throws IOException {
        try {
            watch.done.await();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }
}
