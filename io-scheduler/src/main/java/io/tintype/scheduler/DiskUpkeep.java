package io.tintype.scheduler;

import java.util.List;

/**
 * When a disk's chain is made shorter, and how: what is done beside the running VM, one thing at a time (R16).
 *
 * <pre>
 *             ┌──Committed──── COMMITTING ◀──an overlay that no view needs apart from what is below
 *             ├──Flattened──── FLATTENING ◀──wanted, or too many layers and most would go
 *   IDLE ◀────┤
 *             ├──OverlayOnTop─ SWITCHING  ◀──a copied checkpoint's overlay cannot be committed while it is the top
 *             └──Dropped────── DROPPING   ◀──files below a flat one that nobody sees
 * </pre>
 *
 * <p>After a checkpoint's disk was copied its overlay is committed into the parent, with a further overlay taking the writes
 * meanwhile, and again (claims 4 and 5): as long as each round has at most half as much to commit as the one before, and more
 * than a little. So it ends, with a top that is small, or with one that is written faster than it can be committed: that one
 * waits for the next checkpoint.
 *
 * <p>What holds:
 * <ul>
 *   <li>nothing begins while requests in flight forbid it, nor while something else is under way;
 *   <li>what failed is not tried again by itself, only when something new is asked for;
 *   <li>every flatten that was wanted ends with exactly one {@link Output.TellFlattened}.
 * </ul>
 *
 * <p>Pure and immutable: equal state and input give an equal step. Safe to share between threads.
 *
 * @param work what is under way
 * @param roundsLeft further overlays that may be put on top without a checkpoint
 * @param lastGroups what the last commit had to copy; 0 for none in these rounds
 * @param flattenWanted somebody asked for it and has no answer yet
 * @param hasFailed the last work failed
 * @param waits something could be done, were it not for requests in flight
 * @param isStopped nothing begins any more
 */
