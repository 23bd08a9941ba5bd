package io.tintype.simulations.simulate;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.story.Shrinker;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.Story.Setting;
import io.tintype.simulations.story.StoryEvent;
import io.tintype.simulations.story.StoryEvent.Kind;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A failing run, made short and told.
 *
 * @param story it, replayable
 * @param events how many events its schedule has after shrinking
 * @param recorded how many the run had
 * @param tries runs that shrinking took
 */
public record Finding(Story story, int events, int recorded, int tries) {
    private static final String TOOL = "simulate";
    private static final String SCHEDULE = "schedule";
    private static final String SETTLED = "settled";
    private static final String EXACT = "exact";
    private static final String BY_SEED = "by-seed";
    /** Each is a whole run. */
    private static final int TRIES_MAX = 6_000;
    /** To show that it is short enough; a second or two. */
    private static final int OTHER_TRIES_MAX = 2_000;
    private static final int HURRIES_MAX = 500;

    /** What a replay came to. */
    public sealed interface Replayed {
        /** It failed in the same way. */
        record Reproduced(Story story) implements Replayed {}

        /** It failed in another way. */
        record FailedOtherwise(Story story) implements Replayed {}

        /** An event was not possible any more, and it did not fail: the code has changed. */
        record FitsNoLonger(int index, String event) implements Replayed {}

        /** All events were possible, and nothing was wrong. */
        record DidNotFail() implements Replayed {}
    }

    /** One shape of the failing run, shrunk. */
    private record Shrunk(Schedule schedule, int tries) {
        int events() {
            return schedule.events().size();
        }
    }

    /**
     * Runs a failing seed again, shrinks what it did, and tells it.
     *
     * @param knobs of the run
     * @param violation what it showed
     */
    static Finding of(SimulatedMachine machine, Knobs knobs, Violation violation) {
        return of(machine, knobs, violation, OTHER_TRIES_MAX);
    }

    /**
     * The same.
     *
     * @param otherTriesMax how much may be tried, when nothing can go any more, for a story that is shorter all the same
     */
    static Finding of(SimulatedMachine machine, Knobs knobs, Violation violation,
            int otherTriesMax) {
        return new Telling(machine, knobs, violation, otherTriesMax).tell();
    }

    /** Of one failing run. */
    private record Telling(SimulatedMachine machine, Knobs knobs, Violation violation,
            int otherTriesMax) {
        Finding tell() {
            var recorded = Simulation.free(machine, knobs, true);
            int count = recorded.events().size();
            var shrunk = settled(recorded);
            if (shrunk == null) {
                var exact = shrink(recorded.events(), false);
                if (exact == null) {
                    return new Finding(told(machine, knobs, null, violation), count, count, 0);
                }
                // Of so few events it can be tried before which of them messages must wait.
                shrunk = hurried(plain(
                        Simulation.scheduled(machine, knobs, exact.schedule(), true).world()));
                if (shrunk == null || shrunk.events() > exact.events()) {
                    shrunk = exact;
                }
            }
            var story = told(machine, knobs, shrunk.schedule(), violation);
            var asked = schedule(story);
            return new Finding(story, asked == null ? count : asked.events().size(), count,
                    shrunk.tries());
        }

        /** Without messages, of which all are handled between two events if it fails so too, else between all but a few. */
        private @Nullable Shrunk settled(RunRecord run) {
            var plain = plain(run.world());
            var shrunk = shrink(plain, true);
            if (shrunk != null || plain.equals(run.world())) {
                return shrunk;
            }
            shrunk = shrink(run.world(), true);
            return shrunk == null ? null : unhurried(shrunk);
        }

        /** With messages that wait before as few events as possible; null if that is not found. */
        private @Nullable Shrunk hurried(List<String> world) {
            int tries = 0;
            for (int count = 0; count <= world.size(); count++) {
                for (var chosen : choices(world.size(), count)) {
                    if (++tries > HURRIES_MAX) {
                        return null;
                    }
                    var events = new ArrayList<>(world);
                    for (int index : chosen) {
                        events.set(index, Simulation.AT_ONCE + events.get(index));
                    }
                    if (fails(new Schedule(events, true))) {
                        return shrink(events, true);
                    }
                }
            }
            return null;
        }

        /** With messages handled before each event where that makes no difference, and made shorter if it can be now. */
        private Shrunk unhurried(Shrunk hurried) {
            var events = new ArrayList<>(hurried.schedule().events());
            boolean any = false;
            for (int i = 0; i < events.size(); i++) {
                var before = events.get(i);
                var after = Simulation.plainWorld(before);
                if (!after.equals(before)) {
                    events.set(i, after);
                    if (fails(new Schedule(events, true))) {
                        any = true;
                    } else {
                        events.set(i, before);
                    }
                }
            }
            var shrunk = any ? shrink(events, true) : null;
            return shrunk == null
                    ? hurried
                    : new Shrunk(shrunk.schedule(), hurried.tries() + shrunk.tries());
        }

        private @Nullable Shrunk shrink(List<String> events, boolean settles) {
            if (!fails(new Schedule(events, settles))) {
                return null;
            }
            // Of messages there are too many for more than leaving out.
            var result = Shrinker.shortest(events, fewer -> {
                var run = Simulation.scheduled(machine, knobs, new Schedule(fewer, settles), false);
                return new Shrinker.Try(isSame(run, violation), run.done());
            }, TRIES_MAX, settles ? otherTriesMax : 0);
            return new Shrunk(new Schedule(result.events(), settles), result.tries());
        }

        private boolean fails(Schedule schedule) {
            return Finding.fails(machine, knobs, schedule, violation);
        }
    }

