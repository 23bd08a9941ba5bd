package io.tintype.simulations.story;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.xml.sax.InputSource;

class StoryHtmlTest {
    /** To be looked at in a browser after a build. */
    private static final Path SHOWN = Path.of("target", "stories-made-up");

    @Test
    void shouldLoadNothingFromAnywhere() {
        var html = StoryHtml.render(MadeUpStory.ofR8(), "./tintype replay r8.json");

        var ours = html.replaceAll("(?s)<script>.*?</script>", "");
        assertFalse(Pattern.compile("(?i)\\b(src|href|srcset|action)\\s*=").matcher(ours).find());
        assertFalse(Pattern.compile("(?i)@import|url\\(|<link|<iframe|<img").matcher(ours).find());
        assertTrue(html.contains("content=\"default-src 'none';"));
        assertFalse(html.contains("{{"), "a mark was not replaced");
    }

    @Test
    void shouldNameEveryEventAndTheCommand() throws Exception {
        var story = MadeUpStory.ofSize(1000);
        var html = StoryHtml.render(story, "./tintype replay 'a b.json'");

        var data = data(html);
        assertEquals("./tintype replay 'a b.json'", data.get("command").asText());
        assertEquals(story.events().stream().map(StoryEvent::name).toList(),
                data.get("events").findValuesAsText("name"));
        var text = page(html).getElementsByTagName("noscript").item(0).getTextContent();
        assertEquals(StoryText.of(story, "./tintype replay 'a b.json'"), text);
    }

    @Test
    void shouldBeWellFormedWhateverTheStorySays() throws Exception {
        var nasty =
                "</script><script>alert(1)</script> <!-- & \" ' {{data}} $1 \\ \u2028 </noscript>";
        var story = new Story("simulate", null, nasty, 1,
                List.of(new Story.Setting(nasty, nasty)),
                List.of(nasty), List.of(MadeUpStory.event(nasty, nasty, nasty)));

        var html = StoryHtml.render(story, nasty);

        var page = page(html);
        assertEquals("Tintype: " + nasty,
                page.getElementsByTagName("title").item(0).getTextContent());
        assertEquals(2, page.getElementsByTagName("script").getLength());
        assertEquals(nasty, data(html).get("headline").asText());
        assertEquals(List.of(nasty), data(html).get("events").findValuesAsText("text"));
    }

    @Test
    void shouldShowEveryKindOfStory() throws Exception {
        Files.createDirectories(SHOWN);

        StoryHtml.write(SHOWN.resolve("r8.html"), MadeUpStory.ofR8(), "./tintype replay r8.json");
        StoryHtml.write(SHOWN.resolve("long.html"), MadeUpStory.ofSize(1000));
        StoryHtml.write(SHOWN.resolve("empty.html"), MadeUpStory.ofSize(0));

        assertTrue(Files.size(SHOWN.resolve("long.html")) < 2_000_000);
    }

    private static JsonNode data(String html) throws Exception {
        var matcher =
                Pattern.compile("(?s)<script type=\"application/json\" id=\"data\">(.*?)</script>")
                        .matcher(html);
        assertTrue(matcher.find());
        return new ObjectMapper().readTree(matcher.group(1));
    }

    /** The template is XML but for its scripts and style, so a parser tells whether it stayed so. */
    private static Document page(String html) throws Exception {
        var markup = html.replaceAll("(?s)(<(script|style)[^>]*>).*?</\\2>", "$1</$2>");
        return DocumentBuilderFactory.newInstance().newDocumentBuilder()
                .parse(new InputSource(new StringReader(markup)));
    }
}
