package io.tintype.simulations.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.Benchmark;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each benchmark runs and finds something. Nothing here depends on how fast anything is. */
class BenchmarksTest {
    @TempDir
    private Path directory;

    static List<Benchmark> benchmarks() {
        return Benchmarks.all();
    }

    @Test
    void shouldHaveNamesForTheCommandLine() {
        var names = Benchmarks.all().stream().map(Benchmark::name).toList();

        assertEquals(names.size(), names.stream().collect(Collectors.toSet()).size());
        for (var name : names) {
            assertTrue(name.matches("[a-z0-9-]+"), name);
        }
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void shouldFindSomething(Benchmark benchmark) throws Exception {
        var result = benchmark.run(context(false));

        assertFalse(result.rows().isEmpty(), benchmark.name());
        for (var row : result.rows()) {
            assertTrue(Double.isFinite(row.value()), row.toString());
        }
    }

    @ParameterizedTest
    @MethodSource("benchmarks")
    void shouldReturnWhenCancelled(Benchmark benchmark) throws Exception {
        var result = benchmark.run(context(true));

        for (var row : result.rows()) {
            assertFalse(row.value() < 0, row.toString());
        }
    }

    private BenchContext context(boolean cancelled) {
        return new BenchContext(directory, 1, true, _ -> {}, () -> cancelled);
    }
}
