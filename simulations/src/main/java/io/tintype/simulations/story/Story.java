package io.tintype.simulations.story;

import io.tintype.scheduler.Rule;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A failing run, after shrinking, ready to be told.
 *
 * @param tool {@code simulate} or {@code explore}
 * @param rule the rule that did not hold; null if the finding names none
 * @param finding one sentence: what was seen that must not be
 * @param seed where the run came from; 0 for an exhaustive search
 * @param configuration what a replay needs besides the events: scenario, sizes, policies, the rule switched off; in the words
 *     of the tool that wrote it
 * @param lanes in the order in which a picture shows them
 * @param events in the order in which they happened
 */
public record Story(
        String tool,
        @Nullable Rule rule,
        String finding,
        long seed,
        List<Setting> configuration,
        List<String> lanes,
        List<StoryEvent> events) {
    /** One thing that a replay needs to know. */
    public record Setting(String name, String value) {}

    public Story {
        configuration = List.copyOf(configuration);
        lanes = List.copyOf(lanes);
        events = List.copyOf(events);
    }
}
