package io.tintype.simulations.explore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.ExploreConfig.Policy;
import io.tintype.simulations.explore.ExploreReplay.Outcome;
import io.tintype.simulations.explore.Explorer.Result;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryEvent;
import io.tintype.simulations.story.TraceFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** All schedules of small programs: none violates a rule, each broken rule is found, and the search counts what is there. */
class ExplorerTest {
    private static final long STATES_MAX = 5_000_000;

    @TempDir
    private Path directory;

    private static Result search(ExploreConfig config) {
        return Explorer.run(config, STATES_MAX, _ -> {}, () -> false);
    }

    private static Result exhausted(ExploreConfig config) {
        var result = search(config);
        var story = result.story();
        assertNull(story, () -> story + "");
        assertTrue(result.isExhausted());
        return result;
    }

    /** A change of these numbers is a change of what the cores, or the machine around them, can do. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 1, 1, 0, 4848",
        "2, 1, 0, 0, 0, 46268",
        "1, 2, 0, 1, 1, 101273",
    })
    void shouldFindTheSameStatesAsEver(int requests, int checkpoints, int faults, int resets,
            int commits, long states) {
        var result = exhausted(ExploreConfig.of(requests, checkpoints)
                .withBudgets(faults, resets, commits));

        assertEquals(states, result.standing().distinct());
    }

    @Test
    void shouldCountByFingerprintsWhatThereIsByWholeStates() {
        var config = ExploreConfig.of(2, 1);
        var fast = exhausted(config.withBudgets(0, 1, 1));
        try (var visited = new Visited.Whole()) {
            var sure = new Search(config.withBudgets(0, 1, 1), STATES_MAX, _ -> {}, () -> false)
                    .run(visited);

            assertEquals(sure.standing().distinct(), fast.standing().distinct());
            assertEquals(sure.standing().generated(), fast.standing().generated());
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("simulation")
    void shouldViolateNoRuleUnderAnyPolicy(Policy policy) {
        exhausted(ExploreConfig.of(2, 1).with(List.of(policy)));
    }

    @Test
    @Tag("simulation")
    void shouldViolateNoRuleOnOrderedDevices() {
        exhausted(ExploreConfig.of(2, 1).withBudgets(0, 1, 0).withOrdered(true));
    }

    @Test
    @Tag("simulation")
    void shouldViolateNoRuleWithTwoCheckpoints() {
        exhausted(ExploreConfig.of(2, 2).withBudgets(0, 0, 0));
    }

    @Test
    @Tag("simulation")
    void shouldViolateNoRuleOnTwoDisksOrTwoVms() {
        exhausted(ExploreConfig.of(2, 1).withSizes(1, 2, 1).withBudgets(0, 0, 0)
                .withKinds(Kind.READ, Kind.WRITE));
        exhausted(ExploreConfig.of(2, 1).withSizes(2, 1, 1).withBudgets(0, 0, 0)
                .withKinds(Kind.READ, Kind.WRITE));
    }

    @ParameterizedTest
    @EnumSource
    void shouldFindEachBrokenRuleAndReplayItsStory(Rule rule) throws Exception {
        var config = ExploreConfig.of(2, 2).withBudgets(0, 1, 1).with(Rules.without(rule));
        if (rule == Rule.R9) {
            config = config.with(List.of(Policy.values()));
        }
        var story = search(config).story();

        assertNotNull(story, rule + " off went unnoticed");
        var file = directory.resolve("story.json");
        TraceFile.write(file, story);
        var again = ExploreReplay.replay(TraceFile.read(file));
        assertEquals(Outcome.REPRODUCED, again.outcome(), again.words());
    }

    @Test
    void shouldFindInDiscardsWhatItFindsInZeroes() {
        var config = ExploreConfig.of(2, 1).withBudgets(0, 0, 0);
        var zeroes = exhausted(config.withKinds(Kind.READ, Kind.ZEROES)).standing();
        var discards = exhausted(config.withKinds(Kind.READ, Kind.DISCARD)).standing();

        assertEquals(zeroes.distinct(), discards.distinct());
        assertEquals(zeroes.generated(), discards.generated());
    }

    @Test
    void shouldViolateNoRuleWithWritesThatAreDurableWhenTheyComplete() {
        exhausted(ExploreConfig.of(2, 1).withBudgets(0, 1, 0).withKinds(Kind.WRITE, Kind.FUA));
    }

    /** A write that a reset had detached, and the rollback after it, once made a checkpoint wait for ever. */
    @Test
    void shouldViolateNoRuleWhenTheVmIsRolledBack() {
        var rolled = exhausted(ExploreConfig.of(1, 2).withBudgets(1, 1, 0).withRollbacks(1));
        var without = exhausted(ExploreConfig.of(1, 2).withBudgets(1, 1, 0));

        assertTrue(rolled.standing().distinct() > without.standing().distinct());
    }

