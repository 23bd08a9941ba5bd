package io.tintype.simulations.oracle;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EventLogTest {
    private final EventLog log = new EventLog();

    /** Writes down what it hears. */
    private static class Notes implements EventLog.Reader {
        final List<String> lines = new ArrayList<>();

        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua,
                int version, int shape) {
            lines.add(submittedLine(event, slot, kind, disk, sector, sectorCount, fua, version,
                    shape));
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int count) {
            lines.add(completedLine(event, slot, disk, status, Arrays.copyOf(versions, count)));
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
            lines.add(event + " overwritten " + slot + " " + disk);
        }

        @Override
        public void stunned(long checkpointId, byte[] registers) {
            lines.add("stunned " + checkpointId + " " + Arrays.toString(registers));
        }
    }

    private static String submittedLine(long event, int slot, IoKind kind, int disk, long sector,
            int sectorCount,
            boolean fua, int version, int shape) {
        return event + " submitted " + slot + " " + kind + disk + " " + sector + "+" + sectorCount
                + fua + version + " " + shape;
    }

    private static String completedLine(long event, int slot, int disk, IoStatus status,
            int[] versions) {
        return event + " completed " + slot + " " + disk + status + Arrays.toString(versions);
    }

    @Test
    void shouldTellEveryEventInItsOrder() {
        var random = new Random(1);
        var expected = new ArrayList<String>();
        var notes = new Notes();
        for (int i = 1; i <= 20_000; i++) {
            var slot = random.nextInt(1024);
            var disk = random.nextInt(16);
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    var kind = List.of(IoKind.values()).get(random.nextInt(5));
                    var sector = random.nextLong() >>> 20;
                    var count = random.nextInt(65_537);
                    var version = random.nextInt(Integer.MAX_VALUE);
                    var fua = random.nextBoolean();
                    var shape = random.nextInt(4);
                    log.submitted(i, slot, kind, disk, sector, count, fua, version, shape);
                    expected.add(
                            submittedLine(i, slot, kind, disk, sector, count, fua, version, shape));
                }
                case 2 -> {
                    var versions = random
                            .ints(random.nextInt(10) == 0 ? 2048 : random.nextInt(9), -2, 1 << 30)
                            .toArray();
                    log.completed(i, slot, disk, IoStatus.ERROR, versions, versions.length);
                    expected.add(completedLine(i, slot, disk, IoStatus.ERROR, versions));
                }
                case 3 -> {
                    log.unexpected(i, disk, -slot, slot);
                    expected.add(i + " unexpected " + disk + " " + -slot + " " + slot);
                }
                case 4 -> {
                    log.reset(i, disk);
                    log.overwritten(i, slot, disk);
                    expected.add(i + " reset " + disk);
                    expected.add(i + " overwritten " + slot + " " + disk);
                }
                default -> {
                    log.stunned(i, new byte[] {(byte) i});
                    expected.add("stunned " + i + " [" + (byte) i + "]");
                }
            }
            if (random.nextInt(3) == 0) {
                log.read(random.nextInt(9), notes);
            }
        }

        log.read(Integer.MAX_VALUE, notes);

        assertEquals(expected, notes.lines);
        assertEquals(16_384, log.backlogBytes());
    }

    @Test
    void shouldShowAReaderOnAnotherThreadOnlyWholeEvents() throws InterruptedException {
        var count = 300_000;
        var wrong = new ArrayList<String>();
        var reader = new Thread(() -> {
            var heard = new long[1];
            EventLog.Reader check = new Notes() {
                @Override
                public void completed(long event, int slot, int disk, IoStatus status,
                        int[] versions, int seen) {
                    heard[0]++;
                    if (event != heard[0] || seen != (int) (event % 5)
                            || (seen > 0 && versions[seen - 1] != (int) event)) {
                        wrong.add("event " + event + " after " + heard[0]);
                    }
                }
            };
            while (heard[0] < count && wrong.isEmpty()) {
                log.read(1000, check);
            }
        });
        reader.start();
        var versions = new int[5];
        for (int i = 1; i <= count; i++) {
            Arrays.fill(versions, i);
            log.completed(i, 1, 1, IoStatus.OK, versions, i % 5);
        }
        reader.join();

        assertTrue(wrong.isEmpty(), wrong.toString());
    }

    @Test
    void shouldKeepTheRegistersOfEachStun() {
        var registers = new byte[] {1, 2, 3};
        log.stunned(7, registers);

        log.read(1, new Notes() {
            @Override
            public void stunned(long checkpointId, byte[] found) {
                assertEquals(7, checkpointId);
                assertArrayEquals(registers, found);
            }
        });
    }
}
