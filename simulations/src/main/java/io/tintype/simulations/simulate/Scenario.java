package io.tintype.simulations.simulate;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A kind of run: which knobs are not left to the swarm.
 *
 * @param name for the command line
 * @param words what it is about, for people
 * @param fix sets knobs after all were drawn
 */
public record Scenario(String name, String words, BiConsumer<Knobs.Draw, Dice> fix) {
    private static final Pattern LINE = Pattern.compile("\\s*(\\w+)\\s*=\\s*(-?\\d{1,18})\\s*");

    private static final String COPIES = "copies";
    private static final String HOUSEKEEPING = "housekeeping";
    private static final String GARBAGE = "garbage";
    private static final String ROLLBACKS = "rollbacks";
    private static final String SNAPSHOTS = "snapshots";
    private static final String LINEAGES = "lineages";

    private static final List<String> LATER =
            List.of(COPIES, HOUSEKEEPING, GARBAGE, ROLLBACKS, SNAPSHOTS, LINEAGES);

    /** Everything from the seed. */
    public static final Scenario SWARM =
            new Scenario("swarm", "everything is drawn from the seed", (_, _) -> {});

    /** What a benchmark of schedules runs: one VM, one checkpoint, few requests. */
    public static final Scenario SMALL =
            new Scenario("small", "one VM, one checkpoint, a few requests", (draw, _) -> draw
                    .put("vms", 1).put("disks", 1).put("groups", 4).put("slots", 4)
                    .put("requestSectorsMax", 8).put("heapPages", 2)
                    .put("actions", 3).put("checkpoints", 1).put("cancelPercent", 0)
                    .put("deletePercent", 0).put("clonePercent", 0).put("copyPercent", 0)
                    .put("flattenPercent", 0).put("rollbackPercent", 0).put("snapshotPercent", 0)
                    .put("deadlineNs", 1_000_000_000)
                    .put("heldFrames", 4096).put("chainDepthMax", 16).put("crashAt", -1)
                    .put("fullAt", -1).put("errorPerMille", 0).put("hangPerMille", 0)
                    .put("rots", 0).put("restores", 0).put("resetWeight", 0));

    /** All of them. */
    public static final List<Scenario> ALL = List.of(SWARM, SMALL,
            new Scenario("conflicts", "many requests to one block group of one disk",
                    (draw, dice) -> draw.put("hotGroups", 1).put("groups", 2)
                            .put("slots", dice.between(4, 8))
                            .put("checkpoints", dice.between(2, 4))),
            new Scenario("disk-reissue", "reads reach copied pages by asking the disk again",
                    (draw, dice) -> draw.put("reissueFromDisk", 1).put("hotGroups", 1)
                            .put("readWeight", 8).put("writeWeight", 6)
                            .put("touchWeight", 6).put("straddlePercent", 100)),
            new Scenario("across", "reads that are in flight at several checkpoints",
                    (draw, dice) -> draw.put("slowReadPercent", dice.between(50, 100))
                            .put("readWeight", 6).put("touchWeight", 8)
                            .put("straddlePercent", 100).put("checkpoints", dice.between(2, 5))
                            .put("slots", dice.between(4, 8))
                            .put("taskMaxNs", dice.spread(2_000, 20_000))),
            new Scenario("ring", "requests that stay in the ring over a stun",
                    (draw, dice) -> draw.put("bellWeight", 4).put("readWeight", 8)
                            .put("latencyMinNs", 1_000).put("latencyMaxNs", 10_000)
                            .put("gapNs", dice.spread(2_000, 20_000))
                            .put("taskMaxNs", dice.spread(100_000, 1_000_000))),
            new Scenario("flushes", "flushes above layers that are not synced yet, and a crash",
                    (draw, dice) -> draw.put("slowReadPercent", dice.between(60, 100))
                            .put("readWeight", 3).put("writeWeight", 8)
                            .put("flushWeight", dice.between(3, 8))
                            .put("actions", dice.between(12, 40))
                            .put("checkpoints", dice.between(2, 4))
                            .put("hangPerMille", 0).put("errorPerMille", 0)
                            .put("resetWeight", 0)
                            .put("crashAt", dice.between(20, 120)).put("crashInWrites", -1)),
            new Scenario("memory", "checkpoints may hold little memory, so guests wait for frames",
                    (draw, dice) -> draw.put("heldFrames", dice.between(200, 300))
                            .put("slots", dice.between(2, 4)).put("flushWeight", 4)
                            .put("slowReadPercent", dice.below(60))),
            new Scenario("commits", "checkpoints are deleted, and their layers committed",
                    (draw, dice) -> draw.put("checkpoints", dice.between(3, 6))
                            .put("actions", dice.between(20, 60))
                            .put("deletePercent", 80).put("cancelPercent", 40)),
            new Scenario(COPIES, "checkpoints copy their disks, and chains are made flat",
                    (draw, dice) -> draw.put("checkpoints", dice.between(2, 5))
                            .put("actions", dice.between(20, 60))
                            .put("copyPercent", dice.between(40, 100))
                            .put("flattenPercent", dice.below(80))
                            .put("deletePercent", dice.below(60))
                            .put("clonePercent", dice.below(40))),
            new Scenario(HOUSEKEEPING, "old checkpoints go, and garbage is collected meanwhile",
                    (draw, dice) -> draw.put("checkpoints", dice.between(3, 6))
                            .put("actions", dice.between(10, 40))
                            .put("retainPercent", dice.between(20, 80))
                            .put("gcPercent", dice.between(20, 100))
                            .put("cancelPercent", dice.below(40))
                            .put("clonePercent", dice.percent(50) ? 0 : 40)),
            new Scenario(GARBAGE,
                    "clones come and go, and what they leave is collected, with failures of power",
                    (draw, dice) -> draw.put("vms", dice.percent(70) ? 1 : 2)
                            .put("checkpoints", dice.between(1, 4))
                            .put("actions", dice.between(6, 25))
                            .put("clonePercent", dice.percent(30) ? 0 : dice.between(40, 100))
                            .put("deletePercent", dice.below(80))
                            .put("gcPercent", dice.between(50, 100))
                            .put("destroyPercent", dice.between(50, 100))
                            .put("cancelPercent", dice.below(30))
                            .put("copyPercent", dice.percent(60) ? 0 : 50)
                            .put("rollbackPercent", dice.percent(60) ? 0 : 60)
                            .put("snapshotPercent", dice.percent(70) ? 0 : 60)
                            .put("retainPercent", dice.percent(60) ? 0 : 40)
                            .put("removes", dice.below(2))
                            .put("crashInGc",
                                    dice.percent(50) ? (int) dice.spread(1, 30) : -1)
                            .put("restores", dice.below(2))),
            new Scenario(ROLLBACKS, "running VMs go back to checkpoints and snapshots",
                    (draw, dice) -> draw.put("checkpoints", dice.between(2, 5))
                            .put("actions", dice.between(15, 60))
                            .put("rollbackPercent", dice.between(50, 100))
                            .put("snapshotPercent", dice.percent(50) ? 0 : 50)
                            .put("slowReadPercent", dice.percent(50) ? 0 : dice.below(100))
                            .put("cancelPercent", dice.below(30))
                            .put("flushWeight", dice.between(1, 4))),
            new Scenario(SNAPSHOTS, "checkpoints in memory, gone back to and cloned",
                    (draw, dice) -> draw.put("checkpoints", dice.between(2, 5))
                            .put("actions", dice.between(15, 60))
                            .put("snapshotPercent", 100)
                            .put("rollbackPercent", dice.below(80))
                            .put("clonePercent", dice.between(20, 60))
                            .put("heldFrames", dice.percent(60) ? 4096 : dice.between(160, 320))
                            .put("flushWeight", dice.between(1, 4))),
            new Scenario(LINEAGES, "clones of clones, and checkpoints of theirs",
                    (draw, dice) -> draw.put("checkpoints", dice.between(2, 3))
                            .put("vms", 1).put("clonePercent", 100)
                            .put("grandClonePercent", dice.between(60, 100))
                            .put("rollbackPercent", dice.percent(50) ? 0 : 50)
                            .put("snapshotPercent", dice.percent(50) ? 0 : 50)
                            .put("cancelPercent", 0).put("deletePercent", dice.below(60))),
            new Scenario("resets", "devices are reset with requests in flight",
                    (draw, _) -> draw.put("resetWeight", 4).put("readWeight", 8)),
            new Scenario("crashes", "the power fails in every run",
                    (draw, dice) -> draw.put("crashAt", dice.between(1, 150))
                            .put("crashInWrites",
                                    dice.percent(70) ? (int) dice.spread(1, 40) - 1 : -1)
                            .put("flushWeight", dice.between(1, 6))
                            .put("fuaPercent", dice.below(60))),
            new Scenario("hung", "operations that never end",
                    (draw, dice) -> draw.put("hangPerMille", dice.between(20, 150))
                            .put("hotGroups", dice.between(1, 2))
                            .put("cancelPercent", dice.below(60))),
            new Scenario("full", "a disk that is full from some moment on",
                    (draw, dice) -> draw.put("fullAt", dice.between(1, 20))));

