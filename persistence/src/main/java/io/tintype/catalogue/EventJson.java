package io.tintype.catalogue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleteBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import io.tintype.catalogue.CatalogueEvent.CheckpointKept;
import io.tintype.catalogue.CatalogueEvent.CheckpointSealed;
import io.tintype.catalogue.CatalogueEvent.CheckpointStunned;
import io.tintype.catalogue.CatalogueEvent.OperationBegun;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.CatalogueEvent.VmCreated;
import io.tintype.catalogue.CatalogueEvent.VmFound;
import io.tintype.catalogue.CatalogueEvent.VmRemoved;
import io.tintype.catalogue.CatalogueEvent.VmRestored;
import io.tintype.catalogue.CatalogueEvent.VmStarted;
import io.tintype.catalogue.CatalogueEvent.VmStopped;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Events and states as they are stored: JSON in UTF-8, field by field, so that renaming something in Java changes nothing that is
 * stored; beside it a manifest, {@code NAME:VERSION}.
 *
 * <p>Within a version fields may be added that a reader can do without; it skips those that it does not know. Anything else is a new
 * version, with a function here that makes the new form from the old. Bytes of every version are kept with the tests.
 */
final class EventJson {
    /** Version of everything that is written today. */
    static final int VERSION = 1;

    static final String STATE = "state";

    /**
     * What makes the next version of a form from the one before: the function at index 0 under a name makes its version 2 from its
     * version 1, and so on. So the newest version of a name is one more than it has functions.
     */
    record Upcasters(Map<String, List<UnaryOperator<ObjectNode>>> byName) {
        static final Upcasters NONE = new Upcasters(Map.of());

        int newest(String name) {
            return VERSION + byName.getOrDefault(name, List.of()).size();
        }

        ObjectNode toNewest(String name, int version, ObjectNode stored) {
            var upcast = stored;
            for (var step : byName.getOrDefault(name, List.of()).subList(version - VERSION,
                    newest(name) - VERSION)) {
                upcast = step.apply(upcast);
            }
            return upcast;
        }
    }

    /** It was written by a program newer than this one. */
    static final class NewerVersionException extends IllegalArgumentException {
        private static final long serialVersionUID = 1;

        NewerVersionException(String message) {
            super(message);
        }
    }

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Upcasters upcasters;

    EventJson(Upcasters upcasters) {
        this.upcasters = upcasters;
    }

    /** Returns the manifest for {@code stored}, an event or a state. */
    String manifest(Object stored) {
        var name = name(stored);
        return name + ":" + upcasters.newest(name);
    }

