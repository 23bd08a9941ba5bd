package io.tintype.simulations.simulate;

import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.story.Story.Setting;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Everything that varies between two runs. All of it is drawn from the seed (swarm testing: a run that has a bit of everything finds
 * less than many runs that each have much of something); a scenario fixes some.
 *
 * @param seed of all other draws
 * @param scenario whose knobs these are
 * @param strategy how the next actor is chosen
 * @param broken the rule that is switched off; null for none
 * @param vms VMs at the beginning
 * @param disks of each VM
 * @param groups block groups of 4 KiB of each disk
 * @param hotGroups those that most requests go to
 * @param slots requests in flight of each VM
 * @param requestSectorsMax longest request
 * @param heapPages pages of memory beside the guest's rings and buffers
 * @param actions things that guests and operators do
 * @param checkpoints of them, begins of checkpoints
 * @param gapNs mean time between two actions
 * @param burstPercent how many of 100 actions come with no gap
 * @param latencyMinNs of a storage operation
 * @param latencyMaxNs of a storage operation
 * @param slowPerMille operations that take a hundred times as long
 * @param slowReadPercent reads that take as long as several checkpoints
 * @param taskMaxNs of a blocking or saving task
 * @param stepNs virtual time that a message takes
 * @param readWeight share of reads, as the other weights
 * @param straddlePercent reads whose sectors straddle pages
 * @param fuaPercent writes that are durable when complete
 * @param errorPerMille operations that fail
 * @param hangPerMille operations that never end
 * @param cancelPercent checkpoints given up by the operator
 * @param deletePercent checkpoints deleted
 * @param clonePercent checkpoints restored beside the running VM
 * @param copyPercent checkpoints that copy their disks
 * @param flattenPercent checkpoints some time after which a disk is made flat
 * @param retainPercent checkpoints some time after which only the newest of their VM are kept
 * @param gcPercent checkpoints some time after which garbage is collected
 * @param destroyPercent how many of 100 clones, and first VMs, are destroyed some time after their checkpoints were deleted
 * @param removes whether checkpoints are removed at the end as by somebody who has the store for himself
 * @param rollbackPercent checkpoints and snapshots to which their VM goes back
 * @param snapshotPercent checkpoints beside which a snapshot is taken
 * @param grandClonePercent checkpoints of clones that are restored in turn
 * @param betweenPercent sectors written several times since the last sync that have, after a crash, a content in between
 * @param deadlineNs of checkpoints
 * @param heldFrames frames that checkpoints may hold
 * @param chainDepthMax layers of a disk
 * @param crashAt after which event the power fails; -1 never
 * @param crashInWrites if not negative, it fails within the next event after so many changes of the storage
 * @param crashInGc if not negative, it fails within a collection of garbage after so many changes of the storage
 * @param fullAt before which action the storage is full; -1 never
 * @param rots whether a bit rots in a stored checkpoint at the end
 * @param restores whether sealed checkpoints are restored and run on at the end
 */
