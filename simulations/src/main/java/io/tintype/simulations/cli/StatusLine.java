package io.tintype.simulations.cli;

import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.Progress.Phase;
import io.tintype.simulations.run.Progress.Snapshot;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a run stands, in a line that fits. When the terminal is narrow the least telling parts go first, the bar before all of them;
 * what was violated never does.
 *
 * <p>I/O per second is that since the line before, so one instance follows one run. Used by one thread at a time.
 */
final class StatusLine {
    private static final int BAR_WIDTH_MAX = 20;
    private static final int BAR_WIDTH_MIN = 6;
    private static final String GAP = "  ";
    private static final String RED = "\u001b[1;31m";
    private static final String GREEN = "\u001b[32m";
    private static final String DIM = "\u001b[2m";
    private static final String PLAIN = "\u001b[0m";

    /** One part of the line; of two, the one with the higher rank goes first when room is short. */
    private record Part(String text, int rank, String colour) {
        Part(String text, int rank) {
            this(text, rank, "");
        }
    }

    private final boolean colour;
    private Snapshot before = Snapshot.NOTHING;
    private double ioPerSecond;

    StatusLine(boolean colour) {
        this.colour = colour;
    }

    /** At most {@code width} columns, colour codes not counted. */
    String render(Snapshot now, int width) {
        measure(now);
        var parts = parts(now);
        while (length(parts) > width && parts.size() > 1) {
            parts.remove(leastTelling(parts));
        }
        var room = width - length(parts) - GAP.length() - 2;
        var line = new StringBuilder();
        var barWidth = Math.min(BAR_WIDTH_MAX, room);
        if (now.totalNs() > 0 && now.phase() != Phase.STARTING && barWidth >= BAR_WIDTH_MIN) {
            line.append(bar(now, barWidth)).append(GAP);
        }
        for (int i = 0; i < parts.size(); i++) {
            line.append(i == 0 ? "" : GAP)
                    .append(paint(parts.get(i).colour(), parts.get(i).text()));
        }
        return parts.size() == 1 && parts.getFirst().text().length() > width
                ? parts.getFirst().text().substring(0, Math.max(0, width))
                : line.toString();
    }

    private List<Part> parts(Snapshot now) {
        var parts = new ArrayList<Part>();
        var vms = Units.whole(now.vms()) + (now.vms() == 1 ? " VM" : " VMs");
        if (now.phase() == Phase.STARTING) {
            parts.add(new Part("starting " + (now.vms() == 0 ? "…" : vms), 0));
            return parts;
        }
        parts.add(new Part(time(now), 0));
        parts.add(new Part(vms, 6));
        if (now.phase() == Phase.FINISHING) {
            parts.add(new Part("finishing", 1));
        } else {
            parts.add(new Part(Units.count(ioPerSecond) + " I/O/s", 3));
        }
        parts.add(new Part("sealed " + Units.whole(now.sealed()), 1));
        parts.add(new Part("in progress " + Units.whole(now.inProgress()), 5));
        parts.add(new Part("aborted " + Units.whole(now.aborted()), now.aborted() > 0 ? 2 : 4));
        parts.add(new Part("verified " + Units.whole(now.verified()),
                now.phase() == Phase.FINISHING ? 2 : 7));
        if (!Double.isNaN(now.stunP99Micros())) {
            parts.add(new Part("stun p99 " + Units.micros(now.stunP99Micros()), 2, GREEN));
        }
        if (now.heldBytes() > 0) {
            parts.add(new Part("held " + Units.bytes(now.heldBytes()), 8));
        }
        if (now.isNearlyFull()) {
            parts.add(new Part("STORE NEARLY FULL", 1, RED));
        }
        if (now.violations() > 0) {
            parts.add(new Part("VIOLATIONS " + Units.whole(now.violations()), 0, RED));
        }
        return parts;
    }

    private static String time(Snapshot now) {
        var elapsed = Units.seconds(now.elapsedNs() / 1e9);
        return now.totalNs() <= 0 ? elapsed : elapsed + " of " + Units.seconds(now.totalNs() / 1e9);
    }

    private void measure(Snapshot now) {
        var spanNs = now.elapsedNs() - before.elapsedNs();
        if (spanNs > 0) {
            ioPerSecond = (now.ioCompleted() - before.ioCompleted()) / (spanNs / 1e9);
            before = now;
        }
    }

    private String bar(Snapshot now, int width) {
        var done = (int) Math.min(width, now.elapsedNs() * (double) width / now.totalNs());
        return paint(DIM, "[") + "#".repeat(done) + paint(DIM, "·".repeat(width - done) + "]");
    }

    private static int leastTelling(List<Part> parts) {
        int least = 0;
        for (int i = 1; i < parts.size(); i++) {
            if (parts.get(i).rank() > parts.get(least).rank()) {
                least = i;
            }
        }
        // All that is left is of the first rank: the time says less than what was violated.
        return least;
    }

    private static int length(List<Part> parts) {
        return parts.stream().mapToInt(part -> part.text().length()).sum()
                + GAP.length() * (parts.size() - 1);
    }

    private String paint(String code, String words) {
        return colour && !code.isEmpty() ? code + words + PLAIN : words;
    }
}
