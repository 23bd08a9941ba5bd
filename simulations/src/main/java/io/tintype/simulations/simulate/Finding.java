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

    /**
     * Runs a failing seed again, shrinks what it did, and tells it.
     *
     * @param knobs of the run
     * @param violation what it showed
     */
    static Finding of(SimulatedMachine machine, Knobs knobs, Violation violation) {
        var recorded = Simulation.free(machine, knobs, true).events();
        var world =
                recorded.stream().filter(name -> !name.startsWith("deliver ")).toList();
        var tries = new int[1];
        var settled = shrink(machine, knobs, world, true, violation, tries);
        if (settled == null) {
            var exact = shrink(machine, knobs, recorded, false, violation, tries);
            if (exact == null) {
                return new Finding(told(machine, knobs, null, violation), recorded.size(),
                        recorded.size(), tries[0]);
            }
            settled = shrink(machine, knobs,
                    exact.stream().filter(name -> !name.startsWith("deliver ")).toList(), true,
                    violation, tries);
            if (settled == null) {
                return new Finding(told(machine, knobs, new Schedule(exact, false), violation),
                        exact.size(), recorded.size(), tries[0]);
            }
        }
        return new Finding(told(machine, knobs, new Schedule(settled, true), violation),
                settled.size(), recorded.size(), tries[0]);
    }

    /** Whether it fails, too, when all messages are handled between any two events of the world: such a story is short. */
    static boolean failsSettled(SimulatedMachine machine, Knobs knobs, Violation violation) {
        return fails(machine, knobs, new Schedule(world(Simulation.free(machine, knobs, true)),
                true), violation);
    }

    private static List<String> world(RunRecord run) {
        return run.events().stream().filter(name -> !name.startsWith("deliver ")).toList();
    }

    private static @Nullable List<String> shrink(SimulatedMachine machine, Knobs knobs,
            List<String> events, boolean settles, Violation violation, int[] tries) {
        if (!fails(machine, knobs, new Schedule(events, settles), violation)) {
            return null;
        }
        var result = Shrinker.shrink(events,
                fewer -> fails(machine, knobs, new Schedule(fewer, settles), violation),
                TRIES_MAX);
        tries[0] += result.tries();
        return result.events();
    }

    private static boolean fails(SimulatedMachine machine, Knobs knobs, Schedule schedule,
            Violation violation) {
        return Simulation.scheduled(machine, knobs, schedule, false).violations().stream()
                .anyMatch(found -> isSame(found, violation));
    }

    /** Where no rule is named, what is wrong is told by where: else a leak would be shrunk to another defect. */
    private static boolean isSame(Violation found, Violation violation) {
        return found.rule() == violation.rule()
                && (found.rule() != null || found.where().equals(violation.where()));
    }

    private static boolean isSame(Violation found, @Nullable Rule rule) {
        return found.rule() == rule;
    }

    private static Story told(SimulatedMachine machine, Knobs knobs, @Nullable Schedule schedule,
            Violation violation) {
        var run = schedule == null
                ? Simulation.free(machine, knobs, true)
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
        var how = story.configuration().stream()
                .filter(setting -> setting.name().equals(SCHEDULE)).map(Setting::value).findFirst()
                .orElse(BY_SEED);
        var schedule = how.equals(BY_SEED)
                ? null
                : new Schedule(story.events().stream().map(StoryEvent::name)
                        .filter(name -> !name.startsWith(Simulation.NOTE)).toList(),
                        how.equals(SETTLED));
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
