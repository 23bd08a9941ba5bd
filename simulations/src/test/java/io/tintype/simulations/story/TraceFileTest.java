package io.tintype.simulations.story;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TraceFileTest {
    @TempDir
    Path folder;

    @Test
    void shouldReadWhatItWrote() throws Exception {
        var file = folder.resolve("story.json");
        for (var story : List.of(MadeUpStory.ofR8(), MadeUpStory.ofSize(1000),
                new Story("explore", null, "„nothing“ — \"\\ \n \u0000 \uD83D\uDCBE", -1, List.of(),
                        List.of(), List.of()))) {
            TraceFile.write(file, story);

            assertEquals(story, TraceFile.read(file));
        }
    }

    @Test
    void shouldBeReadableAndCompareLineByLine() throws Exception {
        var text = TraceFile.render(MadeUpStory.ofR8());

        assertTrue(text.startsWith(
                "{\n  \"format\" : \"tintype-story\",\n  \"version\" : 1,\n  \"checksum\" : \""),
                text);
        assertTrue(text.contains("\"name\" : \"deliver vm-1/disk-0 Submit io-1\",\n"), text);
        assertEquals(text, TraceFile.render(MadeUpStory.ofR8()));
    }

    @Test
    void shouldReplaceAnEarlierFileWhole() throws Exception {
        var file = folder.resolve("story.json");
        TraceFile.write(file, MadeUpStory.ofSize(100));
        TraceFile.write(file, MadeUpStory.ofR8());

        assertEquals(MadeUpStory.ofR8(), TraceFile.read(file));
        try (var files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void shouldRefuseEveryTruncation() throws Exception {
        var whole = small();
        for (int size = 0; size < whole.length; size++) {
            var bytes = new byte[size];
            System.arraycopy(whole, 0, bytes, 0, size);

            assertTrue(refusal(bytes).contains("damaged"), "cut to " + size + " bytes");
        }
    }

    @Test
    void shouldRefuseEveryFlippedBit() throws Exception {
        var whole = small();
        for (int bit = 0; bit < whole.length * 8; bit++) {
            var bytes = whole.clone();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);

            var _ = refusal(bytes);
        }
    }

    @Test
    void shouldRefuseEveryOtherByte() throws Exception {
        var whole = small();
        for (int at = 0; at < whole.length; at++) {
            for (int change = 1; change < 256; change++) {
                var bytes = whole.clone();
                bytes[at] ^= (byte) change;

                var _ = refusal(bytes);
            }
        }
    }

    @Test
    void shouldRefuseMoreThanWasWritten() throws Exception {
        var whole = new String(small(), StandardCharsets.UTF_8);

        assertTrue(refusal((whole + "\n").getBytes(StandardCharsets.UTF_8)).contains("checksum"));
    }

    @Test
    void shouldSayWhatIsWrongAndWhatToDo() throws Exception {
        var text = new String(small(), StandardCharsets.UTF_8);
        var newer = text.replace("\"version\" : 1", "\"version\" : 17");
        var file = folder.resolve("story.json");

        assertEquals(file + ": is a story of version 17, this program reads up to version 1; "
                + "replay it with the version of Tintype that wrote it", refusal(bytes(newer)));
        assertEquals(file + ": is not a story of Tintype; "
                + "give the file that 'simulate' or 'explore' wrote", refusal(bytes("{\"a\": 1}")));
        assertEquals(file + ": is damaged: it is empty; "
                + "find the failure again from its seed, or take another copy of the file",
                refusal(bytes("")));
        assertEquals(file + ": is damaged: its first lines are not those of a story; "
                + "find the failure again from its seed, or take another copy of the file",
                refusal(bytes(text.replace("\"version\" : 1", "\"version\" : x"))));
    }

    @Test
    void shouldRefuseWhatIsNoFile() {
        var missing = assertThrows(TraceFileException.class,
                () -> TraceFile.read(folder.resolve("none")));
        var isFolder = assertThrows(TraceFileException.class, () -> TraceFile.read(folder));

        assertEquals(folder.resolve("none") + ": does not exist; "
                + "give the file that 'simulate' or 'explore' wrote", missing.getMessage());
        assertEquals(folder + ": is a folder; give the file that 'simulate' or 'explore' wrote",
                isFolder.getMessage());
    }

    /** A right checksum does not make it a story. */
    @Test
    void shouldRefuseAWellKeptFileThatTellsNoStory() throws Exception {
        var whole = new String(small(), StandardCharsets.UTF_8);
        for (var change : List.of(List.of("\"tool\" :", "\"tools\" :"),
                List.of("\"ISSUE\"", "\"WALTZ\""),
                List.of("\"seed\" : 5", "\"seed\" : null"), List.of("\"R8\"", "\"R99\""),
                List.of("\"cause\" : -1", "\"cause\" : 7"),
                List.of("\"cause\" : -1", "\"cause\" : 0"),
                List.of("\"story\" : {", "\"story\" : 5, \"x\" : {"),
                List.of("\"lanes\" : [ \"vm\" ]", "\"lanes\" : null"),
                List.of("\"state\" : { }", "\"state\" : null"))) {
            assertTrue(whole.contains(change.getFirst()), change + " in " + whole);

            var changed = TraceFile.sealed(whole.replace(change.getFirst(), change.getLast()));

            assertTrue(refusal(bytes(changed)).contains("is damaged"), change.toString());
        }
    }

    private static byte[] small() {
        var story = new Story("simulate", Rule.R8, "lost – a write", 5,
                List.of(new Story.Setting("faults", "none")), List.of("vm"),
                List.of(new StoryEvent("issue", "vm", StoryEvent.Kind.ISSUE, "x", -1,
                        new TreeMap<>())));
        return bytes(TraceFile.render(story));
    }

    private String refusal(byte[] bytes) {
        var file = folder.resolve("story.json");
        var message = String.valueOf(assertThrows(TraceFileException.class,
                () -> TraceFile.read(file, bytes)).getMessage());
        assertTrue(message.startsWith(file + ": "), message);
        assertTrue(message.contains("; "), message);
        assertEquals(1, message.lines().count(), message);
        return message;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
