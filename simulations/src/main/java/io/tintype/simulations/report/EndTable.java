package io.tintype.simulations.report;

import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.RunResult.Checkpoint;
import io.tintype.simulations.run.RunResult.Ended;
import io.tintype.simulations.run.RunResult.State;
import io.tintype.simulations.run.RunResult.Violation;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** What a run came to, as text for a terminal: what was violated first, then the figures, then what was aborted. */
public final class EndTable {
    /** More would push the figures off the screen; all of them are in the report and in the JSON file. */
    private static final int VIOLATIONS_SHOWN_MAX = 20;
    private static final int REASONS_SHOWN_MAX = 10;
    private static final int NAMES_SHOWN_MAX = 4;
    private static final int LABEL_WIDTH = 14;
    private static final long FRAME_BYTES = 4_096;

    private static final String BOLD = "\u001b[1m";
    private static final String RED = "\u001b[1;31m";
    private static final String GREEN = "\u001b[1;32m";
    private static final String PLAIN = "\u001b[0m";

    private final RunResult result;
    private final boolean colour;
    private final StringBuilder text = new StringBuilder();

    private EndTable(RunResult result, boolean colour) {
        this.result = result;
        this.colour = colour;
    }

    /** Several lines, each ended. {@code places}: what to find where, {@code report → /home/…/report.html}, shown last. */
    public static String of(RunResult result, Map<String, String> places, boolean colour) {
        return new EndTable(result, colour).render(places);
    }

    private String render(Map<String, String> places) {
        line(verdict());
        if (!result.isFine()) {
            violations();
        }
        line("");
        figures();
        aborts();
        if (!places.isEmpty()) {
            line("");
            places.forEach((label, place) -> row(label, place));
        }
        return text.toString();
    }

    private String verdict() {
        var ran = Units.whole(result.vms()) + (result.vms() == 1 ? " VM" : " VMs") + " ran "
                + Units.seconds(result.seconds())
                + (result.ended() == Ended.INTERRUPTED ? " until interrupted" : "") + ": ";
        if (!result.isFine()) {
            var count = Math.max(result.checkpoints().violations(), result.violations().size());
            return ran
                    + paint(RED, Units.whole(count) + (count == 1 ? " violation" : " violations"));
        }
        var checkpoints = result.checkpoints();
        if (checkpoints.begun() == 0) {
            return ran + paint(BOLD, "no checkpoint was begun, so nothing was verified");
        }
        if (checkpoints.verified() < checkpoints.sealed()) {
            return ran + paint(BOLD,
                    "nothing was violated, but only " + Units.whole(checkpoints.verified()) + " of "
                            + Units.whole(checkpoints.sealed())
                            + " sealed checkpoints were verified");
        }
        if (checkpoints.sealed() == 0) {
            return ran + paint(BOLD, "no checkpoint was sealed, so nothing was verified");
        }
        return ran + paint(GREEN, "every sealed checkpoint was verified, nothing was violated");
    }

    private void violations() {
        line("");
        for (var violation : result.violations().stream().limit(VIOLATIONS_SHOWN_MAX).toList()) {
            line("  " + paint(RED, String.format("%-4s", violation.rule())) + place(violation));
            line("      expected " + violation.expected());
            line("      found    " + violation.found());
        }
        var more = Math.max(result.checkpoints().violations(), result.violations().size())
                - Math.min(VIOLATIONS_SHOWN_MAX, result.violations().size());
        if (more > 0) {
            line("  … and " + Units.whole(more) + " more");
        }
    }

    private static String place(Violation violation) {
        var seen = violation.checkpoint() == null
                ? violation.vm() + " while it ran"
                : violation.vm() + " checkpoint " + violation.checkpoint();
        return seen + ", " + violation.where();
    }

