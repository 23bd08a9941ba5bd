package io.tintype.simulations.cli;

import io.tintype.simulations.run.UserErrorException;
import io.tintype.simulations.story.StoryHtml;
import io.tintype.simulations.story.StoryText;
import io.tintype.simulations.story.TraceFile;
import io.tintype.simulations.story.TraceFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype replay}: does a recorded failure still happen? */
@Command(
        name = "replay",
        sortOptions = false,
        description = "Runs a recorded failure again and says whether it still happens.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:it does not fail any more, or its events no longer fit",
            "  1:it fails",
            "  2:the file cannot be used"},
        footerHeading = "%nMore in docs/simulator.md.%n")
final class ReplayCommand implements Callable<Integer> {
    @Parameters(paramLabel = "FILE", description = "a trace that simulate or explore wrote")
    private Path file = Path.of("");

    @Option(names = "--report", paramLabel = "FILE.html", description = "where the picture goes")
    private @Nullable Path report;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final List<Replayer> replayers;

    ReplayCommand(List<Replayer> replayers) {
        this.replayers = List.copyOf(replayers);
    }

    @Override
    public Integer call() throws TraceFileException, IOException {
        var story = TraceFile.read(file);
        var replayer = replayers.stream().filter(each -> each.tool().equals(story.tool()))
                .findFirst().orElseThrow(() -> UserErrorException.of("replay", file,
                        "it is a story of " + story.tool() + ", which cannot be replayed",
                        "choose one of " + replayers.stream().map(Replayer::tool)
                                .collect(Collectors.joining(" or "))));
        Replayer.Result result;
        try {
            result = replayer.replay(story);
        } catch (IllegalArgumentException wrong) {
            throw UserErrorException.of("replay", file, String.valueOf(wrong.getMessage()),
                    "replay it with the version of Tintype that wrote it");
        }
        var out = spec.commandLine().getOut();
        var command = StoryText.replay(file.toString());
        boolean fails = switch (result.outcome()) {
            case REPRODUCED, FAILED_OTHERWISE -> true;
            case FITS_NO_LONGER, DID_NOT_FAIL -> false;
        };
        if (fails) {
            out.print(StoryText.of(result.story(), command));
            out.println();
        }
        out.println(result.words());
        if (report != null) {
            StoryHtml.write(report, result.story(), command);
            out.println("picture: " + report);
        }
        out.flush();
        return fails ? Commands.EXIT_FAILED : Commands.EXIT_FINE;
    }
}
