package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.DiskOrder.Input;
import io.tintype.scheduler.DiskOrder.PartState;
import io.tintype.scheduler.DiskOrder.Stage;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * {@link DiskOrder} and docs/spec/Pending.tla are the same machine: from the same program, all that can happen leads to as many
 * distinct states in either. A transition that one has and the other lacks would mostly lead to a state of its own.
 */
class PendingSpecTest {
    private static final int GROUP_SECTORS = 8;

    /** The model's {@code TheProgram}. */
    private static final List<Request> PROGRAM = List.of(
            new Request(IoKind.WRITE, 0, 4, false),
            new Request(IoKind.READ, 2, 4, false),
            new Request(IoKind.WRITE, 2, 4, true),
            new Request(IoKind.WRITE, 4, 2, false),
            new Request(IoKind.FLUSH, 0, 0, false),
            new Request(IoKind.DISCARD, 0, 8, false),
            new Request(IoKind.WRITE, 6, 2, true));

    @TempDir
    Path folder;

    record Request(IoKind kind, int firstSector, int sectorCount, boolean fua) {}

    /**
     * @param submitted how much of the program the guest has issued
     * @param holds whether layer 1 has the group
     */
    record State(DiskOrder order, int submitted, boolean holds) {}

    @ParameterizedTest
    @CsvSource({"false, true, 4205", "false, false, 4465", "true, true, 583"})
    void shouldReachAsManyStatesAsTheModel(boolean ordered, boolean r8, int expected)
            throws Exception {
        var states = search(DiskOrder.of(0, GROUP_SECTORS, ordered,
                r8 ? Rules.ALL_ON : Rules.without(Rule.R8)));

        var answer = Tlc.check("Pending", Map.of("Ordered", constant(ordered), "R8", constant(r8)),
                List.of(), "1", folder);

        assertTrue(answer.isComplete(), answer.output());
        assertEquals(answer.distinct(), states, answer.output());
        // The figure itself is no promise; it shows that both are still about something.
        assertEquals(expected, states);
    }

    private static String constant(boolean value) {
        return String.valueOf(value).toUpperCase(Locale.ROOT);
    }

    /** How many distinct states there are, breadth first. */
    private static int search(DiskOrder start) {
        var seen = new HashSet<State>();
        var ahead = new ArrayDeque<State>();
        var first = new State(start, 0, false);
        seen.add(first);
        ahead.add(first);
        while (!ahead.isEmpty()) {
            var state = ahead.remove();
            for (var next : successors(state)) {
                if (seen.add(next)) {
                    ahead.add(next);
                }
            }
        }
        return seen.size();
    }

    private static List<State> successors(State state) {
        var found = new ArrayList<State>();
        var order = state.order();
        if (state.submitted() < PROGRAM.size()) {
            int id = state.submitted() + 1;
            var request = PROGRAM.get(id - 1);
            found.add(new State(step(state, new Input.Submit(id, request.kind(), order.top(),
                    request.firstSector(), request.sectorCount(), request.fua())), id,
                    state.holds()));
        }
        if (order.top() == 0) {
            found.add(after(state, new Input.Switched(1), state.holds()));
        } else {
            found.add(after(state, new Input.Needed(Collections.emptySortedSet()), state.holds()));
        }
        for (var part : order.parts) {
            for (var status : List.of(IoStatus.OK, IoStatus.ERROR)) {
                var done = new Input.PartDone(part.ioId(), part.group(), status);
                if (part.state() == PartState.WRITING) {
                    found.add(after(state, done, state.holds()));
                } else if (part.state() == PartState.FAULTING) {
                    found.add(after(state, done, true));
                    if (status == IoStatus.ERROR) {
                        found.add(after(state, done, state.holds()));
                    }
                }
            }
        }
        for (var io : order.ios) {
            if (io.stage() == Stage.SYNCING
                    || (io.stage() == Stage.RUNNING && !io.kind().writes())) {
                found.add(after(state, new Input.Done(io.ioId(), IoStatus.OK), state.holds()));
                found.add(after(state, new Input.Done(io.ioId(), IoStatus.ERROR), state.holds()));
            }
        }
        return found;
    }

    private static State after(State state, Input input, boolean holds) {
        var moved = new State(state.order(), state.submitted(), holds);
        return new State(step(moved, input), state.submitted(), holds);
    }

    private static DiskOrder step(State state, Input input) {
        return state.order().step(input, (layer, _) -> layer == 0 || (layer == 1 && state.holds()))
                .next();
    }
}
