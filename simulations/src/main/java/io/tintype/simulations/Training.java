package io.tintype.simulations;

import java.io.PrintWriter;
import java.io.Writer;
import java.util.List;
import java.util.stream.Stream;

/**
 * What the launcher runs once after a build, with the JVM writing down which classes were loaded and linked ({@code
 * -XX:AOTCacheOutput}): the commands that people wait for, as they call them. Each later start takes over from that file what it
 * would have to find out again. Nothing is measured here, and nothing depends on it.
 */
public final class Training {
    private static final List<String> COMMANDS = List.of(
            "--version",
            "run --vms 4 --memory 16MiB --for 4s --checkpoint-every 200ms --no-report --quiet --store",
            "checkpoint ls --store",
            "checkpoint inspect vm-1 --store",
            "checkpoint verify --all --store",
            "checkpoint restore vm-1 --as restored --for 500ms --store",
            "checkpoint clone vm-2 -n 100 --store",
            "checkpoint rm vm-2-clone-1 --store");

    private Training() {}

    /**
     * Runs the commands, which show nothing. The exit status is 0 if all of them did what they were asked for.
     *
     * @param args a directory that is not there yet, for their store; who calls deletes it
     */
    public static void main(String[] args) {
        if (args.length != 1) {
            System.err.println("tintype: name one directory for the store, which is not there yet");
            System.exit(2);
        }
        int failed = 0;
        for (var command : COMMANDS) {
            var words = Stream.of(command.split(" ", -1));
            boolean isOnStore = command.endsWith("--store");
            var all = isOnStore ? Stream.concat(words, Stream.of(args[0])) : words;
            int status = Main.commandLine()
                    .setOut(new PrintWriter(Writer.nullWriter()))
                    .execute(all.toArray(String[]::new));
            if (status != 0) {
                System.err.println("tintype: '" + command + "' ended with " + status);
                failed = 1;
            }
        }
        System.exit(failed);
    }
}
