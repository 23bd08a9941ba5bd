package io.tintype.simulations.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.Outcome;
import io.tintype.vm.guest.SyntheticProfile;
import io.tintype.vm.guest.TraceProfile;
import io.tintype.vm.guest.VscsiTrace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest that is saved and restored between any two slices cannot be told from one that never was. */
class GuestRestoreTest {
    private static final FramePool POOL = new FramePool(64 << 20, 64 << 20);
    private static final List<Long> REGIONS = List.of(1L << 20, 512L << 10);
    private static final List<Long> DISKS = List.of(1L << 20, 512L << 10);

    @TempDir
    Path folder;

    @AfterAll
    static void close() {
        POOL.close();
    }

    /** Writes down what it hears. */
    private static final class Notes implements GuestRecorder {
        final List<String> lines = new ArrayList<>();
        int submittedCount;

        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua,
                int version, int shape) {
            submittedCount++;
            lines.add(event + " submitted " + slot + " " + kind + " " + disk + " " + sector + "+"
                    + sectorCount + " "
                    + fua + " " + version + " " + shape);
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            lines.add(event + " completed " + slot + " " + disk + " " + status + " "
                    + Arrays.toString(Arrays.copyOf(versions, versionCount)));
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            lines.add(event + " unexpected " + disk + " " + tag + " " + status);
        }

        @Override
        public void reset(long event, int disk) {
            lines.add(event + " reset " + disk);
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            lines.add(event + " overwritten " + slot);
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared as a record
    private record Ending(List<String> lines, byte[] memory, byte[] registers) {}

    private static Ending run(long seed, Function<GuestRecorder, GuestFactory> factory,
            boolean isRestored) {
        var notes = new Notes();
        var restoring = new Random(seed + 1);
        try (var vm = new SimulatedVm(new Random(seed), POOL, factory.apply(notes), REGIONS, DISKS,
                0.05)) {
            for (int i = 0; i < 400; i++) {
                vm.turn();
                if (isRestored && restoring.nextInt(3) == 0) {
                    vm.replaceAll();
                }
            }
            return new Ending(notes.lines, vm.memoryBytes(), vm.guest.saveRegisters());
        }
    }

    private static void assertSame(long seed, Function<GuestRecorder, GuestFactory> factory) {
        var uninterrupted = run(seed, factory, false);
        var restored = run(seed, factory, true);

        assertEquals(uninterrupted.lines, restored.lines, "seed " + seed);
        assertArrayEquals(uninterrupted.memory, restored.memory, "seed " + seed);
        assertArrayEquals(uninterrupted.registers, restored.registers, "seed " + seed);
        assertTrue(uninterrupted.registers.length < 1024);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void shouldRestoreASyntheticGuestExactly(long seed) {
        var profile = SyntheticProfile.DEFAULTS
                .withSeed(seed)
                .withIo((int) (1 + seed * 3), seed % 4 == 0 ? 20_000 : SyntheticProfile.UNLIMITED)
                .withDirtyRate(seed % 3 == 0 ? SyntheticProfile.UNLIMITED : 100_000)
                .withRequests(40, 60, 200)
                .withOverlapping(seed % 2 == 0)
                .withResetEvery(seed % 2 == 0 ? 50 : 0);

        assertSame(seed, recorder -> Guests.synthetic(profile, DISKS, recorder));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldRestoreALoadGuestExactly(long seed) {
        var works = LoadProfile.Work.values();
        var profile = new LoadProfile(seed, (int) (seed * 4), 4096, 50,
                works[(int) seed % works.length], 0);

        assertSame(seed, _ -> Guests.load(profile, DISKS));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldRestoreATraceGuestExactly(long seed) throws Exception {
        var profile = new TraceProfile(trace(seed, 3_000), 100, (int) (seed * 500), 8, seed, 20_000,
                10, 90);

        assertSame(seed, recorder -> Guests.trace(profile, DISKS, recorder));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldReplayEachRequestOfATraceOnceFromItsStartingPoint(long seed) throws Exception {
        var trace = trace(seed, 200);
        var profile = TraceProfile.ofVm(trace, 1000, (int) seed, 5, 7, 0);
        var notes = new Notes();

        try (var vm = new SimulatedVm(new Random(seed), POOL, Guests.trace(profile, DISKS, notes),
                List.of(4L << 20),
                DISKS, 0)) {
            for (int i = 0; i < 100_000 && !(vm.outcome instanceof Outcome.Stopped); i++) {
                vm.turn();
            }
            assertInstanceOf(Outcome.Stopped.class, vm.outcome);
        }

        assertEquals(200, notes.submittedCount);
        assertEquals(400, notes.lines.size());
        var first = notes.lines.getFirst();
        assertTrue(first.contains(" 0 " + sectorOf(seed, profile.start()) + "+"), first);
    }

    @Test
    void shouldRefuseRegistersOfAnotherKindOrConfiguration() {
        try (var vm = new SimulatedVm(new Random(1), POOL,
                Guests.synthetic(SyntheticProfile.DEFAULTS, DISKS,
                        GuestRecorder.NONE),
                List.of(4L << 20), DISKS, 0)) {
            var registers = vm.guest.saveRegisters();
            var deeper = SyntheticProfile.DEFAULTS.withIo(100, SyntheticProfile.UNLIMITED)
                    .withRequests(8, 50, 256);

            assertThrows(IllegalArgumentException.class,
                    () -> Guests.synthetic(deeper, DISKS, GuestRecorder.NONE)
                            .restore("synthetic", registers, vm.memory()));
            assertThrows(IllegalArgumentException.class,
                    () -> Guests.load(LoadProfile.io(1, 4, 512, 50), DISKS)
                            .restore("synthetic", registers, vm.memory()));
            assertThrows(IllegalArgumentException.class,
                    () -> Guests.synthetic(deeper, DISKS, GuestRecorder.NONE)
                            .restore("synthetic", new byte[3], vm.memory()));
        }
    }

    private static long sectorOf(long seed, int index) {
        return (seed * 31 + index * 7L) % 1000;
    }

    private VscsiTrace trace(long seed, int count) throws Exception {
        var random = new Random(seed);
        var bytes = ByteBuffer.allocate(count * 32).order(ByteOrder.LITTLE_ENDIAN);
        long timeUs = 1_000_000;
        for (int i = 0; i < count; i++) {
            bytes.putInt(i).putInt(512 * (1 + random.nextInt(40))).putInt(1)
                    .putShort((short) (random.nextBoolean() ? 0x28 : 0x2a)).putShort((short) 0x0100)
                    .putLong(sectorOf(seed, i)).putLong(timeUs);
            timeUs += random.nextInt(2000);
        }
        var file = folder.resolve("trace.vscsi");
        Files.write(file, bytes.array());
        return VscsiTrace.read(file);
    }
}
