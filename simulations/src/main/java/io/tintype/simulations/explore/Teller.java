package io.tintype.simulations.explore;

import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Takes a world through a run act by act and tells what happens, under names that stay: a search renames requests and VMs as
 * it goes, a story must not.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Teller {
    /** What a VM's requests are called, by their number of the moment. */
    private static final class VmNames implements VmState.Names {
        final int vm;
        final List<String> requests = new ArrayList<>();
        final List<String> checkpoints = new ArrayList<>();
        final List<String> notes = new ArrayList<>();
        int issued;
        int begun;

        VmNames(int vm) {
            this.vm = vm;
        }

        @Override
        public void note(String what) {
            notes.add(what);
        }

        @Override
        public String name(int io) {
            return requests.get(io);
        }

        @Override
        public void forget(int io) {
            requests.remove(io);
        }
    }

    private final ExploreConfig config;
    private final World world;
    private VmNames[] names;
    private final List<StoryEvent> events = new ArrayList<>();
    private final Set<String> lanes = new LinkedHashSet<>();
    private final Map<String, Integer> uses = new HashMap<>();
    /** The last event of a request or checkpoint. */
    private final Map<String, Integer> lastOf = new HashMap<>();
    private final int[] acts = new int[1_024];
    @Nullable
    private Violation violation;

    Teller(ExploreConfig config, ExploreConfig.Policy policy) {
        this.config = config;
        world = new World(config);
        world.start(policy);
        names = new VmNames[config.vms()];
        for (int vm = 0; vm < names.length; vm++) {
            names[vm] = new VmNames(vm);
        }
    }

    /** Tells a whole path of a search. */
    static Story story(ExploreConfig config, Search.Found found) {
        var policy = ExploreConfig.Policy.values()[found.path()[0]];
        var teller = new Teller(config, policy);
        for (int i = 1; i < found.path().length; i++) {
            teller.tell(found.path()[i]);
        }
        if (teller.violation == null) {
            teller.end();
        }
        return teller.story(policy);
    }

    private Story story(ExploreConfig.Policy policy) {
        if (violation == null) {
            throw new IllegalStateException("a path to a violation no longer leads there");
        }
        var last = events.isEmpty() ? "guest" : events.getLast().lane();
        events.add(new StoryEvent("violation", last, StoryEvent.Kind.VIOLATION,
                sentence(violation.finding()), -1, new TreeMap<>()));
        lanes.add(last);
        return new Story("explore", violation.rule, violation.finding(), 0,
                Settings.of(config, policy), List.copyOf(lanes), events);
    }

    /** What was told so far. */
    List<StoryEvent> events() {
        return events;
    }

    @Nullable
    Violation violation() {
        return violation;
    }

    /** Looks whether all is done, if nothing is due any more. */
    void end() {
        int count = world.enumerate(acts);
        for (int i = 0; i < count; i++) {
            if (Act.isDue(acts[i])) {
                return;
            }
        }
        // With several VMs, what is left has no name here.
        try {
            setLog(names.length == 1 ? names[0] : null);
            world.verifyDone();
        } catch (Violation e) {
            violation = e;
        }
    }

    /** Makes acts possible that a search leaves out because they lead to the same, see {@link Choices#tryAll}. */
    Teller tryAll() {
        world.machine.tryAll();
        return this;
    }

    /**
     * The act of that name, or -1 if it is not possible now. It keeps its name: {@code io-3} is {@code io-3} in a run without {@code
     * io-2}, too.
     */
    int find(String name) {
        var wanted = withoutCount(name);
        int count = world.enumerate(acts);
        for (int i = 0; i < count; i++) {
            load(Act.vm(acts[i]));
            var of = names[Act.vm(acts[i])];
            int issued = of.issued;
            int begun = of.begun;
            of.issued = Math.max(issued, numberAfter(wanted, "issue io-") - 1);
            of.begun = Math.max(begun, numberAfter(wanted, "begin checkpoint-") - 1);
            if (nameOf(acts[i]).equals(wanted)) {
                return acts[i];
            }
            of.issued = issued;
            of.begun = begun;
        }
        return -1;
    }

    /** The number that follows the words, or 0. */
    private static int numberAfter(String name, String words) {
        int at = name.indexOf(words);
        int number = 0;
        for (int i = at + words.length(); at >= 0 && i < name.length()
                && Character.isDigit(name.charAt(i)); i++) {
            number = 10 * number + name.charAt(i) - '0';
        }
        return number;
    }

    /** What {@link #unique} adds tells events apart, not acts. */
    private static String withoutCount(String name) {
        int at = name.lastIndexOf(" (");
        return at >= 0 && name.endsWith(")") ? name.substring(0, at) : name;
    }

    private void load(int vm) {
        if (config.vms() > 1) {
            System.arraycopy(world.w, vm * world.vmWords, world.machine.state.w, 0, world.vmWords);
        }
    }

    private String unique(String name) {
        int before = uses.getOrDefault(name, 0);
        return before == 0 ? name : name + " (" + (before + 1) + ")";
    }

    /** Does the act and adds its event. */
    void tell(int act) {
        int vm = Act.vm(act);
        load(vm);
        var of = names[vm];
        var name = nameOf(act);
        var lane = lane(act);
        var kind = kind(act);
        var text = new StringBuilder(sentence(words(act)));
        var subject = subject(act);
        int cause = cause(lane, subject);
        if (Act.what(act) == Act.ISSUE) {
            of.requests.add("io-" + ++of.issued);
        }
        if (Act.what(act) == Act.BEGIN) {
            of.checkpoints.add("checkpoint-" + ++of.begun);
        }
        of.notes.clear();
        setLog(of);
        try {
            world.apply(act);
        } catch (Violation e) {
            violation = e;
        }
        for (var note : of.notes) {
            text.append("; ").append(note);
        }
        if (config.vms() > 1 && violation == null) {
            var moved = new VmNames[names.length];
            for (int place = 0; place < names.length; place++) {
                moved[place] = names[world.places[place]];
            }
            names = moved;
        }
        lanes.add(lane);
        var uniqueName = unique(name);
        uses.merge(name, 1, Integer::sum);
        lastOf.put(subject, events.size());
        events.add(new StoryEvent(uniqueName, lane, kind, text.toString(), cause,
                violation == null && config.vms() == 1 ? state() : new TreeMap<>()));
    }

    private void setLog(VmState.@Nullable Names log) {
        world.machine.state.log = log;
    }

    private int cause(String lane, String subject) {
        var last = lastOf.get(subject);
        return last == null || events.get(last).lane().equals(lane) ? -1 : last;
    }

    private SortedMap<String, String> state() {
        var state = new TreeMap<String, String>();
        state.put("requests in flight", String.join(", ", names[0].requests));
        for (int disk = 0; disk < world.machine.state.diskCount(); disk++) {
            state.put("disk-" + disk, world.machine.state.describeDisk(disk));
        }
        for (int c = 0; c < world.machine.begunCount(); c++) {
            state.put("checkpoint-" + (c + 1), world.machine.describeCheckpoint(c));
        }
        return state;
    }

    // Names.

    private String prefix(int act) {
        return config.vms() == 1 ? "" : "vm-" + (names[Act.vm(act)].vm + 1) + "/";
    }

    private String request(int act, int io) {
        return names[Act.vm(act)].requests.get(io);
    }

    private String checkpoint(int act, int c) {
        var checkpoints = names[Act.vm(act)].checkpoints;
        return c == checkpoints.size()
                ? "checkpoint-" + (names[Act.vm(act)].begun + 1) // the one that is about to begin
                : checkpoints.get(c);
    }

    private String nameOf(int act) {
        int a = Act.arguments(act);
        var what = switch (Act.what(act)) {
            case Act.ISSUE -> "issue io-" + (names[Act.vm(act)].issued + 1) + " " + issued(a);
            case Act.STORE -> "store to page-" + a;
            case Act.RESET -> "reset";
            case Act.ROLL_BACK -> "roll back to " + checkpoint(act, a);
            case Act.BEGIN -> "begin " + checkpoint(act, world.machine.begunCount());
            case Act.COMMIT -> "commit layer-" + (a & 3) + " of disk-" + (a >>> 2);
            case Act.DEADLINE -> "deadline of " + checkpoint(act, a);
            case Act.FAIL -> "fail " + request(act, a);
            case Act.OVERLAY_FAILED -> "fail overlay of " + checkpoint(act, a >>> 1) + " on disk-"
                    + (a & 1);
            case Act.SAVE_FAILED -> "fail save of " + checkpoint(act, a);
            case Act.SYNC_FAILED -> "fail sync of " + checkpoint(act, a);
            case Act.MANIFEST_FAILED -> "fail manifest of " + checkpoint(act, a);
            case Act.MOVE -> "land " + request(act, a >>> 1)
                    + landed(world.machine.state.request(a >>> 1), a & 1);
            case Act.REPORT -> "report " + request(act, a);
            case Act.OVERLAY ->
                "overlay of " + checkpoint(act, a >>> 1) + " ready on disk-" + (a & 1);
            case Act.STUN -> "stun for " + checkpoint(act, a);
            case Act.ANSWER -> "answer to " + checkpoint(act, a);
            case Act.SETTLED ->
                "settled " + request(act, a & 7) + " to " + checkpoint(act, a >>> 3);
            case Act.SAVE -> "save page-" + (a & 1) + " for " + checkpoint(act, a >>> 1);
            case Act.SAVED -> "saved " + checkpoint(act, a);
            case Act.SYNCED -> "synced " + checkpoint(act, a);
            case Act.MANIFEST -> "manifest of " + checkpoint(act, a);
            case Act.CONFLICT_OVER -> "conflict over for " + checkpoint(act, a);
            case Act.DROP -> "drop committed layer of disk-" + a;
            default -> throw new IllegalArgumentException("act " + act);
        };
        return config.vms() == 1
                ? what
                : "vm-" + (names[Act.vm(act)].vm + 1) + " " + what;
    }

    private static String landed(long r, int block) {
        return Layout.get(r, Layout.KIND) == Kind.FLUSH.ordinal()
                ? ""
                : Layout.get(r, Layout.SYNCING) != 0 ? " durably" : " block-" + block;
    }

    private static String issued(int a) {
        var kind = Kind.values()[a >>> 5];
        int disk = a >>> 4 & 1;
        int extent = a >>> 2 & 3;
        var blocks = switch (extent) {
            case 1 -> "block-0";
            case 2 -> "block-1";
            default -> "blocks 0 and 1";
        };
        return switch (kind) {
            case READ -> "read " + blocks + " of disk-" + disk + ((a & 3) == 3
                    ? " to page-0 and page-1"
                    : " to page-" + ((a & 3) - 1));
            case WRITE -> "write " + blocks + " of disk-" + disk;
            case ZEROES -> "zero " + blocks + " of disk-" + disk;
            case FUA -> "write " + blocks + " of disk-" + disk + " through";
            case DISCARD -> "discard " + blocks + " of disk-" + disk;
            case FLUSH -> "flush disk-" + disk;
        };
    }

    private String lane(int act) {
        int a = Act.arguments(act);
        var lane = switch (Act.what(act)) {
            case Act.ISSUE, Act.STORE, Act.RESET, Act.ROLL_BACK, Act.STUN -> "guest";
            case Act.COMMIT -> "disk-" + (a >>> 2);
            case Act.DROP -> "disk-" + a;
            case Act.FAIL, Act.REPORT -> "disk-"
                    + Layout.get(world.machine.state.request(a), Layout.DISK);
            case Act.MOVE ->
                "disk-" + Layout.get(world.machine.state.request(a >>> 1), Layout.DISK);
            case Act.BEGIN -> checkpoint(act, world.machine.begunCount());
            case Act.OVERLAY, Act.OVERLAY_FAILED, Act.SAVE -> checkpoint(act, a >>> 1);
            case Act.SETTLED -> checkpoint(act, a >>> 3);
            default -> checkpoint(act, a);
        };
        return prefix(act) + lane;
    }

    /** The request or checkpoint that the act is about. */
    private String subject(int act) {
        int a = Act.arguments(act);
        var subject = switch (Act.what(act)) {
            case Act.ISSUE -> "io-" + (names[Act.vm(act)].issued + 1);
            case Act.FAIL, Act.REPORT -> request(act, a);
            case Act.MOVE -> request(act, a >>> 1);
            case Act.SETTLED -> request(act, a & 7);
            case Act.STUN -> checkpoint(act, a);
            default -> lane(act);
        };
        return prefix(act) + subject;
    }

    private static StoryEvent.Kind kind(int act) {
        return switch (Act.what(act)) {
            case Act.ISSUE -> StoryEvent.Kind.ISSUE;
            case Act.STORE -> StoryEvent.Kind.STORE;
            case Act.COMMIT, Act.DROP -> StoryEvent.Kind.COMMIT;
            case Act.DEADLINE -> StoryEvent.Kind.TIMER;
            case Act.FAIL, Act.OVERLAY_FAILED, Act.SAVE_FAILED, Act.SYNC_FAILED,
                    Act.MANIFEST_FAILED ->
                StoryEvent.Kind.FAULT;
            case Act.MOVE -> StoryEvent.Kind.LAND;
            case Act.STUN -> StoryEvent.Kind.STUN;
            case Act.SAVE -> StoryEvent.Kind.SAVE;
            case Act.MANIFEST -> StoryEvent.Kind.SEAL;
            default -> StoryEvent.Kind.DELIVER;
        };
    }

    private String words(int act) {
        int a = Act.arguments(act);
        return switch (Act.what(act)) {
            case Act.ISSUE -> "the guest issues io-" + (names[Act.vm(act)].issued + 1) + ": "
                    + issued(a);
            case Act.STORE -> "the guest stores to page " + a
                    + ", beside what a read is to land in";
            case Act.RESET -> "the guest resets its devices";
            case Act.ROLL_BACK -> "the VM goes back to " + checkpoint(act, a)
                    + ": other memory, and disk-" + (world.machine.state.global(Layout.ROLLED) + 1)
                    + " on what the checkpoint shows";
            case Act.BEGIN -> checkpoint(act, world.machine.begunCount()) + " begins";
            case Act.COMMIT -> "layer " + (a & 3) + " is copied into the layer below";
            case Act.DROP -> "the layer below is made durable, the committed one is dropped";
            case Act.DEADLINE -> "the deadline of " + checkpoint(act, a) + " passes";
            case Act.FAIL -> "the device fails " + request(act, a);
            case Act.OVERLAY_FAILED -> "the overlay cannot be made";
            case Act.SAVE_FAILED -> "the pages cannot be stored";
            case Act.SYNC_FAILED -> "the frozen layers cannot be made durable";
            case Act.MANIFEST_FAILED -> "the manifest cannot be written";
            case Act.MOVE -> moved(act, a >>> 1, a & 1);
            case Act.REPORT -> "the device reports "
                    + (Layout.get(world.machine.state.request(a), Layout.OP) == Layout.OP_DONE
                            ? "the end of "
                            : "the failure of ")
                    + request(act, a);
            case Act.OVERLAY -> "the overlay of disk " + (a & 1) + " is ready";
            case Act.STUN -> "the VM is stunned for " + checkpoint(act, a)
                    + ": memory frozen, overlays on top";
            case Act.ANSWER -> checkpoint(act, a) + " hears how the stun went";
            case Act.SETTLED -> checkpoint(act, a >>> 3) + " hears that " + request(act, a & 7)
                    + " has ended";
            case Act.SAVE -> "page " + (a & 1) + " is to be saved for " + checkpoint(act, a >>> 1);
            case Act.SAVED -> checkpoint(act, a) + " hears that the pages are stored";
            case Act.SYNCED -> "the frozen layers are durable";
            case Act.MANIFEST -> "the manifest is written";
            case Act.CONFLICT_OVER -> "no read and write of one block are in flight any more";
            default -> throw new IllegalArgumentException("act " + act);
        };
    }

    private String moved(int act, int io, int block) {
        long r = world.machine.state.request(io);
        int layer = Layout.get(r, Layout.OP_LAYER);
        var name = request(act, io);
        return switch (VmState.kind(r)) {
            case FLUSH -> name + " makes " + (Layout.get(r, Layout.SPECIAL) != 0
                    ? "layer " + layer + " alone"
                    : "layers 0 to " + layer) + " durable";
            case READ -> "block " + block + " of " + name + " is read from layers 0 to " + layer
                    + (Layout.get(r, Layout.REISSUE) != 0 ? ", again" : "");
            case WRITE, ZEROES, FUA, DISCARD -> {
                if (Layout.get(r, Layout.SYNCING) != 0) {
                    yield name + " makes " + (Layout.get(r, Layout.SPECIAL) != 0
                            ? "layer " + layer + " durable, where it landed"
                            : "layers 0 to " + layer + " durable, where it landed");
                }
                if (Layout.get(r, Layout.SPECIAL) == 0) {
                    yield "block " + block + " of " + name + " lands in layer " + layer;
                }
                boolean isOwn = (Layout.get(r, Layout.EXTENT) >>> block & 1) != 0;
                yield isOwn
                        ? "the group appears in layer " + layer + " with what " + name + " wrote"
                        : "block " + block + " is copied from below layer " + layer + " for "
                                + name;
            }
        };
    }

    private static String sentence(String words) {
        return Character.toUpperCase(words.charAt(0)) + words.substring(1);
    }
}