    /** Returns the bytes for {@code stored}, an event or a state. */
    byte[] write(Object stored) {
        var json = switch (stored) {
            case CatalogueState state -> state(state);
            case CatalogueEvent event -> event(event);
            default -> throw notOurs(stored);
        };
        try {
            return MAPPER.writeValueAsBytes(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an event that is no JSON: " + stored, e);
        }
    }

    /**
     * Returns what {@code bytes} hold.
     *
     * @throws NewerVersionException if this program is too old for them
     * @throws IllegalArgumentException if they are damaged, saying what is missing or wrong
     */
    Object read(String manifest, byte[] bytes) {
        int colon = manifest.indexOf(':');
        int version;
        try {
            version = Integer.parseInt(manifest.substring(colon + 1));
        } catch (NumberFormatException _) {
            version = 0;
        }
        if (colon <= 0 || version < VERSION) {
            throw new IllegalArgumentException("\"" + manifest + "\" names no event");
        }
        var name = manifest.substring(0, colon);
        if (version > upcasters.newest(name)) {
            throw newer(manifest);
        }
        JsonNode stored;
        try {
            stored = MAPPER.readTree(bytes);
        } catch (IOException e) {
            throw new IllegalArgumentException(manifest + " is no JSON", e);
        }
        if (!(stored instanceof ObjectNode object)) {
            throw new IllegalArgumentException(manifest + " is no JSON object");
        }
        var newest = upcasters.toNewest(name, version, object);
        try {
            return name.equals(STATE) ? state(newest) : event(name, newest, manifest);
        } catch (NewerVersionException e) {
            throw e;
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(manifest + ": " + e.getMessage(), e);
        }
    }

    private static NewerVersionException newer(String manifest) {
        return new NewerVersionException("\"" + manifest
                + "\" was written by a newer Tintype; use that one, or a newer one");
    }

    private static IllegalArgumentException notOurs(Object stored) {
        return new IllegalArgumentException("not of the catalogue: " + stored.getClass());
    }

    static String name(Object stored) {
        return switch (stored) {
            case CatalogueState _ -> STATE;
            case CatalogueEvent event -> switch (event) {
                case VmCreated _ -> "vm-created";
                case VmFound _ -> "vm-found";
                case VmStarted _ -> "vm-started";
                case VmStopped _ -> "vm-stopped";
                case VmRestored _ -> "vm-restored";
                case VmRemoved _ -> "vm-removed";
                case CheckpointBegun _ -> "checkpoint-begun";
                case CheckpointStunned _ -> "checkpoint-stunned";
                case CheckpointSealed _ -> "checkpoint-sealed";
                case CheckpointAborted _ -> "checkpoint-aborted";
                case CheckpointDeleteBegun _ -> "checkpoint-delete-begun";
                case CheckpointKept _ -> "checkpoint-kept";
                case CheckpointDeleted _ -> "checkpoint-deleted";
                case OperationBegun _ -> "operation-begun";
                case OperationStepped _ -> "operation-stepped";
                case OperationEnded _ -> "operation-ended";
            };
            default -> throw notOurs(stored);
        };
    }

    private static ObjectNode event(CatalogueEvent event) {
        var json = JsonNodeFactory.instance.objectNode();
        switch (event) {
            case VmCreated(var vm, var regions, var disks, var origin, var at) -> {
                put(json, vm, at);
                put(json, "regionBytes", regions);
                put(json, "diskBytes", disks);
                put(json, "origin", origin);
            }
            case VmFound(var vm, var regions, var disks, var at) -> {
                put(json, vm, at);
                put(json, "regionBytes", regions);
                put(json, "diskBytes", disks);
            }
            case VmStarted(var vm, var at) -> put(json, vm, at);
            case VmStopped(var vm, var failure, var at) -> {
                put(json, vm, at);
                json.put("failure", failure);
            }
            case VmRestored(var vm, var from, var at) -> {
                put(json, vm, at);
                put(json, "from", from);
            }
            case VmRemoved(var vm, var reason, var at) -> {
                put(json, vm, at);
                json.put("reason", reason);
            }
            case CheckpointBegun(var ref, var at) -> {
                put(json, "checkpoint", ref);
                json.put("at", at.toString());
            }
            case CheckpointStunned(var ref, var stunNs, var pending) -> {
                put(json, "checkpoint", ref);
                json.put("stunNs", stunNs);
                json.put("pendingCount", pending);
            }
            case CheckpointSealed(var ref, var facts) -> {
                put(json, "checkpoint", ref);
                put(json, facts);
            }
            case CheckpointAborted(var ref, var reason) -> {
                put(json, "checkpoint", ref);
                json.put("reason", reason);
            }
            case CheckpointDeleteBegun(var ref) -> put(json, "checkpoint", ref);
            case CheckpointKept(var ref) -> put(json, "checkpoint", ref);
            case CheckpointDeleted(var ref, var reason) -> {
                put(json, "checkpoint", ref);
                json.put("reason", reason);
            }
            case OperationBegun(var name, var kind, var vm, var disk, var details, var at) -> {
                json.put("name", name);
                json.put("kind", kind.name());
                put(json, vm, at);
                json.put("disk", disk);
                put(json, details);
            }
            case OperationStepped(var name, var step, var details) -> {
                json.put("name", name);
                json.put("step", step);
                put(json, details);
            }
            case OperationEnded(var name, var failure) -> {
                json.put("name", name);
                json.put("failure", failure);
            }
        }
        return json;
    }

    private static CatalogueEvent event(String name, JsonNode json, String manifest) {
        return switch (name) {
            case "vm-created" -> new VmCreated(vm(json), sizes(json, "regionBytes"),
                    sizes(json, "diskBytes"), refOrNull(json, "origin"), at(json));
            case "vm-found" -> new VmFound(vm(json), sizes(json, "regionBytes"),
                    sizes(json, "diskBytes"), at(json));
            case "vm-started" -> new VmStarted(vm(json), at(json));
            case "vm-stopped" -> new VmStopped(vm(json), textOrNull(json, "failure"), at(json));
            case "vm-restored" -> new VmRestored(vm(json), ref(json, "from"), at(json));
            case "vm-removed" -> new VmRemoved(vm(json), text(json, "reason"), at(json));
            case "checkpoint-begun" -> new CheckpointBegun(ref(json, "checkpoint"), at(json));
            case "checkpoint-stunned" -> new CheckpointStunned(ref(json, "checkpoint"),
                    number(json, "stunNs"), count(json, "pendingCount"));
            case "checkpoint-sealed" ->
                new CheckpointSealed(ref(json, "checkpoint"), facts(json));
            case "checkpoint-aborted" ->
                new CheckpointAborted(ref(json, "checkpoint"), text(json, "reason"));
            case "checkpoint-delete-begun" ->
                new CheckpointDeleteBegun(ref(json, "checkpoint"));
            case "checkpoint-kept" -> new CheckpointKept(ref(json, "checkpoint"));
            case "checkpoint-deleted" ->
                new CheckpointDeleted(ref(json, "checkpoint"), text(json, "reason"));
            case "operation-begun" -> new OperationBegun(text(json, "name"),
                    constant(OperationRecord.Kind.class, json, "kind"), vm(json),
                    (int) number(json, "disk"), details(json), at(json));
            case "operation-stepped" -> new OperationStepped(text(json, "name"),
                    text(json, "step"), details(json));
            case "operation-ended" ->
                new OperationEnded(text(json, "name"), textOrNull(json, "failure"));
            // A kind of event that this program does not know.
            default -> throw newer(manifest);
        };
    }

    private static ObjectNode state(CatalogueState state) {
        var json = JsonNodeFactory.instance.objectNode();
        var vms = json.putArray("vms");
        for (var vm : state.vms().values()) {
            var of = vms.addObject();
            of.put("vm", vm.id().value());
            of.put("status", vm.status().name());
            of.put("reason", vm.reason());
            put(of, "regionBytes", vm.regionBytes());
            put(of, "diskBytes", vm.diskBytes());
            put(of, "origin", vm.origin());
            of.put("since", vm.since().toString());
            of.put("lastId", vm.lastId());
            var checkpoints = of.putArray("checkpoints");
            vm.checkpoints().values().forEach(known -> put(checkpoints.addObject(), known));
        }
        var operations = json.putArray("operations");
        for (var operation : state.operations().values()) {
            var of = operations.addObject();
            of.put("name", operation.name());
            of.put("kind", operation.kind().name());
            put(of, operation.vm(), operation.at());
            of.put("disk", operation.disk());
            of.put("step", operation.step());
            put(of, operation.details());
        }
        return json;
    }

    private static void put(ObjectNode json, CheckpointRecord known) {
        json.put("id", known.ref().id().value());
        json.put("phase", known.phase().name());
        json.put("at", known.at().toString());
        json.put("stunNs", known.stunNs());
        json.put("pendingCount", known.pendingCount());
        var facts = known.facts();
        if (facts == null) {
            json.putNull("sealed");
        } else {
            put(json.putObject("sealed"), facts);
        }
    }

    private static CatalogueState state(JsonNode json) {
        var vms = Sorted.<VmId, VmRecord>empty();
        for (var of : array(json, "vms")) {
            var id = vm(of);
            var checkpoints = Sorted.<CheckpointId, CheckpointRecord>empty();
            for (var known : array(of, "checkpoints")) {
                var ref = new CheckpointRef(id, new CheckpointId(number(known, "id")));
                var sealed = field(known, "sealed");
                checkpoints = checkpoints.with(ref.id(), new CheckpointRecord(ref,
                        constant(CheckpointRecord.Phase.class, known, "phase"), at(known),
                        number(known, "stunNs"), count(known, "pendingCount"),
                        sealed.isNull() ? null : facts(sealed)));
            }
            vms = vms.with(id, new VmRecord(id, constant(VmRecord.Status.class, of, "status"),
                    textOrNull(of, "reason"), sizes(of, "regionBytes"), sizes(of, "diskBytes"),
                    refOrNull(of, "origin"), instant(of, "since"), number(of, "lastId"),
                    checkpoints));
        }
        var operations = Sorted.<String, OperationRecord>empty();
        for (var of : array(json, "operations")) {
            var name = text(of, "name");
            operations = operations.with(name, new OperationRecord(name,
                    constant(OperationRecord.Kind.class, of, "kind"), vm(of),
                    (int) number(of, "disk"), text(of, "step"), details(of), at(of)));
        }
        return new CatalogueState(vms, operations);
    }

    private static void put(ObjectNode json, SealedFacts facts) {
        json.put("at", facts.at().toString());
        json.put("stunNs", facts.stunNs());
        json.put("pendingCount", facts.pendingCount());
        json.put("bytes", facts.bytes());
        put(json, "parent", facts.parent());
        json.put("guestKind", facts.guestKind());
        put(json, "regionBytes", facts.regionBytes());
        put(json, "diskBytes", facts.diskBytes());
    }

    private static SealedFacts facts(JsonNode json) {
        return new SealedFacts(at(json), number(json, "stunNs"), count(json, "pendingCount"),
                number(json, "bytes"), refOrNull(json, "parent"), text(json, "guestKind"),
                sizes(json, "regionBytes"), sizes(json, "diskBytes"));
    }

    private static void put(ObjectNode json, VmId vm, Instant at) {
        json.put("vm", vm.value());
        json.put("at", at.toString());
    }

    private static void put(ObjectNode json, String name, List<Long> sizes) {
        var array = json.putArray(name);
        sizes.forEach(array::add);
    }

    private static void put(ObjectNode json, SortedMap<String, String> details) {
        var object = json.putObject("details");
        details.forEach(object::put);
    }

    private static void put(ObjectNode json, String name, @Nullable CheckpointRef ref) {
        if (ref == null) {
            json.putNull(name);
        } else {
            json.putObject(name).put("vm", ref.vm().value()).put("id", ref.id().value());
        }
    }

    private static VmId vm(JsonNode json) {
        return new VmId(text(json, "vm"));
    }

    private static Instant at(JsonNode json) {
        return instant(json, "at");
    }

    private static Instant instant(JsonNode json, String name) {
        try {
            return Instant.parse(text(json, name));
        } catch (DateTimeException _) {
            throw wrong(name, "an instant");
        }
    }

    private static CheckpointRef ref(JsonNode json, String name) {
        var ref = refOrNull(json, name);
        if (ref == null) {
            throw wrong(name, "a checkpoint");
        }
        return ref;
    }

    private static @Nullable CheckpointRef refOrNull(JsonNode json, String name) {
        var ref = field(json, name);
        return ref.isNull()
                ? null
                : new CheckpointRef(vm(ref), new CheckpointId(number(ref, "id")));
    }

    private static List<Long> sizes(JsonNode json, String name) {
        var sizes = new ArrayList<Long>();
        for (var size : array(json, name)) {
            if (!size.isIntegralNumber() || !size.canConvertToLong()) {
                throw wrong(name, "a list of sizes");
            }
            sizes.add(size.longValue());
        }
        return sizes;
    }

    private static SortedMap<String, String> details(JsonNode json) {
        var details = new TreeMap<String, String>();
        if (!(field(json, "details") instanceof ObjectNode object)) {
            throw wrong("details", "an object");
        }
        object.forEachEntry((name, value) -> {
            var text = value.textValue();
            if (text == null) {
                throw wrong(name, "text");
            }
            details.put(name, text);
        });
        return details;
    }

    private static <E extends Enum<E>> E constant(Class<E> type, JsonNode json, String name) {
        var text = text(json, name);
        try {
            return Enum.valueOf(type, text);
        } catch (IllegalArgumentException _) {
            // Such as a kind of operation that came later.
            throw new NewerVersionException("\"" + name + "\" is \"" + text
                    + "\", which this Tintype does not know; use a newer one");
        }
    }

    private static ArrayNode array(JsonNode json, String name) {
        if (!(field(json, name) instanceof ArrayNode array)) {
            throw wrong(name, "a list");
        }
        return array;
    }

    private static String text(JsonNode json, String name) {
        var text = field(json, name).textValue();
        if (text == null) {
            throw wrong(name, "text");
        }
        return text;
    }

    private static @Nullable String textOrNull(JsonNode json, String name) {
        return field(json, name).isNull() ? null : text(json, name);
    }

    private static int count(JsonNode json, String name) {
        long number = number(json, name);
        if (number < 0 || number > Integer.MAX_VALUE) {
            throw wrong(name, "a count");
        }
        return (int) number;
    }

    private static long number(JsonNode json, String name) {
        var node = field(json, name);
        if (!node.isIntegralNumber() || !node.canConvertToLong()) {
            throw wrong(name, "a whole number");
        }
        return node.longValue();
    }

    private static JsonNode field(JsonNode json, String name) {
        var node = json.get(name);
        if (node == null) {
            throw new IllegalArgumentException("\"" + name + "\" is missing");
        }
        return node;
    }

    private static IllegalArgumentException wrong(String name, String what) {
        return new IllegalArgumentException("\"" + name + "\" is not " + what);
    }
}
