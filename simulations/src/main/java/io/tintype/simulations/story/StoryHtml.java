package io.tintype.simulations.story;

import io.tintype.simulations.report.HtmlParts;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.WholeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;

/**
 * A story as one HTML file that needs nothing beside it: a space-time diagram with a lane for each actor, time downward, an arrow for
 * each message, the cut drawn through the lanes of its VM, and the state of every lane at the step one looks at. Without scripts the
 * page shows the story as text.
 */
public final class StoryHtml {
    private StoryHtml() {}

    /** Writes {@code file}, whole or not at all, with a command that comes upon the story again without any file. */
    public static void write(Path file, Story story) throws IOException {
        write(file, story, StoryText.command(story));
    }

    /** With {@code command} as the one that replays it, see {@link StoryText#replay}. */
    public static void write(Path file, Story story, String command) throws IOException {
        WholeFile.write(file, render(story, command));
    }

    static String render(Story story, String command) {
        var page = new Page(StoryText.headline(story), StoryText.source(story), command,
                StoryText.settings(story), story.configuration(), story.lanes(),
                story.events().stream().map(Row::of).toList());
        return HtmlParts.fill(HtmlParts.resource(StoryHtml.class, "story.html"), Map.of(
                "title", HtmlParts.asText(page.headline()),
                "style", HtmlParts.style() + HtmlParts.resource(StoryHtml.class, "story.css"),
                "text", HtmlParts.asText(StoryText.of(story, command)),
                "script", HtmlParts.asScript(HtmlParts.resource(StoryHtml.class, "story.js")),
                "data", HtmlParts.asData(ResultJson.compact(page))));
    }

    /** What the page's script reads. */
    record Page(
            String headline,
            String source,
            String command,
            String settingsInShort,
            List<Story.Setting> settings,
            List<String> lanes,
            List<Row> events) {}

    /** An event with the words that a picture needs. */
    record Row(
            String name, String lane, String vm, String kind, String text, int cause,
            SortedMap<String, String> state) {
        static Row of(StoryEvent event) {
            return new Row(event.name(), event.lane(), StoryText.vm(event.lane()),
                    StoryText.word(event.kind()), event.text(), event.cause(), event.state());
        }
    }
}