    private void figures() {
        var checkpoints = result.checkpoints();
        row("checkpoints", "begun " + Units.whole(checkpoints.begun()),
                "sealed " + Units.whole(checkpoints.sealed()),
                "aborted " + Units.whole(checkpoints.aborted()),
                "verified " + Units.whole(checkpoints.verified()),
                "violations " + Units.whole(checkpoints.violations()));
        var stun = result.stunMicros();
        if (stun.count() == 0) {
            row("stun", "no VM was stunned");
        } else {
            row("stun", "p50 " + Units.micros(stun.p50()), "p99 " + Units.micros(stun.p99()),
                    "p99.9 " + Units.micros(stun.p999()), "max " + Units.micros(stun.max()));
            var mean = Objects.requireNonNullElse(result.pendingAtStun().mean(), 0.0);
            row("I/O in flight", "mean " + Units.digits(mean),
                    "max " + Units.whole(result.pendingAtStun().max()), "at the stun");
        }
        var speed = result.guest().speedDuringCheckpoint();
        row("guest speed", speed == null
                ? "nothing to compare with"
                : Units.percent(speed) + " of its own while a checkpoint is taken");
        row("I/O", Units.count((double) result.io().completed()) + " completed",
                Units.count(result.io().perSecond()) + "/s");
        row("faults", "memory " + Units.count((double) result.faults().memory()),
                "disk " + Units.count((double) result.faults().disk()));
        row("carried over", Units.count((double) result.reads().reissued()) + " reads reissued",
                Units.count((double) result.writes().delayed()) + " writes delayed");
        var rate = result.store().megabytesPerSecond();
        row("store", Units.bytes(result.store().bytes()) + " written",
                rate == null ? "" : Units.digits(rate) + " MB/s");
        var memory = result.memory();
        row("memory", "at most " + Units.bytes(memory.framesHeldMax() * FRAME_BYTES) + " of "
                + Units.bytes(memory.framesHeldLimit() * FRAME_BYTES)
                + " held only for checkpoints");
        var space = result.space();
        row("space", "checkpoints " + Units.bytes(space.checkpointBytes()),
                "images " + Units.bytes(space.imageBytesMax()),
                "free at least " + Units.bytes(space.usableBytesMin()));
        if (result.chains().layersMax() > 0) {
            row("chains", "at most " + Units.whole(result.chains().layersMax()) + " of "
                    + Units.whole(result.chains().layersLimit()) + " layers");
        }
    }

    private void aborts() {
        var byReason = new LinkedHashMap<String, List<Checkpoint>>();
        for (var checkpoint : result.checkpointList()) {
            if (checkpoint.state() == State.ABORTED) {
                var reason = Objects.requireNonNullElse(checkpoint.reason(), "no reason was given");
                byReason.computeIfAbsent(reason, _ -> new ArrayList<>()).add(checkpoint);
            }
        }
        if (byReason.isEmpty()) {
            return;
        }
        line("");
        line(paint(BOLD, "aborted"));
        var sorted = byReason.entrySet().stream()
                .sorted((one, other) -> other.getValue().size() - one.getValue().size())
                .toList();
        for (var entry : sorted.subList(0, Math.min(REASONS_SHOWN_MAX, sorted.size()))) {
            var names = entry.getValue().stream().limit(NAMES_SHOWN_MAX)
                    .map(checkpoint -> checkpoint.vm() + " #" + checkpoint.id())
                    .collect(Collectors.joining(", "));
            var more = entry.getValue().size() - NAMES_SHOWN_MAX;
            line("  " + entry.getValue().size() + " × " + entry.getKey() + "  (" + names
                    + (more > 0 ? " and " + Units.whole(more) + " more" : "") + ")");
        }
        if (sorted.size() > REASONS_SHOWN_MAX) {
            line("  … and " + (sorted.size() - REASONS_SHOWN_MAX) + " other reasons");
        }
    }

    private void row(String label, String... values) {
        var line = new StringBuilder("  ").append(label)
                .append(" ".repeat(Math.max(1, LABEL_WIDTH - label.length())));
        for (var value : values) {
            if (!value.isEmpty()) {
                line.append(value).append("   ");
            }
        }
        line(line.toString().stripTrailing());
    }

    private void line(String line) {
        text.append(line).append('\n');
    }

    private String paint(String code, String words) {
        return colour ? code + words + PLAIN : words;
    }
}
