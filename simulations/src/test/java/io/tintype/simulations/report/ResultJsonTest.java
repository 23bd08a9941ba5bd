package io.tintype.simulations.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.simulations.run.MadeUpRun;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Programs read these names: one that is changed or gone breaks them. */
class ResultJsonTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Test
    void shouldHaveTheNamesThatProgramsRelyOn() throws Exception {
        var json = MAPPER.readTree(ResultJson.pretty(MadeUpRun.of(200, true, false)));

        String expected;
        try (var in = Objects
                .requireNonNull(ResultJsonTest.class.getResourceAsStream("run-json-names.txt"))) {
            expected = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertEquals(expected, String.join("\n", names(json)) + "\n");
    }

    @Test
    void shouldSayWhatIsThereInItsDocumentation() throws Exception {
        var root = Path.of(Objects.requireNonNullElse(System.getProperty("tintype.root"), ".."));
        var page = Files.readString(root.resolve("docs/run-json.md"));

        for (var name : names(MAPPER.readTree(ResultJson.pretty(MadeUpRun.of(200, true, false))))) {
            var last = name.substring(name.lastIndexOf('.') + 1).replace("[]", "");
            assertTrue(page.contains("`" + last + "`") || page.contains("." + last + "`"),
                    name + " is not in docs/run-json.md");
        }
    }

    @Test
    void shouldWriteWhatWasNotMeasuredAsNull() throws Exception {
        var json = MAPPER.readTree(ResultJson.pretty(MadeUpRun.of(0, false, true)));

        assertTrue(json.at("/stunMicros/p99").isNull());
        assertTrue(json.at("/guest/speedDuringCheckpoint").isNull());
        assertTrue(json.get("cutStory").isNull());
        assertEquals("interrupted", json.get("ended").asText());
        assertEquals(0, json.at("/checkpoints/begun").asInt());
    }

    /** Each with the path that leads to it; of lists, what is in any of their elements. */
    private static Set<String> names(JsonNode root) {
        var names = new TreeSet<String>();
        collect(root, "", names);
        return names;
    }

    private static void collect(JsonNode node, String path, Set<String> names) {
        node.properties().forEach(each -> {
            var name = path.isEmpty() ? each.getKey() : path + "." + each.getKey();
            names.add(name + (each.getValue().isArray() ? "[]" : ""));
            collect(each.getValue(), name, names);
        });
        if (node.isArray()) {
            node.forEach(each -> collect(each, path + "[]", names));
        }
    }
}