record Knobs(
        long seed,
        String scenario,
        Strategy strategy,
        @Nullable Rule broken,
        int vms,
        int disks,
        int groups,
        int hotGroups,
        int slots,
        int requestSectorsMax,
        int heapPages,
        int actions,
        int checkpoints,
        long gapNs,
        int burstPercent,
        long latencyMinNs,
        long latencyMaxNs,
        int slowPerMille,
        int slowReadPercent,
        long taskMaxNs,
        long stepNs,
        int readWeight,
        int writeWeight,
        int flushWeight,
        int eraseWeight,
        int touchWeight,
        int heapWeight,
        int bellWeight,
        int resetWeight,
        int straddlePercent,
        int fuaPercent,
        int errorPerMille,
        int hangPerMille,
        int cancelPercent,
        int deletePercent,
        int clonePercent,
        int copyPercent,
        int flattenPercent,
        int retainPercent,
        int gcPercent,
        int destroyPercent,
        boolean removes,
        int rollbackPercent,
        int snapshotPercent,
        int grandClonePercent,
        int betweenPercent,
        boolean reissueFromDisk,
        boolean delayResume,
        boolean ordered,
        long deadlineNs,
        int heldFrames,
        int chainDepthMax,
        int crashAt,
        int crashInWrites,
        int crashInGc,
        int fullAt,
        boolean rots,
        boolean restores) {

    /** Whether a scenario may fix it. */
    static boolean isKnob(String name) {
        for (var component : Knobs.class.getRecordComponents()) {
            var type = component.getType();
            if (component.getName().equals(name) && !name.equals("seed")) {
                return type == int.class || type == long.class || type == boolean.class;
            }
        }
        return false;
    }

    /** The least that a scenario may fix. */
    static long min(String knob) {
        return switch (knob) {
            case "crashAt", "crashInWrites", "crashInGc", "fullAt" -> -1;
            case "vms", "disks", "groups", "hotGroups", "slots", "requestSectorsMax",
                    "heapPages", "heldFrames", "chainDepthMax", "gapNs", "latencyMinNs",
                    "latencyMaxNs", "taskMaxNs", "stepNs", "deadlineNs" ->
                1;
            default -> 0;
        };
    }

    /** The most: what a run takes at most a minute or so and a few hundred megabytes for. */
    static long max(String knob) {
        if (knob.endsWith("Percent")) {
            return 100;
        }
        if (knob.endsWith("PerMille")) {
            return 1_000;
        }
        if (knob.endsWith("Ns")) {
            return 3_600_000_000_000L;
        }
        return switch (knob) {
            case "vms", "slots" -> 64;
            case "disks" -> 8;
            case "requestSectorsMax" -> 256;
            case "reissueFromDisk", "delayResume", "ordered", "rots", "restores", "removes" -> 1;
            case "actions", "checkpoints", "heldFrames" -> 100_000;
            case "crashAt", "crashInWrites", "crashInGc", "fullAt" -> Integer.MAX_VALUE;
            default -> 1_000;
        };
    }

    private static final int THEMED_PERCENT = 40;

    /** Whether VMs may go on from instants that are not sealed, of which a power failure must leave what was flushed before. */
    boolean forksCrashChecks() {
        return mayCrash() && (rollbackPercent > 0 || snapshotPercent > 0 || clonePercent > 0);
    }

    /** Whether the power may fail. */
    boolean mayCrash() {
        return crashAt >= 0 || crashInGc >= 0;
    }

    Rules rules() {
        return broken == null ? Rules.ALL_ON : Rules.without(broken);
    }

    Reissue reissue() {
        return reissueFromDisk ? Reissue.DISK : Reissue.LANDED;
    }

    Conflict conflict() {
        return delayResume ? Conflict.DELAY_RESUME : Conflict.PUT_OFF;
    }

    /** What the seed says. */
    static Knobs draw(long seed, Scenario scenario, Strategy strategy, Faults faults,
            @Nullable Rule broken) {
        // Each knob has dice of its own: a knob more must not change what known seeds do.
        var dice = new Dice(seed);
        var draw = new Draw(seed, scenario.name(), strategy, broken);
        dice.turnTo(seed, "vms");
        draw.put("vms", dice.percent(80) ? 1 : dice.between(2, 3));
        dice.turnTo(seed, "disks");
        draw.put("disks", dice.percent(80) ? 1 : 2);
        dice.turnTo(seed, "groups");
        draw.put("groups", dice.between(2, 16));
        dice.turnTo(seed, "hotGroups");
        draw.put("hotGroups", dice.between(1, 3));
        dice.turnTo(seed, "slots");
        draw.put("slots", dice.between(2, 8));
        dice.turnTo(seed, "requestSectorsMax");
        draw.put("requestSectorsMax", 8 << dice.below(3));
        dice.turnTo(seed, "heapPages");
        draw.put("heapPages", dice.between(2, 8));
        dice.turnTo(seed, "actions");
        draw.put("actions", dice.spread(6, 48));
        dice.turnTo(seed, "checkpoints");
        draw.put("checkpoints", dice.between(1, 4));
        dice.turnTo(seed, "gapNs");
        draw.put("gapNs", dice.spread(2_000, 100_000));
        dice.turnTo(seed, "burstPercent");
        draw.put("burstPercent", dice.below(80));
        dice.turnTo(seed, "latency");
        long latency = dice.spread(1_000, 50_000);
        dice.turnTo(seed, "latencyMinNs");
        draw.put("latencyMinNs", latency);
        dice.turnTo(seed, "latencyMaxNs");
        draw.put("latencyMaxNs", latency * dice.spread(2, 50));
        dice.turnTo(seed, "slowPerMille");
        draw.put("slowPerMille", dice.percent(50) ? 0 : dice.between(10, 200));
        dice.turnTo(seed, "slowReadPercent");
        draw.put("slowReadPercent", dice.percent(80) ? 0 : dice.between(20, 100));
        dice.turnTo(seed, "taskMaxNs");
        draw.put("taskMaxNs", dice.spread(5_000, 2_000_000));
        dice.turnTo(seed, "stepNs");
        draw.put("stepNs", dice.spread(200, 5_000));
        dice.turnTo(seed, "readWeight");
        draw.put("readWeight", dice.below(10));
        dice.turnTo(seed, "writeWeight");
        draw.put("writeWeight", dice.between(1, 10));
        dice.turnTo(seed, "flushWeight");
        draw.put("flushWeight", dice.below(4));
        dice.turnTo(seed, "eraseWeight");
        draw.put("eraseWeight", dice.percent(70) ? 0 : dice.below(4));
        dice.turnTo(seed, "touchWeight");
        draw.put("touchWeight", dice.below(6));
        dice.turnTo(seed, "heapWeight");
        draw.put("heapWeight", dice.below(3));
        dice.turnTo(seed, "bellWeight");
        draw.put("bellWeight", dice.percent(60) ? 0 : dice.between(1, 4));
        dice.turnTo(seed, "resetWeight");
        draw.put("resetWeight", dice.percent(80) ? 0 : dice.between(1, 2));
        dice.turnTo(seed, "straddlePercent");
        draw.put("straddlePercent", dice.below(101));
        dice.turnTo(seed, "fuaPercent");
        draw.put("fuaPercent", dice.percent(70) ? 0 : dice.below(60));
        dice.turnTo(seed, "storage");
        boolean storage = faults.storage() && dice.percent(60);
        dice.turnTo(seed, "errorPerMille");
        draw.put("errorPerMille", storage && dice.percent(50) ? dice.between(5, 200) : 0);
        dice.turnTo(seed, "hangPerMille");
        draw.put("hangPerMille", storage && dice.percent(40) ? dice.between(5, 60) : 0);
        dice.turnTo(seed, "cancelPercent");
        draw.put("cancelPercent", dice.percent(50) ? 0 : dice.between(10, 80));
        dice.turnTo(seed, "deletePercent");
        draw.put("deletePercent", dice.percent(50) ? 0 : dice.between(10, 80));
        dice.turnTo(seed, "clonePercent");
        draw.put("clonePercent", dice.percent(80) ? 0 : dice.between(10, 80));
        dice.turnTo(seed, "copyPercent");
        draw.put("copyPercent", dice.percent(70) ? 0 : dice.between(20, 100));
        dice.turnTo(seed, "flattenPercent");
        draw.put("flattenPercent", dice.percent(70) ? 0 : dice.between(20, 80));
        dice.turnTo(seed, "rollbackPercent");
        draw.put("rollbackPercent", dice.percent(80) ? 0 : dice.between(20, 90));
        // Not by the knob's name: so drawn, the seeds that failed once get none and do what they did.
        dice.turnTo(seed, "snapshots");
        draw.put("snapshotPercent", dice.percent(80) ? 0 : dice.between(20, 100));
        dice.turnTo(seed, "grandClonePercent");
        draw.put("grandClonePercent", dice.percent(60) ? 0 : dice.between(20, 100));
        dice.turnTo(seed, "betweenPercent");
        draw.put("betweenPercent", dice.percent(50) ? 0 : dice.between(10, 80));
        dice.turnTo(seed, "reissueFromDisk");
        draw.put("reissueFromDisk", dice.percent(25) ? 1 : 0);
        dice.turnTo(seed, "delayResume");
        draw.put("delayResume", dice.percent(50) ? 1 : 0);
        dice.turnTo(seed, "ordered");
        draw.put("ordered", dice.percent(15) ? 1 : 0);
        dice.turnTo(seed, "deadlineNs");
        draw.put("deadlineNs", dice.percent(80) ? 1_000_000_000L : dice.spread(50_000, 5_000_000));
        dice.turnTo(seed, "heldFrames");
        draw.put("heldFrames", dice.percent(85) ? 4096 : dice.between(240, 500));
        dice.turnTo(seed, "chainDepthMax");
        draw.put("chainDepthMax", dice.percent(80) ? 16 : dice.between(2, 3));
        dice.turnTo(seed, "crash");
        boolean crash = faults.crash() && dice.percent(50);
        dice.turnTo(seed, "crashAt");
        draw.put("crashAt", crash ? dice.between(1, 120) : -1);
        dice.turnTo(seed, "crashInWrites");
        draw.put("crashInWrites", crash && dice.percent(60) ? (int) dice.spread(1, 40) - 1 : -1);
        dice.turnTo(seed, "fullAt");
        draw.put("fullAt", storage && dice.percent(10) ? dice.between(2, 20) : -1);
        dice.turnTo(seed, "rots");
        draw.put("rots", faults.storage() && dice.percent(10) ? 1 : 0);
        dice.turnTo(seed, "restores");
        draw.put("restores", dice.percent(40) ? 1 : 0);
        dice.turnTo(seed, "theme");
        if (scenario.name().equals(Scenario.SWARM.name()) && dice.percent(THEMED_PERCENT)) {
            // What takes several things at once is rare in a swarm of independent draws.
            var theme = Scenario.THEMES.get(dice.below(Scenario.THEMES.size()));
            dice.turnTo(seed, theme.name());
            theme.fix().accept(draw, dice);
        }
        dice.turnTo(seed, scenario.name());
        scenario.fix().accept(draw, dice);
        if (!faults.storage()) {
            draw.put("errorPerMille", 0).put("hangPerMille", 0).put("fullAt", -1).put("rots", 0);
        }
        if (!faults.crash()) {
            draw.put("crashAt", -1).put("crashInWrites", -1).put("crashInGc", -1);
        }
        return draw.knobs();
    }

    /** Knobs by name, while they are drawn or read from a file. */
    static final class Draw {
        private final long seed;
        private final String scenario;
        private final Strategy strategy;
        private final @Nullable Rule broken;
        private final Map<String, Long> values = new HashMap<>();

        Draw(long seed, String scenario, Strategy strategy, @Nullable Rule broken) {
            this.seed = seed;
            this.scenario = scenario;
            this.strategy = strategy;
            this.broken = broken;
            // Traces of before there were these do not name them, and seeds of before did without housekeeping.
            put("copyPercent", 0).put("flattenPercent", 0).put("retainPercent", 0)
                    .put("gcPercent", 0).put("destroyPercent", 0).put("removes", 0)
                    .put("crashInGc", -1).put("rollbackPercent", 0).put("snapshotPercent", 0)
                    .put("grandClonePercent", 0).put("betweenPercent", 0);
        }

        Draw put(String name, long value) {
            values.put(name, value);
            return this;
        }

        private int i(String name) {
            return Math.toIntExact(l(name));
        }

        private boolean b(String name) {
            return l(name) != 0;
        }

        private long l(String name) {
            var value = values.get(name);
            if (value == null) {
                throw new IllegalArgumentException("the configuration has no " + name);
            }
            return value;
        }

        Knobs knobs() {
            return new Knobs(seed, scenario, strategy, broken, i("vms"), i("disks"), i("groups"),
                    i("hotGroups"), i("slots"), i("requestSectorsMax"), i("heapPages"),
                    i("actions"),
                    i("checkpoints"), l("gapNs"), i("burstPercent"), l("latencyMinNs"),
                    l("latencyMaxNs"), i("slowPerMille"), i("slowReadPercent"), l("taskMaxNs"),
                    l("stepNs"),
                    i("readWeight"), i("writeWeight"), i("flushWeight"), i("eraseWeight"),
                    i("touchWeight"), i("heapWeight"), i("bellWeight"), i("resetWeight"),
                    i("straddlePercent"), i("fuaPercent"), i("errorPerMille"), i("hangPerMille"),
                    i("cancelPercent"), i("deletePercent"), i("clonePercent"),
                    i("copyPercent"), i("flattenPercent"), i("retainPercent"), i("gcPercent"),
                    i("destroyPercent"),
                    b("removes"),
                    i("rollbackPercent"), i("snapshotPercent"), i("grandClonePercent"),
                    i("betweenPercent"),
                    b("reissueFromDisk"), b("delayResume"), b("ordered"), l("deadlineNs"),
                    i("heldFrames"), i("chainDepthMax"), i("crashAt"), i("crashInWrites"),
                    i("crashInGc"), i("fullAt"), b("rots"), b("restores"));
        }
    }

    /** For a trace file; {@link #of} reads it. */
    List<Setting> settings() {
        var words = new StringBuilder();
        for (var component : Knobs.class.getRecordComponents()) {
            try {
                var value = component.getAccessor().invoke(this);
                if (value instanceof Number || value instanceof Boolean) {
                    words.append(words.isEmpty() ? "" : " ").append(component.getName())
                            .append('=').append(value instanceof Boolean on ? on ? 1 : 0 : value);
                }
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
        var settings = new ArrayList<Setting>();
        settings.add(new Setting("scenario", scenario));
        settings.add(new Setting("strategy", strategy.name().toLowerCase(Locale.ROOT)));
        if (broken != null) {
            settings.add(new Setting("break", broken.name()));
        }
        settings.add(new Setting("knobs", words.toString()));
        return settings;
    }

    /** @throws IllegalArgumentException if something is missing or unknown; the message says what */
    static Knobs of(List<Setting> settings) {
        var byName = new HashMap<String, String>();
        settings.forEach(setting -> byName.put(setting.name(), setting.value()));
        var scenario = byName.get("scenario");
        var strategy = byName.get("strategy");
        var words = byName.get("knobs");
        var broken = byName.get("break");
        if (scenario == null || strategy == null || words == null) {
            throw new IllegalArgumentException(
                    "its configuration has no scenario, no strategy or no knobs");
        }
        var values = new HashMap<String, Long>();
        for (var word : words.split(" ", -1)) {
            int equals = word.indexOf('=');
            if (equals < 0 || !word.substring(equals + 1).matches("-?\\d{1,19}")) {
                throw new IllegalArgumentException("a knob is not a name and a number: " + word);
            }
            values.put(word.substring(0, equals), Long.parseLong(word.substring(equals + 1)));
        }
        var seed = values.remove("seed");
        if (seed == null) {
            throw new IllegalArgumentException("its knobs have no seed");
        }
        var draw = new Draw(seed, scenario, Strategy.valueOf(strategy.toUpperCase(Locale.ROOT)),
                broken == null ? null : Rule.valueOf(broken));
        values.forEach(draw::put);
        return draw.knobs();
    }
}
