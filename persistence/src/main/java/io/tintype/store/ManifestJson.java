package io.tintype.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A manifest as JSON and back. Field by field, so that renaming something in Java does not change
 * what is stored.
 *
 * <p>A field that is not known is skipped: within one format version fields may be added, never
 * changed or taken away.
 */
final class ManifestJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            // Two values for one name: no writer of ours does that.
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private ManifestJson() {}

    static byte[] write(Manifest manifest) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.set("checkpoint", ref(manifest.ref()));
        CheckpointRef parent = manifest.parent();
        root.set("parent", parent == null ? JsonNodeFactory.instance.nullNode() : ref(parent));
        var sources = root.putArray("sources");
        manifest.sources().forEach(source -> sources.add(ref(source)));
        root.put("createdAt", manifest.createdAt().toString());
        root.put("stunNs", manifest.stunNs());
        root.put("guestKind", manifest.guestKind());
        var regions = root.putArray("regions");
        manifest.regions().forEach(region -> regions.addObject().put("pages", region.pages()));
        var disks = root.putArray("disks");
        manifest.disks().forEach(disk -> disks.addObject()
                .put("images", disk.images())
                .put("view", disk.view())
                .put("sizeBytes", disk.sizeBytes()));
        var segments = root.putArray("segments");
        manifest.segments().forEach(segment -> segments.addObject()
                .put("name", segment.name())
                .put("bytes", segment.bytes())
                .put("crc", "%08x".formatted(segment.crc())));
        var pending = root.putArray("pending");
        manifest.pending().forEach(io -> pending.addObject()
                .put("ioId", io.ioId())
                .put("kind", io.kind())
                .put("disk", io.disk())
                .put("firstSector", io.firstSector())
                .put("sectorCount", io.sectorCount())
                .put("status", io.status()));
        var figures = root.putObject("figures");
        manifest.figures().forEach(figures::putPOJO);
        try {
            return MAPPER.writerWithDefaultPrettyPrinter().writeValueAsBytes(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a manifest that is no JSON: " + manifest, e);
        }
    }

    /** @throws IllegalArgumentException saying what is missing or wrong */
    static Manifest read(byte[] json) {
        JsonNode root;
        try {
            root = MAPPER.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("it is no JSON: " + e.getOriginalMessage(), e);
        } catch (IOException e) {
            // Of bytes in memory: not of the encoding that they begin as.
            throw new IllegalArgumentException("it is no JSON: " + e.getMessage(), e);
        }
        JsonNode parent = field(root, "parent");
        return new Manifest(
                ref(field(root, "checkpoint")),
                parent.isNull() ? null : ref(parent),
                // Not in the manifests of those that had no parents yet.
                root.has("sources") ? list(root, "sources", ManifestJson::ref) : List.of(),
                instant(root, "createdAt"),
                number(root, "stunNs"),
                text(root, "guestKind"),
                list(root, "regions", region -> new Manifest.Region(count(region, "pages"))),
                list(root, "disks", disk -> new Manifest.Disk(
                        text(disk, "images"), count(disk, "view"), number(disk, "sizeBytes"))),
                list(root, "segments", segment -> new Manifest.Segment(
                        text(segment, "name"), number(segment, "bytes"), crc(segment, "crc"))),
                list(root, "pending", io -> new Manifest.Pending(
                        number(io, "ioId"), text(io, "kind"), count(io, "disk"),
                        number(io, "firstSector"),
                        count(io, "sectorCount"), text(io, "status"))),
                figures(field(root, "figures")));
    }

    private static ObjectNode ref(CheckpointRef ref) {
        return JsonNodeFactory.instance.objectNode()
                .put("vm", ref.vm().value())
                .put("id", ref.id().value());
    }

    private static CheckpointRef ref(JsonNode node) {
        return new CheckpointRef(new VmId(text(node, "vm")), new CheckpointId(number(node, "id")));
    }

    private static SortedMap<String, Object> figures(JsonNode node) {
        var figures = new TreeMap<String, Object>();
        node.forEachEntry((name, value) -> figures.put(name, scalar(name, value)));
        return figures;
    }

    private static Object scalar(String name, JsonNode value) {
        if (value.canConvertToLong() && value.isIntegralNumber()) {
            return value.longValue();
        }
        if (value.isNumber()) {
            return value.doubleValue();
        }
        if (value.isBoolean()) {
            return value.booleanValue();
        }
        // NaN and the infinities have no number in JSON; they are written as text and stay that.
        return requireNonNull(value.textValue(), name, "text, number or truth value");
    }

    private static <T> List<T> list(JsonNode parent, String name, Function<JsonNode, T> element) {
        JsonNode array = field(parent, name);
        if (!array.isArray()) {
            throw wrong(name, "a list");
        }
        var list = new ArrayList<T>(array.size());
        array.forEach(node -> list.add(element.apply(node)));
        return list;
    }

    private static Instant instant(JsonNode parent, String name) {
        try {
            return Instant.parse(text(parent, name));
        } catch (DateTimeException _) {
            throw wrong(name, "an instant");
        }
    }

    private static int crc(JsonNode parent, String name) {
        try {
            return Integer.parseUnsignedInt(text(parent, name), 16);
        } catch (NumberFormatException _) {
            throw wrong(name, "a checksum");
        }
    }

    private static String text(JsonNode parent, String name) {
        return requireNonNull(field(parent, name).textValue(), name, "text");
    }

    private static long number(JsonNode parent, String name) {
        JsonNode node = field(parent, name);
        if (!node.isIntegralNumber() || !node.canConvertToLong()) {
            throw wrong(name, "a whole number");
        }
        return node.longValue();
    }

    private static int count(JsonNode parent, String name) {
        long number = number(parent, name);
        if (number < 0 || number > Integer.MAX_VALUE) {
            throw wrong(name, "a count");
        }
        return (int) number;
    }

    private static JsonNode field(JsonNode parent, String name) {
        JsonNode node = parent.get(name);
        if (node == null) {
            throw new IllegalArgumentException("\"" + name + "\" is missing");
        }
        return node;
    }

    private static <T> T requireNonNull(@Nullable T value, String name, String what) {
        if (value == null) {
            throw wrong(name, what);
        }
        return value;
    }

    private static IllegalArgumentException wrong(String name, String what) {
        return new IllegalArgumentException("\"" + name + "\" is not " + what);
    }
}
