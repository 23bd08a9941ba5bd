package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * What a VM costs that has run and touched nothing, with a disk of 256 MiB in memory: the growth of the Java heap after a
 * collection, of the frames taken from the pool, and of what was allocated beside the heap; and how long thousands of them
 * take to start, from the first that is made to the last that has run.
 */
final class IdleVmBenchmark implements Benchmark {
    private static final double KIB_MAX = 32;
    private static final double SECONDS_MAX = 10;
    private static final long MEMORY_BYTES = 64 * Rig.MIB;
    private static final long DISK_BYTES = 256 * Rig.MIB;
    private static final long FRAME_BYTES = 4096;
    // A frame pool reserves addresses only.
    private static final long POOL_BYTES = 8192 * Rig.MIB;
    private static final int COLLECTIONS = 3;

    /** Memory in use, in bytes. */
    private record Usage(long heap, long frames, long beside) {}

    @Override
    public String name() {
        return "idle-vm";
    }

    @Override
    public String title() {
        return "memory of a VM that touched nothing, and the start of 10,000 of them";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        int warmups = context.quick() ? 20 : 500;
        int vmCount = context.quick() ? 100 : 10_000;
        var wish = Rig.Wish.memoryDisks(POOL_BYTES, 0);
        var rows = new ArrayList<Row>();
        long stopping;
        try (var rig = Rig.start(context, "store", wish)) {
            var vms = new ArrayList<Vm>();
            startMany(rig, context, "warm-", warmups, vms);
            var before = usage(rig);
            context.note("starting " + vmCount + " VMs");
            long start = System.nanoTime();
            startMany(rig, context, "vm-", vmCount, vms);
            double seconds = (System.nanoTime() - start) / 1e9;
            var after = usage(rig);
            // Reached until here, so that none of them was collected.
            if (context.cancelled() || vms.size() != warmups + vmCount) {
                return new BenchResult(List.of());
            }
            double heap = kib(after.heap() - before.heap(), vmCount);
            double frames = kib(after.frames() - before.frames(), vmCount);
            double beside = kib(after.beside() - before.beside(), vmCount);
            rows.add(Row.atMost("memory of an idle VM", KIB_MAX, heap + frames + beside, "KiB"));
            rows.add(Row.shown("of it Java heap", heap, "KiB"));
            rows.add(Row.shown("of it frames", frames, "KiB"));
            rows.add(Row.shown("of it other native memory", beside, "KiB"));
            rows.add(Row.atMost(vmCount + " VMs made and started", SECONDS_MAX, seconds, "s"));
            stopping = System.nanoTime();
        }
        rows.add(Row.shown("stopped again", (System.nanoTime() - stopping) / 1e9, "s"));
        return new BenchResult(rows);
    }

    private static void startMany(
            Rig rig, BenchContext context, String prefix, int count, List<Vm> vms)
            throws IOException {
        var load = LoadProfile.work(context.seed(), Work.NONE, 0);
        int first = vms.size();
        for (int i = 0; i < count && !context.cancelled(); i++) {
            var vm = rig.create(prefix + i, MEMORY_BYTES, List.of(DISK_BYTES), load, VmProbe.NONE);
            vm.start();
            vms.add(vm);
        }
        for (var vm : vms.subList(first, vms.size())) {
            rig.awaitSlices(vm, 1);
        }
    }

    private static Usage usage(Rig rig) {
        var memory = ManagementFactory.getMemoryMXBean();
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        return new Usage(
                memory.getHeapMemoryUsage().getUsed(),
                rig.host().frames().framesInUse() * FRAME_BYTES,
                besideHeap());
    }

    /** Returns the bytes of direct and mapped buffers; disks in memory are arrays of the heap. */
    private static long besideHeap() {
        long bytes = 0;
        for (var pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
            bytes += Math.max(0, pool.getMemoryUsed());
        }
        return bytes;
    }

    private static double kib(long bytes, int vmCount) {
        return (double) bytes / vmCount / Rig.KIB;
    }
}