public record DiskUpkeep(Work work, int roundsLeft, int lastGroups, boolean flattenWanted,
        boolean hasFailed, boolean waits, boolean isStopped) {
    /** What may be under way. */
    public enum Work {
        IDLE, COMMITTING, FLATTENING, SWITCHING, DROPPING
    }

    /** Nothing under way, nothing asked for. */
    public static final DiskUpkeep IDLE =
            new DiskUpkeep(Work.IDLE, 0, 0, false, false, false, false);

    /** Further overlays after one copy: 2^4 groups of the least top times 2^4 is a top of 16 MiB, in groups of 64 KiB. */
    public static final int ROUNDS_MAX = 4;

    /** A top with fewer groups may wait for the next checkpoint: 16 × 64 KiB = 1 MiB. On a small disk it is a 64th of it. */
    public static final int TOP_GROUPS_MIN = 16;

    /**
     * What the chain and the requests on it are like at the moment of a step.
     *
     * @param layers files that the chain has, its parent's included
     * @param layersMax with so many a checkpoint is refused
     * @param commitLayer a layer that views allow to be committed; -1 for none
     * @param flattenView what views allow to be made flat; -1 for nothing
     * @param layersIfFlat files that there would be then
     * @param topGroups groups that the top has of its own
     * @param topGroupsMin with fewer the top may wait
     * @param hasUnseen whether there are files that nobody sees
     * @param topMayFollow whether views would allow the top to be committed if it were not the top
     * @param overlayBusy whether an overlay is prepared, or waited for
     * @param requestsAllow whether requests in flight allow the commit, or else the flatten
     */
    public record Facts(int layers, int layersMax, int commitLayer, int flattenView,
            int layersIfFlat, int topGroups, int topGroupsMin, boolean hasUnseen,
            boolean topMayFollow,
            boolean overlayBusy, boolean requestsAllow) {}

    /** What happened. */
    public sealed interface Input {
        /** Something may have become possible. */
        record Looked(Facts facts) implements Input {}

        /** Somebody wants one image instead of the chain. */
        record FlattenWanted() implements Input {}

        /** Nobody wants it any more; one that is under way is to be given up otherwise. */
        record FlattenUnwanted() implements Input {}

        /** A checkpoint has a copy of its own and needs the layers no more; {@link Looked} follows. */
        record Copied() implements Input {}

        /** Answer to {@link Output.Commit}. */
        record Committed(boolean done, int groups) implements Input {}

        /** Answer to {@link Output.Flatten}. */
        record Flattened(boolean done) implements Input {}

        /** Answer to {@link Output.PutOverlayOnTop}: the VM knows of it, too. */
        record OverlayOnTop(boolean done) implements Input {}

        /** Answer to {@link Output.DropUnseen}. */
        record Dropped(boolean done) implements Input {}

        /** Nothing more is to begin; what is under way is to be given up. */
        record Stop() implements Input {}
    }

    /** What is to be done. */
    public sealed interface Output {
        /** Copy the layer into the file below it. */
        record Commit(int layer) implements Output {}

        /** Copy what {@code view} shows into one image and let the chain stand on it. */
        record Flatten(int view) implements Output {}

        /** Prepare an overlay and let new requests go there, without a checkpoint. */
        record PutOverlayOnTop() implements Output {}

        /** Delete the files that nobody sees. */
        record DropUnseen() implements Output {}

        /** Give up the flatten that is under way; it answers as always. */
        record CancelFlatten() implements Output {}

        /** Whoever wanted a flatten is to be told: done, nothing to do, or failed. */
        record TellFlattened(boolean done) implements Output {}
    }

    /** Takes one input. Throws {@link IllegalStateException} for an answer to what was not asked. */
    public Step<DiskUpkeep, Output> step(Input input) {
        return switch (input) {
            case Input.Looked(var facts) -> looked(facts);
            case Input.FlattenWanted() -> isStopped
                    ? to(this, new Output.TellFlattened(false))
                    : to(new DiskUpkeep(work, roundsLeft, lastGroups, true, false, waits, false));
            case Input.FlattenUnwanted() -> flattenWanted
                    ? to(new DiskUpkeep(work, roundsLeft, lastGroups, false, hasFailed, waits,
                            isStopped), new Output.TellFlattened(false))
                    : to(this);
            case Input.Copied() -> to(new DiskUpkeep(work, isStopped ? 0 : ROUNDS_MAX, 0,
                    flattenWanted, false, waits, isStopped));
            case Input.Committed(var done, var groups) -> {
                check(Work.COMMITTING, input);
                yield to(new DiskUpkeep(Work.IDLE, roundsLeft, groups, flattenWanted, !done, false,
                        isStopped));
            }
            case Input.Flattened(var done) -> {
                check(Work.FLATTENING, input);
                var next = new DiskUpkeep(Work.IDLE, roundsLeft, lastGroups, false, !done, false,
                        isStopped);
                yield flattenWanted ? to(next, new Output.TellFlattened(done)) : to(next);
            }
            case Input.OverlayOnTop(var done) -> {
                check(Work.SWITCHING, input);
                yield to(ended(!done));
            }
            case Input.Dropped(var done) -> {
                check(Work.DROPPING, input);
                yield to(ended(!done));
            }
            case Input.Stop() -> stopped();
        };
    }

    private Step<DiskUpkeep, Output> stopped() {
        var next = new DiskUpkeep(work, 0, 0, flattenWanted && work == Work.FLATTENING, hasFailed,
                false, true);
        if (work == Work.FLATTENING) {
            return to(next, new Output.CancelFlatten());
        }
        return flattenWanted ? to(next, new Output.TellFlattened(false)) : to(next);
    }

    private Step<DiskUpkeep, Output> looked(Facts facts) {
        if (work != Work.IDLE || isStopped) {
            return to(this);
        }
        if (facts.hasUnseen && !hasFailed) {
            return to(at(Work.DROPPING), new Output.DropUnseen());
        }
        if (flattenWanted && facts.flattenView < 0) {
            return to(new DiskUpkeep(work, roundsLeft, lastGroups, false, hasFailed, waits, false),
                    new Output.TellFlattened(true));
        }
        boolean isCrowded = 2 * facts.layers > facts.layersMax
                && 2 * facts.layersIfFlat <= facts.layers;
        boolean flattens = facts.flattenView >= 0 && !hasFailed && (flattenWanted || isCrowded);
        // A commit is the cheaper way to fewer layers, but it would put off what somebody waits for.
        boolean commits = facts.commitLayer >= 0 && !hasFailed && !flattenWanted;
        if ((flattens || commits) && !facts.requestsAllow) {
            return to(new DiskUpkeep(work, roundsLeft, lastGroups, flattenWanted, hasFailed, true,
                    false));
        }
        if (commits) {
            return to(at(Work.COMMITTING), new Output.Commit(facts.commitLayer));
        }
        if (flattens) {
            return to(at(Work.FLATTENING), new Output.Flatten(facts.flattenView));
        }
        boolean isWorthARound = facts.topGroups >= facts.topGroupsMin
                && (lastGroups == 0 || 2 * facts.topGroups <= lastGroups);
        if (roundsLeft > 0 && !hasFailed && facts.topMayFollow && !facts.overlayBusy
                && isWorthARound) {
            return to(new DiskUpkeep(Work.SWITCHING, roundsLeft - 1, lastGroups, flattenWanted,
                    false, false, false), new Output.PutOverlayOnTop());
        }
        return to(new DiskUpkeep(work, roundsLeft, lastGroups, flattenWanted, hasFailed, false,
                false));
    }

    private DiskUpkeep at(Work begun) {
        return new DiskUpkeep(begun, roundsLeft, lastGroups, flattenWanted, hasFailed, false,
                isStopped);
    }

    private DiskUpkeep ended(boolean failed) {
        return new DiskUpkeep(Work.IDLE, roundsLeft, lastGroups, flattenWanted, failed, false,
                isStopped);
    }

    private void check(Work expected, Input input) {
        if (work != expected) {
            throw new IllegalStateException(input + " while " + work);
        }
    }

    private static Step<DiskUpkeep, Output> to(DiskUpkeep next, Output... outputs) {
        return new Step<>(next, List.of(outputs));
    }
}