    /** What a run of the swarm may be about. */
    static final List<Scenario> THEMES = ALL.stream()
            // They came later; a theme more would change what known seeds do, and the swarm draws most of them anyway.
            .filter(each -> !each.name().equals(SWARM.name()) && !each.name().equals(SMALL.name())
                    && !LATER.contains(each.name()))
            .toList();

    /** Null if there is none of that name. */
    public static @Nullable Scenario named(String name) {
        for (var each : ALL) {
            if (each.name().equals(name)) {
                return each;
            }
        }
        return null;
    }

    /** The names of all there are. */
    public static List<String> names() {
        return ALL.stream().map(Scenario::name).toList();
    }

    /**
     * One of {@link #ALL}, or the swarm with the knobs that a file fixes.
     *
     * @throws ScenarioException if it is neither
     */
    public static Scenario of(String nameOrFile) throws ScenarioException {
        var known = named(nameOrFile);
        if (known != null) {
            return known;
        }
        var file = Path.of(nameOrFile);
        var names = String.join(", ", names());
        if (!Files.isRegularFile(file)) {
            throw new ScenarioException("there is no such scenario and no such file",
                    "choose one of " + names);
        }
        try {
            return parse(nameOrFile, Files.readAllLines(file));
        } catch (IOException e) {
            throw new ScenarioException("it cannot be read as text: " + e.getMessage(),
                    "choose one of " + names);
        }
    }

    /** The scenario in the lines of a file. */
    static Scenario parse(String file, List<String> lines) throws ScenarioException {
        var fixed = new TreeMap<String, Long>();
        for (var line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            var found = LINE.matcher(line);
            if (!found.matches() || !Knobs.isKnob(found.group(1))) {
                throw new ScenarioException("no knob: " + line,
                        "write lines like vms=2; docs/simulator.md lists the knobs");
            }
            var value = Long.parseLong(found.group(2));
            long min = Knobs.min(found.group(1));
            long max = Knobs.max(found.group(1));
            if (value < min || value > max) {
                throw new ScenarioException("out of range: " + line.strip(),
                        "choose " + min + " to " + max + " for " + found.group(1));
            }
            fixed.put(found.group(1), value);
        }
        return new Scenario("file", file, (draw, _) -> fixed.forEach(draw::put));
    }
}
