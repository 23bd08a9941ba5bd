package io.tintype.simulations.checkpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class UnitSetTest {
    private static List<List<Long>> runs(LongStream units) {
        var set = new UnitSet();
        units.forEach(set::add);
        var runs = new ArrayList<List<Long>>();
        set.forEachRun((first, last) -> runs.add(List.of(first, last)));
        assertEquals(set.count(),
                runs.stream().mapToLong(run -> run.get(1) - run.get(0) + 1).sum());
        return runs;
    }

    @Test
    void shouldTellRunsAcrossPieces() {
        long piece = 1L << 20;

        assertEquals(List.of(), runs(LongStream.empty()));
        assertEquals(List.of(List.of(0L, 0L)), runs(LongStream.of(0, 0)));
        assertEquals(List.of(List.of(3L, 4L), List.of(6L, 6L)), runs(LongStream.of(6, 4, 3)));
        assertEquals(List.of(List.of(piece - 2, 3 * piece)),
                runs(LongStream.rangeClosed(piece - 2, 3 * piece)));
        assertEquals(List.of(List.of(piece - 1, piece - 1), List.of(piece + 1, piece + 1)),
                runs(LongStream.of(piece - 1, piece + 1)));
        assertEquals(List.of(List.of(piece - 1, piece - 1), List.of(5 * piece, 5 * piece)),
                runs(LongStream.of(piece - 1, 5 * piece)));
        assertEquals(List.of(List.of((1L << 34) - 1, (1L << 34) - 1)),
                runs(LongStream.of((1L << 34) - 1)));
    }
}
