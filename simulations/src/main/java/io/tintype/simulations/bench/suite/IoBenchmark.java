package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Requests through the actors, each with an actor of its own: the guest fills a ring, the VM issues, the disk does what was
 * asked, the guest gets its completion. With disks in files, data has checksums while it can be written: what that costs is the
 * rate as it is over the rate without them, of hosts that take turns.
 */
final class IoBenchmark implements Benchmark {
    private static final double RATE_MIN = 250_000;
    private static final double VERIFIED_SHARE_MIN = 0.9;
    private static final int FILE_ROUNDS = 3;
    private static final int[] VM_COUNTS = {1, 4, 16};
    private static final int VM_COUNT_OF_TARGET = 4;
    private static final int DEPTH = 32;
    private static final int REQUEST_BYTES = 4096;
    private static final long MEMORY_BYTES = 4 * Rig.MIB;
    private static final long DISK_BYTES = 16 * Rig.MIB;
    private static final long SECOND_NS = 1_000_000_000;

    @Override
    public String name() {
        return "io";
    }

    @Override
    public String title() {
        return "4 KiB requests through the actors, depth 32, disks in memory and in files";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        var rows = new ArrayList<Row>();
        var cpu = new Medians();
        for (int vmCount : VM_COUNTS) {
            if (context.cancelled()) {
                break;
            }
            context.note(vmCount + " VMs");
            var wish = Rig.Wish.memoryDisks(vmCount * MEMORY_BYTES, 0);
            int seconds = context.quick() ? 1 : 7;
            var rates = new Medians();
            try (var rig = Rig.start(context, "vms-" + vmCount, wish)) {
                measure(context, rig, vmCount, seconds, rates, cpu);
            }
            double rate = rates.median();
            var what = "requests, half of them reads, " + vmCount + (vmCount == 1 ? " VM" : " VMs");
            rows.add(
                    vmCount == VM_COUNT_OF_TARGET
                            ? Row.atLeast(what, RATE_MIN, rate, "/s")
                            : Row.shown(what, rate, "/s"));
        }
        if (!cpu.isEmpty()) {
            // Hardly disturbed by what else runs on the machine, unlike the rates.
            rows.add(Row.shown("processor time of a request", cpu.median(), "µs"));
        }
        if (!context.cancelled()) {
            rows.addAll(inFiles(context));
        }
        return new BenchResult(rows);
    }

    private static List<Row> inFiles(BenchContext context) throws IOException {
        var rates = new Medians();
        var cpu = new Medians();
        var ratesWithout = new Medians();
        var cpuWithout = new Medians();
        var wish = Rig.Wish.diskFiles(VM_COUNT_OF_TARGET * MEMORY_BYTES, 0);
        int seconds = context.quick() ? 1 : 3;
        for (int round = 0; round < FILE_ROUNDS && !context.cancelled(); round++) {
            context.note(VM_COUNT_OF_TARGET + " VMs, disks in files, round " + (round + 1));
            for (int turn = 0; turn < 2; turn++) {
                // Neither is always the one that finds the code warm.
                boolean verified = (round + turn) % 2 == 0;
                try (var rig = Rig.start(context, "files-" + round + turn, wish,
                        verified ? UnaryOperator.identity() : TrustedImages::ports)) {
                    measure(context, rig, VM_COUNT_OF_TARGET, seconds,
                            verified ? rates : ratesWithout, verified ? cpu : cpuWithout);
                }
            }
        }
        if (rates.isEmpty() || ratesWithout.isEmpty()) {
            return List.of();
        }
        return List.of(
                Row.shown("the same with disks in files, " + VM_COUNT_OF_TARGET + " VMs",
                        rates.median(), "/s"),
                Row.atLeast("… of the rate without checksums", VERIFIED_SHARE_MIN,
                        rates.median() / ratesWithout.median(), "×"),
                Row.shown("processor time of a request, disks in files", cpu.median(), "µs"),
                Row.shown("… without checksums", cpuWithout.median(), "µs"));
    }

    private static void measure(BenchContext context, Rig rig, int vmCount, int seconds,
            Medians rates, Medians cpu) throws IOException {
        long windowNs = context.quick() ? SECOND_NS / 10 : SECOND_NS;
        var vms = new ArrayList<Vm>();
        for (int i = 0; i < vmCount; i++) {
            var load = LoadProfile.io(context.seed() + i, DEPTH, REQUEST_BYTES, 50);
            vms.add(rig.create("vm-" + i, MEMORY_BYTES, List.of(DISK_BYTES), load,
                    VmProbe.NONE));
        }
        vms.forEach(Vm::start);
        rig.pass(5 * windowNs);
        for (int i = 0; i < seconds && !context.cancelled(); i++) {
            long completed = completed(vms);
            long cpuNs = cpuNs();
            long start = System.nanoTime();
            rig.pass(windowNs);
            long done = completed(vms) - completed;
            rates.add(1e9 * done / (System.nanoTime() - start));
            cpu.add((cpuNs() - cpuNs) / 1e3 / done);
        }
        for (var vm : vms) {
            if (vm.counters().ioFailed() > 0) {
                throw new IllegalStateException("requests of " + vm.id() + " failed");
            }
        }
    }

    /** Returns the processor time of this process; 0 where the JVM cannot tell. */
    private static long cpuNs() {
        return ManagementFactory
                .getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                        ? system.getProcessCpuTime()
                        : 0;
    }

    private static long completed(List<Vm> vms) {
        return vms.stream().mapToLong(vm -> vm.counters().ioCompleted()).sum();
    }
}
