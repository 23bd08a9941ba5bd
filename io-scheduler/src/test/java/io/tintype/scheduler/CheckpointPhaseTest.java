package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.CheckpointPhase.Input;
import io.tintype.scheduler.CheckpointPhase.Output;
import io.tintype.scheduler.CheckpointPhase.Plan;
import io.tintype.scheduler.PendingSet.Conflict;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every order in which answers can come, with the deadline, a cancel and failures at every point: all states that the
 * coordinator and those who answer it can reach together, for two disks and two requests in flight.
 */
class CheckpointPhaseTest {
    private static final IoIds CUT = IoIds.of(1, 2);

    /** What is so, seen from outside. A question that has no answer yet is called "…?". */
    private record World(List<String> facts) {
        boolean is(String fact) {
            return facts.contains(fact);
        }

        boolean isAny(String... some) {
            return Arrays.stream(some).anyMatch(this::is);
        }

        World and(String fact) {
            if (is(fact)) {
                return this;
            }
            var more = new TreeSet<>(facts);
            more.add(fact);
            return new World(List.copyOf(more));
        }

        World not(String fact) {
            return new World(facts.stream().filter(each -> !each.equals(fact)).toList());
        }

        boolean areRequestsDone() {
            return is("request 1 settled") && is("request 2 settled");
        }

        /** Overlays that somebody made, or will, and nobody uses or has taken back. */
        boolean areOverlaysLeft() {
            boolean isOneLeft = false;
            for (int disk = 0; disk < 2; disk++) {
                isOneLeft |= is("overlay " + disk + "?") || (is("overlay " + disk) && !is("frozen")
                        && !is("overlay " + disk + " discarded"));
            }
            return isOneLeft;
        }
    }

    private record State(CheckpointPhase phase, World world) {}

    @ParameterizedTest
    @EnumSource(Conflict.class)
    void shouldKeepItsPromisesInWhateverOrderAnswersCome(Conflict conflict) {
        explore(conflict, false);
    }

    @ParameterizedTest
    @EnumSource(Conflict.class)
    void shouldKeepThemWithCopiesOfTheDisksToo(Conflict conflict) {
        explore(conflict, true);
    }

    private static void explore(Conflict conflict, boolean copies) {
        var plan = new Plan(new TreeSet<>(List.of(0, 1)), conflict, copies, Rules.ALL_ON);
        var start = new State(CheckpointPhase.idle(plan), new World(List.of()));
        var seen = new LinkedHashSet<State>(List.of(start));
        var queue = new ArrayDeque<State>(List.of(start));
        boolean isSealedSomewhere = false;

        while (!queue.isEmpty()) {
            var state = queue.remove();
            verify(state);
            isSealedSomewhere |= state.phase instanceof CheckpointPhase.Sealed;
            var following = new ArrayList<State>();
            for (var input : possible(state.world)) {
                var step = CheckpointPhase.step(state.phase, input);
                following.add(new State(step.next(),
                        told(heard(state.world, input), step.outputs())));
            }
            if (state.world.is("stun?")) {
                // The VM decides before anybody hears of it, and requests may settle in between.
                var decided = state.world.not("stun?");
                following.add(new State(state.phase, decided.and("frozen").and("running?")));
                following.add(new State(state.phase, conflict == Conflict.PUT_OFF
                        ? decided.and("conflict?")
                        : decided.and("frozen").and("held?")));
            }
            for (var next : following) {
                if (seen.add(next)) {
                    queue.add(next);
                }
            }
        }

        assertTrue(isSealedSomewhere);
        assertTrue(seen.size() > 100, "only " + seen.size() + " states");
    }

    private static List<Input> possible(World world) {
        var inputs = new ArrayList<Input>(List.of(new Input.Begin(), new Input.Deadline(),
                new Input.Cancel("nobody wants it"), new Input.ConflictOver()));
        for (int disk = 0; disk < 2; disk++) {
            if (world.is("overlay " + disk + "?")) {
                inputs.add(new Input.OverlayReady(disk));
                inputs.add(new Input.OverlayFailed(disk, "no space"));
            }
        }
        for (int ioId = 1; ioId <= 2; ioId++) {
            if (world.is("frozen") && !world.is("request " + ioId + " settled")) {
                inputs.add(new Input.IoSettled(ioId, IoStatus.ERROR));
            }
        }
        addIf(world.is("running?"), inputs, new Input.Resumed(1, CUT));
        addIf(world.is("held?"), inputs, new Input.ResumeHeld(CUT));
        addIf(world.is("conflict?"), inputs, new Input.Conflicted());
        addIf(world.is("free pages?"), inputs, new Input.PagesSaved());
        addIf(world.is("late pages?"), inputs, new Input.LatePagesSaved());
        addIf(world.isAny("free pages?", "late pages?"), inputs, new Input.SaveFailed("no space"));
        addIf(world.is("chain?"), inputs, new Input.ChainSynced());
        addIf(world.is("chain?"), inputs, new Input.SyncFailed("I/O error"));
        addIf(world.is("copies?"), inputs, new Input.DisksCopied());
        addIf(world.is("copies?"), inputs, new Input.CopyFailed("no space"));
        addIf(world.is("manifest?"), inputs, new Input.ManifestWritten());
        addIf(world.is("manifest?"), inputs, new Input.ManifestFailed("no space"));
        return inputs;
    }

