package io.tintype.vm.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VscsiTraceTest {
    private static final int READ = 0x28;
    private static final int WRITE = 0x2a;

    @TempDir
    Path folder;

    @Test
    void shouldReadEveryField() throws Exception {
        var trace = VscsiTrace.read(
                file(record(4096, READ, 0x0100, 1000, 50), record(69_632, WRITE, 0x0100, 8, 75)));

        assertEquals(2, trace.requestCount());
        assertEquals(1008, trace.endSector());
        assertEquals(136, trace.requestSectorsMax());
        assertEquals(25, trace.durationUs());
        assertFalse(trace.isWrite(0));
        assertTrue(trace.isWrite(1));
        assertEquals(8, trace.sectorCount(0));
        assertEquals(1000, trace.sector(0));
    }

    @Test
    void shouldWrapAroundInTimeToo() throws Exception {
        var trace = VscsiTrace
                .read(file(record(512, READ, 0x0100, 1, 100), record(512, READ, 0x0100, 1, 110),
                        record(512, READ, 0x0100, 1, 180)));

        assertEquals(List.of(0L, 70L, 70L),
                List.of(trace.delayUs(1, 1), trace.delayUs(1, 2), trace.delayUs(1, 0)));
    }

    @Test
    void shouldSayThatTheFileIsMissing() {
        assertMessage(folder.resolve("none.vscsi"), "does not exist");
    }

    @Test
    void shouldSayThatItIsAFolder() {
        assertMessage(folder, "is a directory");
    }

    @Test
    void shouldSayThatItIsEmpty() throws Exception {
        assertMessage(file(), "is empty");
    }

    @Test
    void shouldSayThatItIsTruncatedAndWhereToCut() throws Exception {
        var file = file(record(512, READ, 0x0100, 1, 1), new byte[7]);

        assertMessage(file,
                "truncated: its 39 bytes are no multiple of 32; fetch it again, or cut it to 32 bytes");
    }

    @Test
    void shouldNameTheRecordWithAWrongVersion() throws Exception {
        var file = file(record(512, READ, 0x0100, 1, 1), record(512, READ, 0x0200, 1, 1));

        assertMessage(file, "record 1 has version 0x0200");
    }

    @Test
    void shouldNameTheRecordWithAnUnknownOperation() throws Exception {
        assertMessage(file(record(512, 0x35, 0x0100, 1, 1)), "record 0 has operation 0x35");
    }

    @Test
    void shouldNameTheRecordWithAnImpossibleLength() throws Exception {
        assertMessage(file(record(0, READ, 0x0100, 1, 1)), "record 0 has length 0");
        assertMessage(file(record(513, READ, 0x0100, 1, 1)), "record 0 has length 513");
        assertMessage(file(record(-512, READ, 0x0100, 1, 1)), "record 0 has length 4294966784");
    }

    @Test
    void shouldNameTheRecordWithAnImpossibleSector() throws Exception {
        assertMessage(file(record(512, READ, 0x0100, -1, 1)),
                "record 0 begins at sector 18446744073709551615");
    }

    @Test
    void shouldRefuseADiskThatIsTooSmall() throws Exception {
        var trace = VscsiTrace.read(file(record(512, READ, 0x0100, 1000, 1)));
        var profile = TraceProfile.ofVm(trace, 60, 0, 1, 1, 0);

        var error = assertThrows(IllegalArgumentException.class,
                () -> profile.blueprint(1 << 24, List.of(512_000L)));

        var message = String.valueOf(error.getMessage());
        assertTrue(message.contains("needs a disk of at least 512512 bytes, got 512000"), message);
    }

    @Test
    void shouldSpreadTheVmsOverTheTrace() throws Exception {
        var one = record(512, READ, 0x0100, 1, 1);
        var trace = VscsiTrace.read(file(one, one, one, one));

        assertEquals(2, TraceProfile.ofVm(trace, 1, 8, 16, 1, 0).start());
        assertEquals(3, TraceProfile.ofVm(trace, 1, 15, 16, 1, 0).start());
    }

    private static void assertMessage(Path file, String part) {
        var error = assertThrows(TraceException.class, () -> VscsiTrace.read(file));

        var message = String.valueOf(error.getMessage());
        assertTrue(message.startsWith("trace " + file), message);
        assertTrue(message.contains(part), message);
        assertFalse(message.contains("\n"), message);
    }

    private Path file(byte[]... parts) throws IOException {
        var file = Files.createTempFile(folder, "trace", ".vscsi");
        try (var out = Files.newOutputStream(file)) {
            for (var part : parts) {
                out.write(part);
            }
        }
        return file;
    }

    private static byte[] record(int bytes, int operation, int version, long sector, long timeUs) {
        return ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN)
                .putInt(1).putInt(bytes).putInt(1)
                .putShort((short) operation).putShort((short) version)
                .putLong(sector).putLong(timeUs)
                .array();
    }
}
