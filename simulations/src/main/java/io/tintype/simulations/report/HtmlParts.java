package io.tintype.simulations.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What pages that are one file are put together from: templates with marks, style, scripts, data. */
public final class HtmlParts {
    private static final Pattern MARK = Pattern.compile("\\{\\{([a-z]+)}}");

    private HtmlParts() {}

    /** Puts a value in the place of each <code>{{mark}}</code>; what a value says is not looked at again. */
    public static String fill(String template, Map<String, String> values) {
        return MARK.matcher(template).replaceAll(mark -> {
            var value = values.get(mark.group(1));
            if (value == null) {
                throw new IllegalStateException("nothing to put at " + mark.group());
            }
            return Matcher.quoteReplacement(value);
        });
    }

    /** Text between tags or in an attribute. */
    public static String asText(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    /** JSON stays the same JSON, but can neither end the script element it stands in nor begin a comment. */
    public static String asData(String json) {
        return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
                .replace("\u2028", "\\u2028").replace("\u2029", "\\u2029");
    }

    /** A script of ours, or one we took over, that is known not to end its own element. */
    public static String asScript(String script) {
        if (script.contains("</script") || script.contains("<!--")) {
            throw new IllegalStateException("a script of the report would end its own element");
        }
        return script;
    }

    /** The style that all our pages begin with. */
    public static String style() {
        return resource(HtmlParts.class, "report.css");
    }

    /** A text file beside {@code from}, or anywhere if its name begins with a slash. */
    public static String resource(Class<?> from, String name) {
        try (var in = open(from, name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static InputStream open(Class<?> from, String name) {
        var in = from.getResourceAsStream(name);
        if (in == null) {
            throw new IllegalStateException(
                    "the program's jars are incomplete: " + name + " is missing");
        }
        return in;
    }
}