    private static void addIf(boolean condition, List<Input> inputs, Input input) {
        if (condition) {
            inputs.add(input);
        }
    }

    /** What an answer says about those who gave it. */
    private static World heard(World world, Input input) {
        return switch (input) {
            case Input.OverlayReady(var disk) ->
                world.not("overlay " + disk + "?").and("overlay " + disk);
            case Input.OverlayFailed(var disk, _) -> world.not("overlay " + disk + "?");
            case Input.Conflicted _ -> world.not("conflict?");
            case Input.Resumed _ -> world.not("running?");
            case Input.ResumeHeld _ -> world.not("held?").and("stopped");
            case Input.IoSettled(var ioId, _) -> world.and("request " + ioId + " settled");
            case Input.PagesSaved _ -> world.not("free pages?");
            case Input.LatePagesSaved _ -> world.not("late pages?").and("saved");
            case Input.SaveFailed _ -> world.not("free pages?").not("late pages?");
            case Input.ChainSynced _ -> world.not("chain?").and("synced");
            case Input.SyncFailed _ -> world.not("chain?");
            case Input.DisksCopied _ -> world.not("copies?").and("copied");
            case Input.CopyFailed _ -> world.not("copies?");
            case Input.ManifestWritten _ -> world.not("manifest?").and("visible");
            case Input.ManifestFailed _ -> world.not("manifest?");
            case Input.Begin _,Input.Deadline _,Input.Cancel _,Input.ConflictOver _ -> world;
        };
    }

    private static World told(World world, List<Output> outputs) {
        for (var output : outputs) {
            require(mayBeTold(world, output), output + " in " + world);
            world = told(world, output);
        }
        return world;
    }

    private static boolean mayBeTold(World world, Output output) {
        return switch (output) {
            case Output.PrepareOverlays() -> !world.areOverlaysLeft();
            case Output.Stun _ -> world.is("overlay 0") && world.is("overlay 1")
                    && !world.isAny("frozen", "stun?", "overlay 0 discarded");
            case Output.Resume() -> world.is("stopped");
            case Output.SaveFree() -> world.is("frozen") && !world.is("released");
            case Output.SaveLate() -> world.areRequestsDone() && !world.is("released");
            case Output.StopSaving() -> world.isAny("free pages?", "late pages?");
            case Output.SyncChain() -> world.areRequestsDone();
            case Output.CopyDisks() -> world.areRequestsDone() && world.is("synced");
            case Output.StopCopying() -> world.is("copies?");
            case Output.WriteManifest() ->
                world.areRequestsDone() && world.is("saved") && world.is("synced")
                        && !world.is("copies?");
            case Output.ReportSealed _ -> world.is("visible") && !world.is("reported");
            case Output.ReportAborted _ -> !world.isAny("visible", "manifest?", "reported");
            case Output.DiscardOverlays(var disks) -> !world.isAny("frozen", "stun?")
                    && disks.stream().allMatch(disk -> world.is("overlay " + disk)
                            && !world.is("overlay " + disk + " discarded"));
            case Output.DiscardSaved() ->
                !world.isAny("visible", "free pages?", "late pages?", "copies?", "manifest?");
            case Output.ReleaseFrozen() -> world.is("frozen")
                    && !world.isAny("released", "free pages?", "late pages?", "running?", "held?");
        };
    }

    private static World told(World world, Output output) {
        return switch (output) {
            case Output.PrepareOverlays() -> world.and("overlay 0?").and("overlay 1?");
            case Output.Stun _ -> world.and("stun?");
            case Output.Resume() -> world.not("stopped").and("running?");
            case Output.SaveFree() -> world.and("free pages?");
            case Output.SaveLate() -> world.and("late pages?");
            case Output.SyncChain() -> world.and("chain?");
            case Output.CopyDisks() -> world.and("copies?");
            case Output.WriteManifest() -> world.and("manifest?");
            case Output.ReportSealed _,Output.ReportAborted _ -> world.and("reported");
            case Output.DiscardOverlays(var disks) -> {
                var without = world;
                for (int disk : disks) {
                    without = without.and("overlay " + disk + " discarded");
                }
                yield without;
            }
            case Output.ReleaseFrozen() -> world.and("released");
            case Output.StopSaving _,Output.StopCopying _,Output.DiscardSaved _ -> world;
        };
    }

    private static void verify(State state) {
        var world = state.world;
        boolean isTidy = !world.areOverlaysLeft() && world.is("frozen") == world.is("released")
                && !world.isAny("stun?", "running?", "held?", "conflict?", "stopped",
                        "free pages?", "late pages?", "copies?", "manifest?");
        assertEquals(world.is("reported") && isTidy, state.phase.isOver(), () -> "over? " + state);
        require(!world.areOverlaysLeft() || state.phase.ownsOverlays(), "disowned " + state);
        // Nobody is asked, nothing is in flight, and yet nothing is decided: then it would be so for ever.
        boolean isStuck = !world.is("reported") && isTidy && world.areRequestsDone()
                && !world.is("chain?") && !(state.phase instanceof CheckpointPhase.Idle);
        require(!isStuck, "stuck in " + state);
    }

    private static void require(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
