package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
    private interface Measurement {
        BenchResult run(BenchContext context) throws Exception;
    }

    private final List<Path> directories = new ArrayList<>();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private static Benchmark benchmark(String name, String title, Measurement measurement) {
        return new Benchmark() {
            @Override
            public String name() {
                return name;
            }

            @Override
            public String title() {
                return title;
            }

            @Override
            public BenchResult run(BenchContext context) throws Exception {
                return measurement.run(context);
            }
        };
    }

    private final Benchmark good = benchmark("stun", "how long a guest stands still", context -> {
        directories.add(context.directory());
        Files.writeString(context.directory().resolve("left"), "behind");
        context.note("64 busy VMs");
        return new BenchResult(List.of(
                Row.atMost("stun p50, 64 busy VMs", 100, 21.37, "µs"),
                Row.atMost("stun p99, 64 busy VMs", 1_000, 87, "µs"),
                Row.shown("largest page table", 1_234_567, "B")));
    });
    private final Benchmark missed =
            benchmark("io", "requests through the actors", _ -> new BenchResult(
                    List.of(Row.atLeast("4 KiB, depth 32", 250_000, 187_345.6, "/s"))));
    private final Benchmark broken = benchmark("fault", "a memory fault", _ -> {
        throw new IllegalStateException("no frame is left");
    });

    private int bench(List<Benchmark> benchmarks, String... arguments) {
        var words = new ArrayList<>(List.of(arguments));
        words.addFirst("bench");
        return Commands.on(new FakeRunner.Root(), new FakeRunner(), benchmarks)
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(words.toArray(String[]::new));
    }

    @Test
    void shouldPrintWhatWasReachedAndWhatWasNot() {
        assertEquals(1, bench(List.of(good, missed)));

        assertEquals("""
                benchmark  what                        target     measured
                stun       stun p50, 64 busy VMs     ≤ 100 µs      21.4 µs  ok
                           stun p99, 64 busy VMs   ≤ 1,000 µs        87 µs  ok
                           largest page table               –  1,234,567 B
                io         4 KiB, depth 32        ≥ 250,000/s    187,346/s  short
                """, out.toString());
    }

    @Test
    void shouldSucceedWhenAllAskedForReachTheirTargets() {
        assertEquals(0, bench(List.of(good, missed), "stun"));

        assertFalse(out.toString().contains("depth 32"));
        assertTrue(err.toString().contains("  64 busy VMs"), "notes go to the user meanwhile");
    }

    @Test
    void shouldGiveEachADirectoryOfItsOwnAndRemoveIt() {
        assertEquals(0, bench(List.of(good, good)));

        assertEquals(2, directories.stream().distinct().count());
        assertTrue(directories.stream().noneMatch(Files::exists));
    }

    @Test
    void shouldGoOnAfterOneThatFails() {
        assertEquals(1, bench(List.of(broken, good)));

        assertTrue(
                out.toString()
                        .contains("failed: java.lang.IllegalStateException: no frame is left"),
                out.toString());
        assertTrue(out.toString().contains("stun p50"), out.toString());
    }

    @Test
    void shouldListWithoutMeasuring() {
        assertEquals(0, bench(List.of(good, broken), "--list"));

        assertEquals("stun   how long a guest stands still\nfault  a memory fault\n",
                out.toString());
        assertTrue(directories.isEmpty());
    }

    @Test
    void shouldNameThoseThereAreWhenAskedForAnother() {
        assertEquals(2, bench(List.of(good, missed), "stunn"));

        assertEquals("tintype: bench stunn: there is no such benchmark; choose from stun, io\n",
                err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void shouldPrintMarkdownForTheDocs() {
        assertEquals(1, bench(List.of(missed, broken), "--markdown"));

        assertEquals(
                """
                        | benchmark | what | target | measured | |
                        |---|---|--:|--:|---|
                        | io | 4 KiB, depth 32 | ≥ 250,000/s | 187,346/s | short |
                        | fault | a memory fault |  |  | failed: java.lang.IllegalStateException: no frame is left |
                        """,
                out.toString());
    }

    @Test
    void shouldPrintJsonForPrograms() throws Exception {
        assertEquals(1, bench(List.of(good, missed), "--json"));

        var all = new ObjectMapper().readTree(out.toString());
        assertEquals(2, all.size());
        assertTrue(all.get(0).get("reached").asBoolean());
        assertEquals(21.37, all.get(0).get("rows").get(0).get("value").asDouble());
        assertFalse(all.get(1).get("rows").get(0).get("reached").asBoolean());
    }
}
