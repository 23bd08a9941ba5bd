package io.tintype.simulations.explore;

import io.tintype.simulations.explore.ExploreConfig.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a guest issues, in this order; when is tried out, and so is how much of it.
 *
 * <p>Written as {@code r01,w0,f,w1@1}: a letter for what a request does, the blocks that it is about, {@code @} and a disk if that
 * is not disk 0, {@code /} and the page that a read goes to if that is not page 0; {@code /01} is a buffer that begins in page 0 and
 * ends in page 1.
 *
 * @param name for people; the requests themselves if it has none
 */
public record Program(String name, List<Request> requests, Budgets budgets) {
    /**
     * One request.
     *
     * @param disk 0 or 1
     * @param blocks a bit for each; 0 for a flush
     * @param pages a bit for each page that a read's buffer lies in; 0 for others
     */
    public record Request(Kind kind, int disk, int blocks, int pages) {
        @Override
        public String toString() {
            return kind.letter + numbers(blocks) + (disk == 0 ? "" : "@" + disk)
                    + (pages <= 1 ? "" : "/" + numbers(pages));
        }

        private static String numbers(int bits) {
            return switch (bits) {
                case 0 -> "";
                case 1 -> "0";
                case 2 -> "1";
                default -> "01";
            };
        }
    }

    /** How much else may happen while it runs, at most: see {@link ExploreConfig}. */
    public record Budgets(int faults, int resets, int commits, int rollbacks) {
        /** What a program without a say in it gets. */
        public static final Budgets USUAL = new Budgets(0, 1, 1, 0);
    }

    private static final Budgets NOTHING_ELSE = new Budgets(0, 0, 0, 0);

    /**
     * Programs of four requests, among them one for each trap that implementations of checkpoints fell into, with what else the trap
     * needs. With every schedule of two checkpoints each meets more than its name says.
     */
    public static final List<Program> BUILT_IN = List.of(
            // A read issued before T and started after a new write must not show it.
            named("late-read", NOTHING_ELSE, "r01,w0,w01,r0"),
            // A write pending below two overlays, a partial write that faults in the top, two that fault one group at once.
            named("deep-partial", NOTHING_ELSE, "w0,w1,w0,w1"),
            // A page stored to between two instants and again, a read pending since before the first.
            named("copied-page", NOTHING_ELSE, "r01,w0,r1,w1"),
            // A write that lands in the overlay while that is copied into its parent, which a checkpoint may show.
            named("commit", new Budgets(0, 0, 1, 0), "w0,w1,r0,w1"),
            // A flush into the overlay, then an abort; a flush that has to reach the bottom of a chain of three.
            named("flushes", NOTHING_ELSE, "w0,f,w1,f"),
            // Writes that are durable when they complete, beside others that are not.
            named("forced", NOTHING_ELSE, "u0,w1,u1,f"),
            // Zeroes that must hide what the layers below hold.
            named("zeroes", NOTHING_ELSE, "w0,r01,z1,r0"),
            // A reset with writes in flight, and writes to the same blocks after it.
            named("reset", new Budgets(0, 1, 0, 0), "w0,w1,w0,w1"),
            // A rollback with requests in flight.
            named("rollback", new Budgets(0, 0, 0, 1), "w0,r01,w1,r0"),
            // An error of a device or of the store, anywhere.
            named("failing", new Budgets(1, 0, 0, 0), "r01,w0,r1,w1"));

    /** Larger ones, to be asked for by name. */
    public static final List<Program> LARGE = List.of(
            // A read whose block lies in two pages, of which one is copied.
            named("across-pages", NOTHING_ELSE, "r0/01,w0,w1,r0"),
            // As reset, with a read, and writes that overlap each other.
            named("overwrite", new Budgets(0, 1, 0, 0), "w01,w0,r0,w0"));

    public Program {
        requests = List.copyOf(requests);
    }

    private static Program named(String name, Budgets budgets, String words) {
        return new Program(name, parse(words).requests, budgets);
    }

    /** Throws {@link IllegalArgumentException} with what is wrong where, in words for people. */
    public static Program parse(String words) {
        var requests = new ArrayList<Request>();
        for (var word : words.split(",", -1)) {
            requests.add(request(word.strip()));
        }
        return new Program(words, requests, Budgets.USUAL);
    }

    private static Request request(String word) {
        if (word.isEmpty()) {
            throw new IllegalArgumentException("a request is missing");
        }
        Kind kind = null;
        var letters = new StringBuilder();
        for (var each : Kind.values()) {
            letters.append(letters.isEmpty() ? "" : ", ").append(each.letter).append(" (")
                    .append(each.words).append(')');
            kind = each.letter == word.charAt(0) ? each : kind;
        }
        if (kind == null) {
            throw new IllegalArgumentException(
                    "request '" + word + "' does not begin with one of " + letters);
        }
        int slash = word.indexOf('/');
        int at = word.indexOf('@');
        if (slash >= 0 && at > slash) {
            throw new IllegalArgumentException(
                    "request '" + word + "' names its disk after its page");
        }
        int blocksEnd = at >= 0 ? at : slash >= 0 ? slash : word.length();
        int diskEnd = slash >= 0 ? slash : word.length();
        int blocks = bits(word, word.substring(1, blocksEnd), "blocks");
        int disk = at >= 0 ? bits(word, word.substring(at + 1, diskEnd), "its disk") : 1;
        int pages = slash >= 0 ? bits(word, word.substring(slash + 1), "pages") : 1;
        if ((blocks == 0) != (kind == Kind.FLUSH)) {
            throw new IllegalArgumentException("request '" + word + "' "
                    + (blocks == 0
                            ? "names no block: 0, 1 or 01"
                            : "is a flush: it has no blocks"));
        }
        if (disk != 1 && disk != 2) {
            throw new IllegalArgumentException("request '" + word + "' names no disk after @");
        }
        if (pages == 0 || (slash >= 0 && kind != Kind.READ)) {
            throw new IllegalArgumentException("request '" + word + "' "
                    + (pages == 0
                            ? "names no page after /"
                            : "is no read: only those go to a page"));
        }
        return new Request(kind, disk - 1, blocks, kind == Kind.READ ? pages : 0);
    }

    private static int bits(String word, String numbers, String what) {
        return switch (numbers) {
            case "" -> 0;
            case "0" -> 1;
            case "1" -> 2;
            case "01" -> 3;
            default -> throw new IllegalArgumentException("request '" + word + "' names " + what
                    + " '" + numbers + "': there are 0, 1 and 01");
        };
    }

    /** The one of this name, or null. */
    public static @Nullable Program named(String name) {
        for (var programs : List.of(BUILT_IN, LARGE)) {
            for (var program : programs) {
                if (program.name.equals(name)) {
                    return program;
                }
            }
        }
        return null;
    }

    /** Its requests as they are written. */
    public String words() {
        return words(requests);
    }

    static String words(List<Request> requests) {
        return String.join(",", requests.stream().map(Objects::toString).toList());
    }

    /** How many disks it needs, and how many pages. */
    public int disks() {
        return requests.stream().mapToInt(request -> request.disk + 1).max().orElse(1);
    }

    public int pages() {
        return requests.stream().anyMatch(request -> request.pages > 1) ? 2 : 1;
    }
}
