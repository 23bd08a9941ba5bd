package io.tintype.simulations.oracle;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.HeapPattern;
import io.tintype.vm.guest.SectorPattern;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What the oracle costs for each second of a fleet of 64 VMs with 250,000 requests and 1,280,000 stores a second, each VM
 * checkpointed once a second. Reading disks and memory is not in it: here they are made up.
 */
class OracleCostTest {
    private static final int VM_COUNT = 64;
    private static final int IO_DEPTH = 16;
    private static final int REQUESTS = 250_000 / VM_COUNT;
    private static final int STORES = 20_000;
    private static final int SECTORS = 8;
    private static final long DISK_BYTES = 256L << 20;
    private static final long MEMORY_BYTES = 64L << 20;

    /** A guest that is nothing but its events, and the disk and the heap that go with them. */
    private static final class Vm {
        final SyntheticProfile profile;
        final GuestBlueprint blueprint;
        final EventLog log = new EventLog();
        final Oracle oracle;
        final List<Violation> violations = new ArrayList<>();
        final int[] versions = new int[(int) (DISK_BYTES / 512)];
        final long[] heap;
        final long[] words = new long[GuestMemory.PAGE_BYTES / Long.BYTES];
        final Random random;
        long events;
        int version;
        long steps;
        byte[] registers = new byte[0];

        Vm(int index) {
            random = new Random(index);
            profile = SyntheticProfile.DEFAULTS.withSeed(index)
                    .withIo(IO_DEPTH, SyntheticProfile.UNLIMITED)
                    .withRequests(SECTORS, 50, 4096);
            blueprint = profile.blueprint(MEMORY_BYTES, List.of(DISK_BYTES));
            oracle = new Oracle("vm-" + index, blueprint, log, OracleOptions.DEFAULTS,
                    violations::add);
            heap = new long[blueprint.heap().pageCount() * HeapPattern.SLOT_COUNT];
        }

        /** A second: requests, at first without and then with others in flight, and stores; then a stun, nothing in flight. */
        void second(long checkpoint) {
            var seen = new int[SECTORS];
            for (int i = 0; i < REQUESTS; i += IO_DEPTH) {
                var sectors = new long[IO_DEPTH];
                var isRead = new boolean[IO_DEPTH];
                for (int slot = 0; slot < IO_DEPTH; slot++) {
                    // Of its own block group, so that none share sectors.
                    sectors[slot] =
                            (random.nextInt(versions.length / 8 / IO_DEPTH) * (long) IO_DEPTH
                                    + slot) * 8;
                    isRead[slot] = random.nextBoolean();
                    log.submitted(++events, slot, isRead[slot] ? IoKind.READ : IoKind.WRITE, 0,
                            sectors[slot], SECTORS,
                            false, isRead[slot] ? 0 : ++version, 0);
                    for (int s = 0; s < SECTORS && !isRead[slot]; s++) {
                        versions[(int) sectors[slot] + s] = version;
                    }
                }
                for (int slot = 0; slot < IO_DEPTH; slot++) {
                    for (int s = 0; s < SECTORS; s++) {
                        seen[s] = versions[(int) sectors[slot] + s];
                    }
                    log.completed(++events, slot, 0, IoStatus.OK, seen, isRead[slot] ? SECTORS : 0);
                }
            }
            for (int i = 0; i < STORES; i++) {
                var choices = blueprint.heap().choices(++steps);
                heap[blueprint.heap().page(choices) * HeapPattern.SLOT_COUNT
                        + HeapPattern.slot(choices)] =
                                blueprint.heap().value(steps);
            }
            registers = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(1).putInt(version).putLong(events).putLong(steps).array();
            log.stunned(checkpoint, registers);
        }

        CheckpointImage image(long checkpoint) {
            var queue = new QueueState(0, 0, 0, (int) (events / 2), (int) (events / 2), events / 2);
            return new CheckpointImage(checkpoint, registers, List.of(queue), List.of(),
                    this::readPage, this::readSectors);
        }

        private boolean readPage(int page, MemorySegment destination) {
            var inHeap = page - (int) (blueprint.layout().heap() / GuestMemory.PAGE_BYTES);
            if (inHeap < 0) {
                return false;
            }
            Arrays.fill(words, 0);
            for (int slot = 0; slot < HeapPattern.SLOT_COUNT; slot++) {
                words[blueprint.heap().word(inHeap, slot)] =
                        heap[inHeap * HeapPattern.SLOT_COUNT + slot];
            }
            MemorySegment.copy(MemorySegment.ofArray(words), 0, destination, 0,
                    GuestMemory.PAGE_BYTES);
            return true;
        }

        private void readSectors(int disk, long sector, MemorySegment destination) {
            destination.fill((byte) 0);
            var pattern = blueprint.sectors();
            for (int i = 0; i < destination.byteSize() / 512; i++) {
                var seen = versions[(int) sector + i];
                if (seen > 0) {
                    pattern.fill(words, 0, seen, disk, sector + i);
                    MemorySegment.copy(MemorySegment.ofArray(words), 0, destination, i * 512L,
                            SectorPattern.WORD_COUNT * 8L);
                }
            }
        }
    }

    @Test
    @Tag("benchmark")
    void shouldFollowABusyFleetWithWellUnderHalfACore() throws IOException {
        var vms = new ArrayList<Vm>();
        for (int i = 0; i < VM_COUNT; i++) {
            vms.add(new Vm(i));
        }
        double following = 0;
        for (int second = 1; second <= 8; second++) {
            for (var vm : vms) {
                vm.second(second);
            }
            var start = cpuNs();
            for (var vm : vms) {
                vm.oracle.drain(Integer.MAX_VALUE);
            }
            following = (cpuNs() - start) / 1e9;
            start = cpuNs();
            long sectors = 0;
            long pages = 0;
            for (var vm : vms) {
                var report = vm.oracle.verify(vm.image(second), false);
                // The buffers are not made up.
                assertTrue(
                        report.violations().stream()
                                .allMatch(wrong -> wrong.where().startsWith("buffer")),
                        () -> report.violations().toString());
                sectors += report.sectorsChecked();
                pages += report.pagesChecked();
                vm.oracle.release(second);
            }
            var verifying = (cpuNs() - start) / 1e9;
            System.out.printf(
                    "second %d: following %.3f s, verifying %.3f s (%d sectors, %d pages, made up meanwhile)%n",
                    second, following, verifying, sectors, pages);
            vms.forEach(vm -> assertTrue(vm.violations.isEmpty()));
        }
        assertTrue(following < 0.5, "following took " + following);
    }

    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }
}
