package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.NOW;
import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static io.tintype.catalogue.Facts.stunned;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.IOException;
import java.io.NotSerializableException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The form of what is stored. The files of {@code catalogue-v1} were written by version 1 and are never changed: whatever this
 * program becomes, it reads them.
 */
class EventJsonTest {
    private static final Path V1 = Path.of("src/test/resources/catalogue-v1");
    private static final EventJson JSON = new EventJson(EventJson.Upcasters.NONE);

    /** One of each form, by the name of its file. */
    private static Map<String, Object> v1() {
        var parent = new CheckpointRef(WEB, new CheckpointId(1));
        var child =
                new SealedFacts(NOW, 1, 0, 9, parent, "trace", List.of(4096L, 8192L), List.of());
        var all = new LinkedHashMap<String, Object>();
        all.put("vm-created", created());
        all.put("vm-created-from", new CatalogueEvent.VmCreated(new VmId("web-2"), List.of(4096L),
                List.of(), ref(3), NOW));
        all.put("vm-found",
                new CatalogueEvent.VmFound(WEB, List.of(), List.of(65_536L, 131_072L), NOW));
        all.put("vm-started", started());
        all.put("vm-stopped", new CatalogueEvent.VmStopped(WEB, null, NOW));
        all.put("vm-stopped-failed",
                new CatalogueEvent.VmStopped(WEB, "a \"bug\"\nin two lines ü", NOW));
        all.put("vm-restored", new CatalogueEvent.VmRestored(WEB, ref(3), NOW));
        all.put("vm-removed", new CatalogueEvent.VmRemoved(WEB, "it was asked for", NOW));
        all.put("checkpoint-begun", begun(7));
        all.put("checkpoint-stunned", stunned(7));
        all.put("checkpoint-sealed", sealed(7));
        all.put("checkpoint-sealed-child", new CatalogueEvent.CheckpointSealed(ref(8), child));
        all.put("checkpoint-aborted", new CatalogueEvent.CheckpointAborted(ref(7), "no room"));
        all.put("checkpoint-delete-begun", new CatalogueEvent.CheckpointDeleteBegun(ref(7)));
        all.put("checkpoint-kept", new CatalogueEvent.CheckpointKept(ref(7)));
        all.put("checkpoint-deleted",
                new CatalogueEvent.CheckpointDeleted(ref(7), "it was asked for"));
        for (var kind : OperationRecord.Kind.values()) {
            all.put("operation-begun-" + kind.name().toLowerCase(Locale.ROOT),
                    Facts.operation("name", kind, Map.of("layer", "3")));
        }
        all.put("operation-stepped", new CatalogueEvent.OperationStepped("name", "copied",
                new TreeMap<>(Map.of("groups", "17"))));
        all.put("operation-ended", new CatalogueEvent.OperationEnded("name", null));
        all.put("operation-ended-failed", new CatalogueEvent.OperationEnded("name", "no room"));
        all.put("state", Facts.after(created(), started(), begun(1), stunned(1), sealed(1),
                begun(2),
                stunned(2), begun(3), new CatalogueEvent.CheckpointDeleteBegun(ref(1)),
                Facts.operation("name", OperationRecord.Kind.DISK_COPY, Map.of("layer", "3"))));
        all.put("state-empty", CatalogueState.EMPTY);
        return all;
    }

    static Stream<String> names() {
        return v1().keySet().stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldReadWhatVersion1Wrote(String name) throws IOException {
        var stored = v1().get(name);
        var lines = Files.readString(V1.resolve(name + ".txt")).lines().toList();

        assertEquals(stored, JSON.read(lines.get(0),
                lines.get(1).getBytes(StandardCharsets.UTF_8)));
    }

    // While version 1 is what is written; then this goes, and the one above stays.
    @ParameterizedTest
    @MethodSource("names")
    void shouldWriteVersion1AsItAlwaysWas(String name) throws IOException {
        var stored = Objects.requireNonNull(v1().get(name));
        var text = JSON.manifest(stored) + "\n"
                + new String(JSON.write(stored), StandardCharsets.UTF_8) + "\n";

        assertEquals(Files.readString(V1.resolve(name + ".txt")), text);
    }

    @Test
    void shouldHaveAFileOfEachKindOfEvent() throws IOException {
        var kinds = Arrays.stream(CatalogueEvent.class.getPermittedSubclasses())
                .map(Class::getSimpleName).collect(Collectors.toSet());
        var tested = v1().values().stream().map(stored -> stored.getClass().getSimpleName())
                .collect(Collectors.toSet());

        assertTrue(tested.containsAll(kinds), tested + " has not all of " + kinds);
    }

    @Test
    void shouldMakeTodaysFormFromAnEarlierOne() {
        // As if there had been two versions without a reason, and then without an instant.
        UnaryOperator<ObjectNode> reason = json -> json.put("reason", "not known");
        UnaryOperator<ObjectNode> at = json -> json.put("at", NOW.toString());
        var later = new EventJson(
                new EventJson.Upcasters(Map.of("vm-removed", List.of(reason, at))));
        var first = "{\"vm\":\"web-1\"}".getBytes(StandardCharsets.UTF_8);
        var second =
                "{\"vm\":\"web-1\",\"reason\":\"asked for\"}".getBytes(StandardCharsets.UTF_8);

        assertEquals(new CatalogueEvent.VmRemoved(WEB, "not known", NOW),
                later.read("vm-removed:1", first));
        assertEquals(new CatalogueEvent.VmRemoved(WEB, "asked for", NOW),
                later.read("vm-removed:2", second));
        assertEquals("vm-removed:3",
                later.manifest(new CatalogueEvent.VmRemoved(WEB, "x", NOW)));
        assertEquals("vm-started:1", later.manifest(started()));
    }

    @Test
    void shouldSkipAFieldThatItDoesNotKnow() {
        var json = "{\"vm\":\"web-1\",\"at\":\"2026-01-02T03:04:05Z\",\"colour\":[1]}"
                .getBytes(StandardCharsets.UTF_8);

        assertEquals(started(), JSON.read("vm-started:1", json));
    }

    @Test
    void shouldTellANewerVersionFromDamage() {
        var bytes = JSON.write(started());
        for (var newer : List.of("vm-started:2", "vm-teleported:1", "state:9")) {
            assertThrows(EventJson.NewerVersionException.class, () -> JSON.read(newer, bytes));
        }
        for (var damaged : List.of("", ":", "vm-started", "vm-started:0", "vm-started:x", ":1")) {
            var wrong = assertThrows(IllegalArgumentException.class,
                    () -> JSON.read(damaged, bytes));
            assertEquals(IllegalArgumentException.class, wrong.getClass());
        }
        var serializer = new CatalogueSerializer();
        assertThrows(NotSerializableException.class,
                () -> serializer.fromBinary(new byte[] {1}, "vm-started:1"));
    }

    // A parser of stored bytes says that they are damaged, or reads them; it does nothing else.
    @Test
    void shouldSurviveAnyBytes() {
        var random = new Random(42);
        for (var stored : v1().values()) {
            var manifest = JSON.manifest(stored);
            var right = JSON.write(stored);
            for (int i = 0; i < 300; i++) {
                var bytes = Arrays.copyOf(right, random.nextInt(4) == 0
                        ? random.nextInt(right.length)
                        : right.length);
                for (int flips = random.nextInt(4); flips >= 0 && bytes.length > 0; flips--) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                }
                try {
                    JSON.read(manifest, bytes);
                } catch (IllegalArgumentException _) {
                    // That is what is promised.
                }
            }
        }
    }
}
