package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.run.ConflictPolicy;
import io.tintype.simulations.run.DiskPolicy;
import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.ReissuePolicy;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RunCommandTest {
    private static final long MEMORY_AVAILABLE = 20L << 30;

    private static final Machine MACHINE = () -> MEMORY_AVAILABLE;

    @TempDir
    private Path folder;
    @TempDir
    private Path temporary;

    private final FakeRunner runner = new FakeRunner();
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    /** Names in {@code words} that begin with {@code @} are files in the test's own folder, and {@code ''} is an empty word. */
    private int tintype(String words) {
        var arguments = new ArrayList<String>();
        for (var word : words.split(" ")) {
            arguments.add(word.startsWith("@")
                    ? folder.resolve(word.substring(1)).toString()
                    : word.equals("''") ? "" : word);
        }
        return Commands
                .on(new FakeRunner.Root(), runner, List.of(),
                        new Surroundings(MACHINE, Terminal.none(), temporary))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.toArray(String[]::new));
    }

    private RunOptions optionsOf(String words) {
        assertEquals(0, tintype("run --no-report --store @store " + words), err::toString);
        return runner.asked.getLast();
    }

    @Test
    void shouldNeedNoOptionAtAll() {
        assertEquals(0, tintype("run --report @report.html"), err::toString);

        var options = runner.asked.getFirst();
        assertEquals(64, options.vms());
        assertEquals(64L << 20, options.memoryBytes());
        assertEquals(1, options.disks());
        assertEquals(256L << 20, options.diskSizeBytes());
        assertEquals(16, options.ioDepth());
        assertEquals(20_000, options.dirtyPerSecond());
        assertEquals(GuestKind.SYNTHETIC, options.guest());
        assertNull(options.trace());
        assertEquals(Duration.ofSeconds(1), options.checkpointEvery());
        assertEquals(Duration.ofSeconds(20), options.runFor());
        assertEquals(ReissuePolicy.LANDED, options.reissue());
        assertEquals(ConflictPolicy.PUT_OFF, options.conflict());
        assertEquals(2, options.keep());
        assertTrue(options.storeIsTemporary());
        assertFalse(Files.exists(options.store()), "a temporary store is removed");
    }

    @Test
    void shouldRefuseAStoreThatCannotBeUsedBeforeAnythingIsSaidOfTheRun() throws IOException {
        try (var held = CheckpointStore.open(folder.resolve("held"))) {
            assertEquals(2, tintype("run --no-report --store @held"), held.directory().toString());
        }
        assertTrue(err.toString().contains("is in use by another process"), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        Files.write(Files.createDirectory(folder.resolve("other")).resolve("x"), new byte[1]);

        assertEquals(2, tintype("run --no-report --store @other"));

        assertTrue(err.toString().contains("is not a Tintype store (it has a \"x\" in it"),
                err.toString());
        assertEquals(2, err.toString().lines().count(), err.toString());
        assertEquals(0, tintype("run --no-report --store @held"), err::toString);
    }

    @Test
    void shouldSayInOneLineThatTheDatabaseOfACatalogueIsAway() {
        assertEquals(2, tintype(
                "run --no-report --store @new --catalogue jdbc:postgresql://127.0.0.1:1/x?user=y"));

        assertTrue(err.toString().startsWith("tintype: cannot use the database "), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertFalse(Files.exists(folder.resolve("new")));
    }

    @Test
    void shouldUnderstandEveryOption() throws IOException {
        Files.write(folder.resolve("disk.vscsi"), new byte[64]);

        var options = optionsOf(
                "--vms 16 --memory 4MiB --disks 1 --disk-size 32GiB --iodepth 256 --dirty-rate unlimited "
                        + "--guest trace --trace @disk.vscsi --speed 120x --checkpoint-every 500ms --for 2m --reissue disk "
                        + "--conflict delay-resume --keep 9 --seed 0x2a --quiet");

        assertEquals(
                new RunOptions(16, 4L << 20, 1, 32L << 30, 256, RunOptions.UNLIMITED,
                        GuestKind.TRACE,
                        folder.resolve("disk.vscsi"), 120, Duration.ofMillis(500),
                        Duration.ofMinutes(2),
                        ReissuePolicy.DISK, ConflictPolicy.DELAY_RESUME, folder.resolve("store"),
                        false, 9, 42, DiskPolicy.POINTER, new JournalPlace.Embedded()),
                options);
    }

    @ParameterizedTest
    @CsvSource({"'', 1000", "--for 3s, 1000", "--for 2s, 1000", "--for 1s, 250", "--for 500ms, 125",
        "--for 2ms, 1", "--for 500ms --checkpoint-every 500ms, 500"})
    void shouldCheckpointShortRunsSoonerUnlessToldHowOften(String arguments, long everyMs) {
        assertEquals(Duration.ofMillis(everyMs), optionsOf(arguments).checkpointEvery());
    }

    @Test
    void shouldReplayAllOfATraceOnADiskLargeEnoughForARealOne() throws IOException {
        Files.write(folder.resolve("disk.vscsi"), new byte[64]);

        var options = optionsOf("--guest trace --trace @disk.vscsi");

        assertNull(options.runFor());
        assertEquals(32L << 30, options.diskSizeBytes());
        assertEquals(60, options.speed());
    }

    @Test
    void shouldDrawANewSeedForEachRunAndShowIt() {
        var one = optionsOf("").seed();
        var other = optionsOf("").seed();

        assertNotEquals(one, other);
        assertTrue(err.toString().contains("seed " + one), err.toString());
        assertTrue(out.toString().contains("--seed " + other), out.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --memory 4096k      | 4194304
            --memory 4M         | 4194304
            --memory 1.5MiB     | 1572864
            --memory 2097152    | 2097152
            --memory 64mib      | 67108864
            """)
    void shouldReadSizes(String words, long bytes) {
        assertEquals(bytes, optionsOf(words).memoryBytes());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --dirty-rate 500      | 500
            --dirty-rate 0/s      | 0
            --dirty-rate 20k/s    | 20000
            --dirty-rate 1.5M/s   | 1500000
            --dirty-rate 20000/s  | 20000
            """)
    void shouldReadRates(String words, long perSecond) {
        assertEquals(perSecond, optionsOf(words).dirtyPerSecond());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --for 2500ms  | 2500
            --for 1.5s    | 1500
            --for 2m      | 120000
            --for 1h      | 3600000
            """)
    void shouldReadTimes(String words, long ms) {
        assertEquals(Duration.ofMillis(ms), optionsOf(words).runFor());
    }

    /** Each line: what is asked for, and what the one line about it must contain. */
    @ParameterizedTest
    @CsvSource(delimiter = '|',
            textBlock = """
                    run --checkpoint-evry 1s            | unknown option --checkpoint-evry; did you mean --checkpoint-every?; try './tintype run --help'
                    run -x                              | unknown option -x; try './tintype run --help'
                    run something                       | unexpected something; try './tintype run --help'
                    rum                                 | unknown command rum
                    run --vms                           | --vms needs a value: N
                    run --vms 3 --vms 4                 | --vms is given twice
                    run --vms many                      | --vms many: not a whole number; write digits only
                    run --vms ''                        | --vms '': not a whole number; write digits only
                    run --for 0s                        | --for 0 s: out of range; choose 1 ms to 30 days (720h)
                    run --conflict put-off              | --conflict put-off: there are no conflicts unless reissues ask the disk again; add --reissue disk
                    run --vms 0                         | --vms 0: out of range; choose 1 to 100000
                    run --vms 100001                    | --vms 100001: out of range; choose 1 to 100000
                    run --vms 99999999999               | --vms 99999999999: not a whole number
                    run --vms -1                        | --vms -1: out of range
                    run --memory lots                   | --memory lots: not a size; write a size like 64MiB, 4GiB or 512k
                    run --memory -4MiB                  | --memory -4MiB: not a size
                    run --memory 64MB                   | --memory 64MB: units of 1,000 are not used for memory and disks; write 64MiB
                    run --memory 64QiB                  | --memory 64QiB: not a size
                    run --memory 99999999999TiB         | --memory 99999999999TiB: far too large
                    run --memory 0.3                    | --memory 0.3: not a whole number of bytes
                    run --memory 512KiB                 | --memory 512KiB: out of range; choose 1MiB to 1TiB
                    run --memory 2TiB                   | --memory 2TiB: out of range; choose 1MiB to 1TiB
                    run --memory 1050000                | --memory 1050000: not a multiple of 4KiB; the next one is 1028KiB
                    run --memory 1GiB                   | --vms 64 with --memory 1GiB: they need 64 GiB in all, but of this machine's memory 20 GiB are free, of which guests may have nine tenths; what fits is --vms 18 or --memory 288MiB
                    run --memory 1TiB --vms 1           | they need 1 TiB in all, but of this machine's memory 20 GiB are free, of which guests may have nine tenths; what fits is --memory 18432MiB
                    run --disks 17                      | --disks 17: out of range; choose 0 to 16
                    run --disks -1                      | --disks -1: out of range
                    run --disk-size 100000              | --disk-size 100000: not a multiple of 64KiB; the next one is 128KiB
                    run --disk-size 4KiB                | --disk-size 4KiB: out of range; choose 64KiB to 64TiB
                    run --disk-size 65TiB               | --disk-size 65TiB: out of range; choose 64KiB to 64TiB
                    run --iodepth 0                     | --iodepth 0: out of range; choose 1 to 1024
                    run --iodepth 2000                  | --iodepth 2000: out of range; choose 1 to 1024
                    run --dirty-rate fast               | --dirty-rate fast: not a rate; write a rate like 20000/s or 20k/s, or unlimited
                    run --dirty-rate 2000000k/s         | --dirty-rate 2,000,000,000/s: too high
                    run --guest mainframe               | --guest mainframe: there is no such choice; write synthetic or trace
                    run --guest trace                   | --guest trace: it needs a trace; name one with --trace FILE
                    run --trace @good.vscsi             | only --guest trace replays one; add --guest trace
                    run --speed 60x                     | --speed 60x: only a trace has a speed
                    run --guest trace --trace @good.vscsi --speed warp   | --speed warp: not a speed; write a factor like 60x or 0.5x
                    run --guest trace --trace @good.vscsi --speed 0x     | --speed 0x: out of range
                    run --guest trace --trace @good.vscsi --disks 2      | --disks 2: a trace is replayed on one disk
                    run --guest trace --trace @none.vscsi      | none.vscsi: there is no such file; name a trace in vscsi format
                    run --guest trace --trace @                | not a file; name a trace in vscsi format
                    run --guest trace --trace @empty.vscsi     | empty.vscsi: empty; copy it again
                    run --guest trace --trace @short.vscsi     | short.vscsi: truncated: its 33 bytes are no whole number of records of 32
                    run --checkpoint-every 1            | --checkpoint-every 1: the unit is missing; write 1s for seconds, or ms, m, h
                    run --checkpoint-every 0s           | out of range; choose 1 ms to 30 days
                    run --checkpoint-every soon         | --checkpoint-every soon: not a time; write a time like 500ms, 1s or 2m
                    run --for 500ms --checkpoint-every 1s | --checkpoint-every 1 s: longer than --for 500 ms, so that no checkpoint would be taken; run longer or checkpoint sooner
                    run --checkpoint-every 30s          | --checkpoint-every 30 s: longer than --for 20 s, so that no checkpoint would be taken; run longer or checkpoint sooner
                    run --for 31d                       | --for 31d: not a time
                    run --for 721h                      | --for 721 h: out of range
                    run --reissue sometimes             | --reissue sometimes: there is no such choice; write landed or disk
                    run --catalogue mysql://x           | --catalogue mysql://x: not a place for a catalogue; write embedded or jdbc:postgresql://HOST/DATABASE?user=NAME&password=…
                    run --catalogue jdbc:postgresql:x   | --catalogue jdbc:postgresql:x: a temporary store would leave its journal there; name a store with --store DIR
                    run --conflict ignore               | --conflict ignore: there is no such choice; write put-off or delay-resume
                    run --store @file                   | file: a file; name a directory
                    run --store @none/store             | there is no directory
                    run --store @file/store             | there is no directory
                    run --keep 0                        | --keep 0: out of range
                    run --seed luck                     | --seed luck: not a whole number of 64 bits
                    run --json @none/run.json           | there is no directory
                    run --json @                        | a directory; name a file in it
                    run --report @none/report.html      | there is no directory
                    run --report @                      | a directory; name a file in it
                    run --report @one --json @one       | the report goes there; choose another file
                    run --report @one --no-report       | --no-report says the opposite
                    run --store @one --report @one      | the store goes there; choose another file
                    run --store @one --json @one        | the store goes there; choose another file
                    bench nothing                       | bench nothing: there is no such benchmark; choose from
                    """)
    void shouldSayInOneLineWhatIsWrongAndCreateNothing(String words, String expected)
            throws IOException {
        Files.write(folder.resolve("good.vscsi"), new byte[64]);
        Files.write(folder.resolve("empty.vscsi"), new byte[0]);
        Files.write(folder.resolve("short.vscsi"), new byte[33]);
        Files.write(folder.resolve("file"), new byte[1]);
        var before = files(folder);

        var status = tintype(words);

        assertEquals(2, status, err::toString);
        assertOneLine(expected);
        assertTrue(runner.asked.isEmpty(), "nothing was run");
        assertEquals(before, files(folder));
        assertEquals(Set.of(), files(temporary));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldShowWhatTheRunnerRefusesInOneLineAndLeaveNothingBehind(boolean isCheck)
            throws IOException {
        var refusal = new UserErrorException(
                "trace disk.vscsi: record 7 has version 0x0200; only 0x0100 can be read");
        runner.refusal = isCheck ? refusal : null;
        runner.failure = refusal;

        assertEquals(2, tintype("run --quiet --report @report.html"));

        assertOneLine("record 7 has version 0x0200; only 0x0100 can be read");
        assertEquals(Set.of(), files(temporary));
        assertEquals(Set.of(), files(folder));
    }

    private static final class StoreException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StoreException(String message) {
            super(message);
        }
    }

    @Test
    void shouldShowTheExceptionsOfOtherModulesInOneLineHoweverTheyAreWrapped() {
        runner.failure = new UncheckedIOException(new IOException("never shown",
                new StoreException("unused")));
        assertEquals(1, tintype("run --no-report"),
                "an IOException of unknown meaning is a mistake of ours");
        err.getBuffer().setLength(0);

        runner.failure = new java.util.concurrent.CompletionException(
                new StoreException(
                        "store /x: in use by process 4711;\n  choose another directory"));
        assertEquals(2, tintype("run --quiet --no-report"));
        assertOneLine("tintype: store /x: in use by process 4711; choose another directory");
        err.getBuffer().setLength(0);

        runner.failure = new UncheckedIOException(
                new FileSystemException("/x/y", null, "No space left on device"));
        assertEquals(2, tintype("run --quiet --no-report"));
        assertOneLine("tintype: /x/y: No space left on device");
    }

    @Test
    void shouldShowWhereItFailedOnlyWhenTheMistakeIsItsOwn() {
        runner.failure = new IllegalStateException("a drained VM is saving");

        assertEquals(1, tintype("run --no-report"));

        assertTrue(err.toString().contains("a drained VM is saving"), err.toString());
        assertTrue(err.toString().contains("\tat "), err.toString());
    }

    @Test
    void shouldWriteReportAndJsonAndSayWhere() throws IOException {
        assertEquals(0,
                tintype("run --report @report.html --json @run.json --store @store --keep 3"),
                err::toString);

        assertTrue(Files.readString(folder.resolve("report.html")).startsWith("<!DOCTYPE html>"));
        assertEquals(64, new ObjectMapper().readTree(folder.resolve("run.json").toFile()).get("vms")
                .asInt());
        for (var name : List.of("report.html", "run.json", "store")) {
            assertTrue(out.toString().contains(folder.resolve(name).toString()), out.toString());
        }
    }

    @Test
    void shouldFailWhenSomethingWasViolatedAndKeepTheTemporaryStore() throws IOException {
        runner.isViolated = true;

        assertEquals(1, tintype("run --no-report"));

        var store = runner.asked.getFirst().store();
        assertTrue(Files.isDirectory(store));
        assertTrue(out.toString().contains(store + " (kept to be looked at)"), out.toString());
    }

    @Test
    void shouldShowTheResultsEvenIfTheReportCannotBeWritten() throws IOException {
        runner.isViolated = false;
        Files.createDirectory(folder.resolve("gone"));
        runner.refusal = null;
        var commandLine = Commands.on(new FakeRunner.Root(), (options, progress) -> {
            Folders.delete(folder.resolve("gone"));
            return runner.run(options, progress);
        }, List.of(), new Surroundings(MACHINE, Terminal.none(), temporary))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true));

        var status = commandLine.execute("run", "--quiet", "--report",
                folder.resolve("gone/report.html").toString());

        assertEquals(1, status);
        assertTrue(out.toString().contains("report.html could not be written: "), out.toString());
        assertTrue(out.toString().contains("stun "), out.toString());
    }

    @Test
    void shouldSayNothingButTheResultWhenQuiet() {
        assertEquals(0, tintype("run --quiet --no-report"));

        assertEquals("", err.toString());
        assertTrue(out.toString().startsWith(
                "64 VMs ran 20.0 s: every sealed checkpoint was verified"), out.toString());
    }

    @Test
    void shouldTellItsPlanFirst() {
        assertEquals(0, tintype("run --no-report --store @store --vms 3 --seed 7 --reissue disk"));

        assertEquals(
                """
                        tintype: 3 VMs with 64 MiB of memory and a disk of 256 MiB each
                                 load: synthetic, 16 requests in flight, 20,000 stores/s, seed 7
                                 a checkpoint of each VM every 1 s, for 20 s; reissue disk, on conflict put-off
                                 store %s, keeping 2 of each VM
                        """
                        .formatted(folder.resolve("store")),
                err.toString());
    }

    @Test
    void shouldExplainEveryOptionAndTheExitStatus() {
        assertEquals(0, tintype("run --help"));

        var help = out.toString();
        for (var option : List.of("--vms", "--memory", "--disks", "--disk-size", "--iodepth",
                "--dirty-rate", "--guest",
                "--trace", "--speed", "--checkpoint-every", "--for", "--reissue", "--conflict",
                "--store", "--keep", "--seed",
                "--json", "--report", "--quiet")) {
            assertTrue(help.contains(option), option);
        }
        assertTrue(help.contains("Exit status:"));
        assertTrue(help.contains("./tintype run --guest trace"));
        assertFalse(help.contains("--version"), "only the program has one");
        assertTrue(help.lines().allMatch(line -> line.length() <= 80), help);
    }

    private void assertOneLine(String expected) {
        var said = err.toString();
        assertEquals(1, said.lines().count(), said);
        assertTrue(said.startsWith("tintype: "), said);
        assertTrue(said.contains(expected), said);
        assertEquals("", out.toString());
    }

    private static Set<String> files(Path root) throws IOException {
        try (var files = Files.walk(root)) {
            var names = new TreeSet<String>();
            files.filter(file -> !file.equals(root))
                    .forEach(file -> names.add(root.relativize(file).toString()));
            return names;
        }
    }
}
