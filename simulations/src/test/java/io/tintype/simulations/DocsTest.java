package io.tintype.simulations;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

/** What the pages promise is there: the files that they link to, the commands and options that they name. */
class DocsTest {
    private static final Path ROOT =
            Path.of(Objects.requireNonNullElse(System.getProperty("tintype.root"), ".."));
    private static final Pattern LINK = Pattern.compile("!?\\[[^\\]]*\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ +(.+)$");
    private static final Pattern CODE_BLOCK = Pattern.compile("(?ms)^```.*?^```$");
    private static final Pattern COMMAND = Pattern.compile("\\./tintype\\b([^`\\n#|]*)");
    private static final Pattern SPAN_OF_OPTION = Pattern.compile("`(--[a-z][^`]*)`");
    private static final Pattern OPTION = Pattern.compile("(?<![\\w-])--[a-z][a-z-]*");

    @Test
    void shouldLinkToFilesAndHeadingsThatExist() throws IOException {
        var broken = new ArrayList<String>();
        for (var page : pages()) {
            var prose = CODE_BLOCK.matcher(Files.readString(page)).replaceAll("");
            for (var target : LINK.matcher(prose).results().map(link -> link.group(1)).toList()) {
                if (!target.startsWith("http") && !exists(page, target)) {
                    broken.add(ROOT.relativize(page) + " -> " + target);
                }
            }
        }

        assertEquals(List.of(), broken);
    }

    @Test
    void shouldNameOnlyCommandsAndOptionsThatExist() throws IOException {
        var root = Main.commandLine();
        // JVM options of the launcher may be talked about too.
        var known = new TreeSet<>(options(root));
        OPTION.matcher(Files.readString(ROOT.resolve("tintype"))).results().map(MatchResult::group)
                .forEach(known::add);
        root.getSubcommands().values().forEach(command -> known.addAll(options(command)));
        var unknown = new ArrayList<String>();
        for (var page : pages()) {
            var text = Files.readString(page);
            for (var call : COMMAND.matcher(text).results().map(match -> match.group(1)).toList()) {
                unknown.addAll(unknownIn(call, root, page));
            }
            SPAN_OF_OPTION.matcher(text).results()
                    .flatMap(span -> OPTION.matcher(span.group(1)).results())
                    .map(MatchResult::group)
                    .filter(option -> !known.contains(option))
                    .forEach(option -> unknown.add(ROOT.relativize(page) + ": " + option));
        }

        assertEquals(List.of(), unknown);
    }

    @Test
    void shouldListEveryPageInTheIndex() throws IOException {
        var index = Files.readString(ROOT.resolve("docs/README.md"));

        var missing = pages().stream()
                .filter(page -> page.startsWith(ROOT.resolve("docs")))
                .map(page -> page.getFileName().toString())
                .filter(name -> !name.equals("README.md") && !index.contains("(" + name + ")"))
                .toList();

        assertEquals(List.of(), missing);
    }

    /** What follows {@code ./tintype} in a page: a command, or nothing, and options of that command. */
    private static List<String> unknownIn(String call, CommandLine root, Path page) {
        var unknown = new ArrayList<String>();
        var words = call.strip().split("\\s+");
        var command = root;
        if (words[0].matches("[a-z]+")) {
            var named = root.getSubcommands().get(words[0]);
            if (named == null) {
                // Prose goes on after the name of the program.
                return unknown;
            }
            var nested = words.length > 1 ? named.getSubcommands().get(words[1]) : null;
            command = nested == null ? named : nested;
        }
        var known = options(command);
        OPTION.matcher(call).results().map(MatchResult::group)
                .filter(option -> !known.contains(option))
                .forEach(option -> unknown.add(ROOT.relativize(page) + ": ./tintype" + call));
        return unknown;
    }

    private static Set<String> options(CommandLine command) {
        var names = new TreeSet<String>();
        command.getCommandSpec().options().forEach(option -> names.addAll(List.of(option.names())));
        // Of "./tintype checkpoint --store" and the like, whichever command below is meant.
        if (command.getParent() != null) {
            command.getSubcommands().values().forEach(nested -> names.addAll(options(nested)));
        }
        return names;
    }

    private static boolean exists(Path page, String target) throws IOException {
        int hash = target.indexOf('#');
        var file = hash < 0 ? target : target.substring(0, hash);
        var linked = file.isEmpty() ? page : page.resolveSibling(file);
        if (!Files.exists(linked)) {
            return false;
        }
        return hash < 0 || anchors(linked).contains(target.substring(hash + 1));
    }

    /** The names that headings get: lower case, spaces as hyphens, other punctuation gone. */
    private static List<String> anchors(Path page) throws IOException {
        var prose = CODE_BLOCK.matcher(Files.readString(page)).replaceAll("");
        return HEADING.matcher(prose).results()
                .map(heading -> heading.group(1).toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
                .toList();
    }

    private static List<Path> pages() throws IOException {
        var pages = new ArrayList<Path>();
        for (var name : List.of("README.md", "CONTRIBUTING.md", "CHANGELOG.md")) {
            pages.add(ROOT.resolve(name));
        }
        try (var docs = Files.list(ROOT.resolve("docs"))) {
            docs.filter(file -> file.toString().endsWith(".md")).sorted().forEach(pages::add);
        }
        return pages;
    }
}