    /** Whether it fails, too, when all messages are handled between any two events of the world: such a story is short. */
    static boolean failsSettled(SimulatedMachine machine, Knobs knobs, Violation violation) {
        var recorded = Simulation.free(machine, knobs, true);
        return fails(machine, knobs, new Schedule(plain(recorded.world()), true), violation);
    }

    private static List<String> plain(List<String> world) {
        return world.stream().map(Simulation::plainWorld).toList();
    }

    /** All ascending lists of so many numbers below {@code bound}, up to a few more than anybody tries. */
    private static List<List<Integer>> choices(int bound, int count) {
        var all = List.of(List.<Integer>of());
        for (int length = 1; length <= count; length++) {
            var longer = new ArrayList<List<Integer>>();
            for (var chosen : all) {
                int from = chosen.isEmpty() ? 0 : chosen.getLast() + 1;
                for (int next = from; next < bound && longer.size() <= HURRIES_MAX; next++) {
                    var more = new ArrayList<>(chosen);
                    more.add(next);
                    longer.add(more);
                }
            }
            all = longer;
        }
        return all;
    }

    private static boolean fails(SimulatedMachine machine, Knobs knobs, Schedule schedule,
            Violation violation) {
        return isSame(Simulation.scheduled(machine, knobs, schedule, false), violation);
    }

    static boolean isSame(RunRecord run, Violation violation) {
        return run.violations().stream().anyMatch(found -> isSame(found, violation));
    }

    /** Where no rule is named, what is wrong is told by where, or by what should be: else a leak would be shrunk to another defect. */
    static boolean isSame(Violation found, Violation violation) {
        return found.rule() == violation.rule()
                && (found.rule() != null || found.where().equals(violation.where())
                        || found.expected().equals(violation.expected()));
    }

    private static boolean isSame(Violation found, @Nullable Rule rule) {
        return found.rule() == rule;
    }

    /** The story of a schedule; that of the seed itself if there is none. */
    static Story told(SimulatedMachine machine, Knobs knobs, @Nullable Schedule schedule,
            Violation violation) {
        var run = schedule == null
                ? Simulation.freeTold(machine, knobs)
                : Simulation.scheduled(machine, knobs, schedule, true);
        var shown = run.violations().stream().filter(found -> isSame(found, violation))
                .findFirst().orElse(violation);
        var events = new ArrayList<>(run.story());
        events.add(new StoryEvent(Simulation.NOTE + "violation",
                shown.vm().isEmpty() ? "storage" : shown.vm(), Kind.VIOLATION, sentence(shown), -1,
                new TreeMap<>()));
        var lanes = new LinkedHashSet<String>();
        events.forEach(event -> lanes.add(event.lane()));
        var settings = new ArrayList<>(knobs.settings());
        settings.add(new Setting(SCHEDULE,
                schedule == null ? BY_SEED : schedule.settles() ? SETTLED : EXACT));
        return new Story(TOOL, shown.rule(), sentence(shown), knobs.seed(), settings,
                List.copyOf(lanes), events);
    }

    private static String sentence(Violation violation) {
        return (violation.vm().isEmpty() ? "" : violation.vm() + ", ")
                + (violation.checkpointId() == 0
                        ? ""
                        : "checkpoint " + violation.checkpointId() + ", ")
                + violation.where() + ": expected " + violation.expected() + ", found "
                + violation.found();
    }

    /** What a replay of it has to ask for; null if the seed says all. */
    static @Nullable Schedule schedule(Story story) {
        var how = story.configuration().stream()
                .filter(setting -> setting.name().equals(SCHEDULE)).map(Setting::value).findFirst()
                .orElse(BY_SEED);
        return how.equals(BY_SEED)
                ? null
                : new Schedule(story.events().stream().map(StoryEvent::name)
                        .filter(name -> !name.startsWith(Simulation.NOTE)).toList(),
                        how.equals(SETTLED));
    }

    /**
     * Runs a story again.
     *
     * @throws IllegalArgumentException if it is none of this tool's, or says too little; the message says what is missing
     */
    public static Replayed replay(SimulatedMachine machine, Story story) {
        if (!story.tool().equals(TOOL)) {
            throw new IllegalArgumentException("it is a story of " + story.tool());
        }
        var knobs = Knobs.of(story.configuration());
        var schedule = schedule(story);
        var run = schedule == null
                ? Simulation.free(machine, knobs, false)
                : Simulation.scheduled(machine, knobs, schedule, false);
        if (!run.violations().isEmpty()) {
            var same = run.violations().stream()
                    .filter(found -> isSame(found, story.rule())).findFirst().orElse(null);
            var shown = Objects.requireNonNullElse(same, run.violations().getFirst());
            var again = told(machine, knobs, schedule, shown);
            return same != null
                    ? new Replayed.Reproduced(again)
                    : new Replayed.FailedOtherwise(again);
        }
        if (schedule != null && run.unfitting() >= 0) {
            return new Replayed.FitsNoLonger(run.unfitting(),
                    schedule.events().get(run.unfitting()));
        }
        return new Replayed.DidNotFail();
    }

    /** A short name for a file: {@code R8-seed-42}, in lower case where there is no rule. */
    public String fileName() {
        var rule = story.rule();
        return "tintype-" + TOOL + "-" + (rule == null ? "data" : rule.name())
                + "-seed-" + story.seed() + ".json".toLowerCase(Locale.ROOT);
    }
}
