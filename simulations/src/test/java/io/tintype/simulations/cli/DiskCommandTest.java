package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.cow.disk.ChainId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.simulations.cli.Commands.Surroundings;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskCommandTest {
    private static final int GROUP = 4096;
    private static final int SLOTS_AT = 65536;

    @TempDir
    private Path folder;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int tintype(Object... words) {
        out.getBuffer().setLength(0);
        err.getBuffer().setLength(0);
        return Commands
                .on(new FakeRunner.Root(), new FakeRunner(), List.of(),
                        new Surroundings(() -> 1L << 34, Terminal.none(), folder))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(Arrays.stream(words).map(String::valueOf).toArray(String[]::new));
    }

    /** A sealed layer, a top on it, and a clone that stands on the former. */
    private Path disk() throws IOException {
        var path = folder.resolve("disk");
        var chain = DiskChain.create(new FileImageDirectory(path),
                new DiskGeometry(16 * GROUP, GROUP), new ChainId(1, 2));
        write(chain, 3);
        chain.switchTo(chain.prepareOverlay());
        chain.seal(0);
        write(chain, 5);
        chain.sync(1);
        var clone = DiskChain.createOn(new FileImageDirectory(folder.resolve("clone")), chain, 0);
        clone.sync(1);
        clone.close();
        chain.close();
        return path;
    }

    private static void write(DiskChain chain, long group) throws IOException {
        var bytes = Arena.ofAuto().allocate(GROUP, 4096);
        bytes.fill((byte) (group + 1));
        chain.fault(chain.top(), group, 0, bytes);
    }

    private Map<String, byte[]> files() throws IOException {
        var contents = new TreeMap<String, byte[]>();
        try (var all = Files.walk(folder)) {
            for (var file : all.filter(Files::isRegularFile).toList()) {
                contents.put(file.toString(), Files.readAllBytes(file));
            }
        }
        return contents;
    }

    @Test
    void shouldDrawTheLayersFromTheTopDown() throws IOException {
        var disk = disk();
        var before = new ArrayList<>(files().keySet());

        assertEquals(0, tintype("disk", "info", disk), err::toString);

        var text = out.toString();
        assertTrue(text.indexOf("layer-1.img") < text.indexOf("layer-0.img"), text);
        assertTrue(text.contains("writes go here"), text);
        assertTrue(text.contains("sealed"), text);
        assertTrue(text.contains("depth 2"), text);
        assertEquals(before, new ArrayList<>(files().keySet()));

        assertEquals(0, tintype("disk", "info", folder.resolve("clone")), err::toString);
        assertTrue(out.toString().contains("as of layer 0"), out::toString);
    }

    @Test
    void shouldTellProgramsTheSame() throws IOException {
        assertEquals(0, tintype("disk", "info", disk(), "--json"));

        var disk = new ObjectMapper().readTree(out.toString()).get("disks").get(0);
        assertEquals(2, disk.get("files").size());
        assertEquals(1, disk.get("files").get(0).get("sealedGroups").intValue());
        assertEquals(1, disk.get("top").intValue());
        assertEquals(0, disk.get("strays").size());
    }

    @Test
    void shouldNameEveryDamageAndWriteNothing() throws IOException {
        var disk = disk();
        assertEquals(0, tintype("disk", "check", disk), out::toString);
        assertTrue(out.toString().contains("all is as it was written"), out::toString);
        var file = disk.resolve("layer-0.img");
        var bytes = Files.readAllBytes(file);
        bytes[SLOTS_AT + 100] ^= 1;
        Files.write(file, bytes);
        var before = files();

        assertEquals(1, tintype("disk", "check", disk));

        assertTrue(out.toString().contains(file + ": damaged at byte " + SLOTS_AT
                + ": the data of block group 3 has a wrong checksum"), out::toString);
        assertEquals(before.keySet(), files().keySet());
        assertTrue(files().entrySet().stream()
                .allMatch(entry -> Arrays.equals(entry.getValue(), before.get(entry.getKey()))));

        Files.write(file, Arrays.copyOf(bytes, SLOTS_AT + 10));
        assertEquals(1, tintype("disk", "check", disk, "--json"));
        var damage = new ObjectMapper().readTree(out.toString()).get("damages").get(0);
        assertEquals(file.toString(), damage.get("file").textValue());

        Files.delete(file);
        assertEquals(1, tintype("disk", "check", disk));
        assertTrue(out.toString().contains("the file is missing"), out::toString);
    }

    @Test
    void shouldRefuseInALineWhatIsNoDisk() throws IOException {
        var empty = Files.createDirectory(folder.resolve("empty"));
        for (var path : List.of(empty, folder.resolve("nowhere"))) {
            assertEquals(2, tintype("disk", "check", path));
            assertTrue(err.toString().startsWith("tintype: "), err::toString);
            assertTrue(err.toString().contains(path.toString()), err::toString);
            assertEquals(1, err.toString().lines().count());
        }
        assertEquals(2, tintype("disk", "delete", empty));
        assertFalse(err.toString().isEmpty());
    }
}
