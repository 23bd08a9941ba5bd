package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.Vm;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.HdrHistogram.Histogram;

/**
 * Stuns without end, so that the code of a stun is compiled before one is measured: it runs once for each checkpoint, and a
 * checkpoint takes milliseconds, so a process has to be minutes old before the JVM finds it worth its while. The VMs are small,
 * their disks in memory, their checkpoints given up right after the stun.
 */
final class Rehearsal {
    private static final int VM_COUNT = 8;
    private static final int STUNS = 4_000;
    private static final int FIRST_STUNS = 5;
    private static final long MEMORY_BYTES = 4 * Rig.MIB;
    private static final long DISK_BYTES = 2 * Rig.MIB;

    private Rehearsal() {}

    /** Rehearses; returns the very first stuns, as a user sees them whose process is new, unless others came before. */
    static Histogram play(BenchContext context) throws IOException {
        int rounds = context.quick() ? 2 : STUNS / VM_COUNT;
        context.note("rehearsing " + rounds * VM_COUNT + " stuns");
        var first = StunProbe.histogram();
        var wish = Rig.Wish.memoryDisks(VM_COUNT * MEMORY_BYTES, VM_COUNT * MEMORY_BYTES);
        try (var rig = Rig.start(context, "rehearsal", wish)) {
            var vms = new ArrayList<Vm>();
            var probes = new ArrayList<StunProbe>();
            for (int i = 0; i < VM_COUNT; i++) {
                // From no requests in flight to 128.
                int depth = i == 0 ? 0 : 1 << i;
                var load =
                        new LoadProfile(context.seed(), depth, 4096, 50, Work.STORE_RANDOM,
                                Rig.MIB);
                var probe = new StunProbe();
                var vm = rig.create("actor-" + i, MEMORY_BYTES, List.of(DISK_BYTES), load, probe);
                probe.cancelAfterStun(vm);
                probes.add(probe);
                vms.add(vm);
            }
            vms.forEach(Vm::start);
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                var asked = new ArrayList<CompletableFuture<CheckpointOutcome>>();
                for (var vm : vms) {
                    rig.settle(vm);
                    asked.add(vm.checkpoint().toCompletableFuture());
                }
                for (var each : asked) {
                    var outcome = Rig.answer(each);
                    if (outcome.sealed()) {
                        rig.host().delete(outcome.ref());
                    }
                }
                if (round < FIRST_STUNS) {
                    probes.forEach(probe -> first.add(probe.take()));
                }
            }
        }
        return first;
    }
}