    @Test
    void shouldTearABlockThatLiesInTwoPagesOnlyWithoutTheRuleAgainstIt() {
        var config = ExploreConfig.of(2, 1).withBudgets(0, 0, 0)
                .with(List.of(Policy.DISK_PUT_OFF)).with(Program.parse("r0/01,w0"));
        exhausted(config);

        var story = search(config.with(Rules.without(Rule.R9))).story();

        assertNotNull(story);
        assertTrue(story.finding().contains("is torn: its halves"), story.finding());
    }

    /** What a program does is among what all programs of its size do. */
    @Test
    void shouldFindInAllProgramsWhatItFindsInOne() {
        var all = ExploreConfig.of(2, 1).withBudgets(0, 0, 0);
        long of = exhausted(all.with(Program.parse("r01,w0"))).standing().distinct();

        assertTrue(of < exhausted(all).standing().distinct());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "r", "x0", "r0,", "w2", "f0", "w0/1", "r0/2", "w0@2", "r0/1@1", "r0@"})
    void shouldRefuseWhatIsNoProgram(String words) {
        assertThrows(IllegalArgumentException.class, () -> Program.parse(words));
    }

    @Test
    void shouldWriteAProgramAsItWasRead() {
        var words = "r01,w0@1,f,u1,d01,z0,r0/01,r1@1/1";

        assertEquals(words, Program.parse(words).words());
        for (var program : Program.BUILT_IN) {
            assertEquals(4, program.requests().size(), program.name());
            assertEquals(program, Program.named(program.name()));
        }
    }

    @Test
    void shouldSayWhenAStoryNoLongerFits() {
        var story = broken();
        var events = story.events();
        var without = new Story(story.tool(), story.rule(), story.finding(), 0,
                story.configuration(), story.lanes(), events.subList(1, events.size()));

        var result = ExploreReplay.replay(without);

        assertEquals(Outcome.NO_LONGER_FITS, result.outcome());
    }

    @Test
    void shouldSayWhenAStoryDoesNotFailAnyMore() {
        var story = broken();
        var events = story.events().stream()
                .filter(event -> event.kind() != StoryEvent.Kind.VIOLATION).toList();
        var shorter = new Story(story.tool(), story.rule(), story.finding(), 0,
                story.configuration(), story.lanes(), events.subList(0, events.size() - 1));

        assertEquals(Outcome.DID_NOT_FAIL, ExploreReplay.replay(shorter).outcome());
    }

    private static Story broken() {
        var config = ExploreConfig.of(2, 1).withBudgets(0, 0, 0).with(Rules.without(Rule.R6));
        return Objects.requireNonNull(search(config).story());
    }

    @Test
    void shouldStopWhenThereAreTooManyStates() {
        assertThrows(TooLargeException.class,
                () -> Explorer.run(ExploreConfig.of(2, 1), 1_000, _ -> {}, () -> false));
    }

    @Test
    void shouldEndWithWhatItHasWhenCancelled() {
        var result = Explorer.run(ExploreConfig.of(2, 1), STATES_MAX, _ -> {}, () -> true);

        assertFalse(result.isExhausted());
        assertNull(result.story());
    }
}
