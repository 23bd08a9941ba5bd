package io.tintype.simulations.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.torture.Tape.Fate;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TapeTest {
    @TempDir
    private Path folder;

    @Test
    void shouldTellWhatWasWrittenInThatOrder() throws IOException {
        var file = folder.resolve("tape");
        var writer = new Tape.Writer(file, () -> {
            throw new IllegalStateException("full");
        });
        writer.submitted(1, 300, IoKind.WRITE_ZEROES, 2, 1L << 40, 128, true, 77, 3);
        writer.completed(2, 300, 2, IoStatus.ERROR, new int[] {5, -1, 7}, 3);
        writer.stunned(9, new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9});
        writer.unexpected(3, 1, -4, 2);
        writer.reset(4, 1);
        writer.overwritten(5, 8, 1);
        writer.fate(Orders.DOOMED + 5, 1L << 33, Fate.DELETED);

        var heard = new ArrayList<String>();
        long count = Tape.read(file, new Listener(heard));

        assertEquals(7, count);
        assertEquals(List.of(
                "submitted 1 300 WRITE_ZEROES 2 1099511627776+128 true 77 3",
                "completed 2 300 2 ERROR [5, -1, 7]",
                "stunned 9 [1, 2, 3, 4, 5, 6, 7, 8, 9]",
                "unexpected 3 1 -4 2", "reset 4 1", "overwritten 5 8 1",
                "fate 32773 8589934592 DELETED"), heard);
    }

    @Test
    void shouldTellNothingOfATapeThatWasBeingMade() throws IOException {
        var file = Files.write(folder.resolve("tape"), new byte[0]);

        assertEquals(0, Tape.read(file, new Listener(new ArrayList<>())));
    }

    private record Listener(List<String> heard) implements Tape.Listener {
        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua, int version, int shape) {
            heard.add("submitted " + event + " " + slot + " " + kind + " " + disk + " " + sector
                    + "+" + sectorCount + " " + fua + " " + version + " " + shape);
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            heard.add("completed " + event + " " + slot + " " + disk + " " + status + " "
                    + Arrays.toString(Arrays.copyOf(versions, versionCount)));
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            heard.add("unexpected " + event + " " + disk + " " + tag + " " + status);
        }

        @Override
        public void reset(long event, int disk) {
            heard.add("reset " + event + " " + disk);
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            heard.add("overwritten " + event + " " + slot + " " + disk);
        }

        @Override
        public void stunned(long checkpoint, byte[] registers) {
            heard.add("stunned " + checkpoint + " " + Arrays.toString(registers));
        }

        @Override
        public void fate(int vm, long checkpoint, Fate fate) {
            heard.add("fate " + vm + " " + checkpoint + " " + fate);
        }
    }
}
