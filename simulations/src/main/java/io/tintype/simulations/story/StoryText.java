package io.tintype.simulations.story;

import io.tintype.simulations.story.StoryEvent.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** A story for a terminal, in lines of at most {@value #COLUMNS} columns. */
public final class StoryText {
    static final int COLUMNS = 100;
    /** Longer names of lanes are cut, or there would be no room for the text. */
    private static final int LANE_COLUMNS_MAX = 28;

    /** In characters; a longer value is for programs. */
    private static final int SETTING_SHOWN_MAX = 120;

    private static final Pattern PLAIN_WORD = Pattern.compile("[\\w@%+=:,./-]+");
    /** Settings of a simulation that are options of the command too; all others follow from the seed. */
    private static final List<String> OPTIONS_OF_SIMULATE =
            List.of("scenario", "strategy", "faults", "break");

    private StoryText() {}

    /** With a command that runs the whole search or seed again. */
    public static String of(Story story) {
        return of(story, command(story));
    }

    /** With {@code command} as the one that replays it, see {@link #replay}. */
    public static String of(Story story, String command) {
        var out = new ArrayList<String>();
        wrap(out, "", "  ", headline(story));
        wrap(out, "  ", "  ", source(story));
        var settings = settings(story);
        if (!settings.isEmpty()) {
            wrap(out, "  ", "  ", settings);
        }
        out.add("");
        events(out, story);
        out.add("");
        // Not wrapped: it is there to be copied.
        out.add("  replay: " + command);
        return String.join("\n", out) + "\n";
    }

    /** The command that replays the story in {@code file}. */
    public static String replay(String file) {
        return "./tintype replay " + quoted(file);
    }

    /** The command that comes upon the story again without any file. */
    static String command(Story story) {
        var command = new StringBuilder("./tintype ").append(story.tool());
        boolean isSearch = story.tool().equals("explore");
        if (!isSearch) {
            command.append(" --seed ").append(story.seed());
        }
        for (var setting : story.configuration()) {
            if (isSearch || OPTIONS_OF_SIMULATE.contains(setting.name())) {
                command.append(" --").append(setting.name()).append(' ')
                        .append(quoted(setting.value()));
            }
        }
        return command.toString();
    }

    static String headline(Story story) {
        var rule = story.rule();
        return (rule == null ? "" : rule + " is broken: ") + story.finding();
    }

    /** Where it comes from and how long it is. */
    static String source(Story story) {
        long count = story.events().stream().filter(event -> !event.isDetail()).count();
        return "found by " + story.tool()
                + (story.tool().equals("explore") ? "" : ", seed " + story.seed())
                + "; " + count + (count == 1 ? " event" : " events");
    }

    /** Those that a person reads; of longer ones only the names. Empty if there are none. */
    static String settings(Story story) {
        var shown = new ArrayList<String>();
        var tooLong = new ArrayList<String>();
        for (var setting : story.configuration()) {
            if (setting.value().length() > SETTING_SHOWN_MAX) {
                tooLong.add(setting.name());
            } else {
                shown.add(setting.name() + " " + quoted(setting.value()));
            }
        }
        var words = String.join(", ", shown);
        var more = tooLong.isEmpty() ? "" : "not shown here: " + String.join(", ", tooLong);
        return (words.isEmpty() ? "" : "with " + words)
                + (words.isEmpty() || more.isEmpty() ? "" : "; ") + more;
    }

    /** The word for a kind: what it is called in the picture's legend too. */
    static String word(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    /** The VM that a lane belongs to, or the lane itself: what stands before the first slash. */
    static String vm(String lane) {
        int slash = lane.indexOf('/');
        return slash < 0 ? lane : lane.substring(0, slash);
    }

    private static void events(List<String> out, Story story) {
        int digits = Math.max(2, String.valueOf(story.events().size()).length());
        int laneColumns = story.events().stream().mapToInt(event -> event.lane().length()).max()
                .orElse(0);
        laneColumns = Math.min(laneColumns, LANE_COLUMNS_MAX);
        for (int i = 0; i < story.events().size(); i++) {
            var event = story.events().get(i);
            if (event.isDetail()) {
                continue;
            }
            var number = String.valueOf(i + 1);
            var head = "  " + " ".repeat(digits - number.length()) + number + "  "
                    + padded(event.lane(), laneColumns) + "  " + padded(word(event.kind()), 9)
                    + "  ";
            wrap(out, head, " ".repeat(head.length()),
                    event.text().isBlank() ? event.name() : event.text());
            if (event.kind() == Kind.STUN) {
                out.add(cut(vm(event.lane())));
            }
            if (event.kind() == Kind.VIOLATION && !event.state().isEmpty()) {
                var words = event.state().entrySet().stream()
                        .map(entry -> entry.getKey() + " " + entry.getValue()).toList();
                wrap(out, " ".repeat(head.length()), " ".repeat(head.length()),
                        "then: " + String.join(", ", words));
            }
        }
    }

    /** What stands above it on a lane of this VM is in the checkpoint. */
    private static String cut(String vm) {
        var words = "── cut of " + vm + " ";
        return "  " + words + "─".repeat(Math.max(2, COLUMNS - 2 - words.length()));
    }

    private static String padded(String text, int columns) {
        return text.length() > columns
                ? text.substring(0, columns - 1) + "…"
                : text + " ".repeat(columns - text.length());
    }

    /** Breaks between words; a word longer than a line is broken too. */
    private static void wrap(List<String> out, String first, String next, String text) {
        var line = new StringBuilder(first);
        boolean isEmpty = true;
        for (var word : text.strip().split("\\s+")) {
            var rest = word;
            if (!isEmpty && line.length() + 1 + rest.length() > COLUMNS) {
                out.add(line.toString().stripTrailing());
                line = new StringBuilder(next);
                isEmpty = true;
            }
            while (line.length() + (isEmpty ? 0 : 1) + rest.length() > COLUMNS) {
                int room = COLUMNS - line.length();
                out.add(line + rest.substring(0, room));
                rest = rest.substring(room);
                line = new StringBuilder(next);
            }
            line.append(isEmpty ? "" : " ").append(rest);
            isEmpty = false;
        }
        out.add(line.toString().stripTrailing());
    }

    /** As a shell takes it for one word. */
    private static String quoted(String word) {
        return PLAIN_WORD.matcher(word).matches()
                ? word
                : "'" + word.replace("'", "'\\''") + "'";
    }
}
