package io.tintype.simulations.explore;

import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.Rules;
import java.util.List;

/**
 * How large the world is that is searched through. Everything that is not fixed here is tried out.
 *
 * @param vms each with disks and memory of its own; the bounds below hold for all of them together
 * @param disks of each VM, of one group of two blocks
 * @param pages that reads go to, each with a cell for every block of the VM
 * @param requests that the guests issue, at most
 * @param checkpoints that begin, at most
 * @param faults of devices and of the store, at most
 * @param resets of a VM's devices, at most
 * @param commits of an overlay into its parent, at most
 * @param rollbacks of the VM to a sealed checkpoint, at most one, and that only with one disk
 * @param policies of which one is in force
 * @param kinds of requests
 * @param program what the guests issue, in this order; empty: whatever the kinds and sizes allow
 * @param ordered whether devices complete overlapping requests in the order of issue
 */
public record ExploreConfig(
        int vms, int disks, int pages, int requests, int checkpoints, int faults, int resets,
        int commits, int rollbacks, List<Policy> policies, List<Kind> kinds,
        List<Program.Request> program,
        boolean ordered, Rules rules) {
    public static final int VMS_MAX = 4;
    public static final int DISKS_MAX = 2;
    public static final int PAGES_MAX = 2;
    public static final int REQUESTS_MAX = 6;
    public static final int CHECKPOINTS_MAX = 3;
    public static final int BUDGET_MAX = 3;

    /** What a request does. */
    public enum Kind {
        READ('r', "read"), WRITE('w', "write"), ZEROES('z', "zero"), FLUSH('f', "flush"),
        /** A write that completes when it is durable. */
        FUA('u', "write through"),
        DISCARD('d', "discard");

        final char letter;
        final String words;

        Kind(char letter, String words) {
            this.letter = letter;
            this.words = words;
        }
    }

    /** Discard is left out where all programs are tried: to the rules it is write-zeroes, and a test says so. */
    public static final List<Kind> KINDS_USUAL =
            List.of(Kind.READ, Kind.WRITE, Kind.ZEROES, Kind.FLUSH);

    /** How reissues get their bytes, and what a stun does about a read and a write of one block. */
    public enum Policy {
        LANDED(Reissue.LANDED, Conflict.PUT_OFF),
        DISK_PUT_OFF(Reissue.DISK, Conflict.PUT_OFF),
        DISK_DELAY_RESUME(Reissue.DISK, Conflict.DELAY_RESUME);

        final Reissue reissue;
        final Conflict conflict;

        Policy(Reissue reissue, Conflict conflict) {
            this.reissue = reissue;
            this.conflict = conflict;
        }
    }

    public ExploreConfig {
        policies = List.copyOf(policies);
        kinds = List.copyOf(kinds);
        program = List.copyOf(program);
        check("vms", vms, 1, VMS_MAX);
        check("disks", disks, 1, DISKS_MAX);
        check("pages", pages, 1, PAGES_MAX);
        check("requests", requests, 0, REQUESTS_MAX);
        check("checkpoints", checkpoints, 0, CHECKPOINTS_MAX);
        check("faults", faults, 0, BUDGET_MAX);
        check("resets", resets, 0, BUDGET_MAX);
        check("commits", commits, 0, BUDGET_MAX);
        check("rollbacks", rollbacks, 0, disks == 1 ? 1 : 0);
        if (!program.isEmpty()) {
            check("requests", requests, 0, program.size());
            for (var request : program) {
                check("disk of " + request, request.disk(), 0, disks - 1);
                check("pages of " + request, request.pages(), 0, (1 << pages) - 1);
            }
        }
        if (policies.isEmpty() || kinds.isEmpty()) {
            throw new IllegalArgumentException("no policy or no kind of request to choose from");
        }
    }

    private static void check(String name, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    name + " " + value + ": not within " + min + " to " + max);
        }
    }

    /** One VM with one disk and one page, everything that may happen once, and all rules on. */
    public static ExploreConfig of(int requests, int checkpoints) {
        return new ExploreConfig(1, 1, 1, requests, checkpoints, 1, 1, 1, 0,
                List.of(Policy.LANDED), KINDS_USUAL, List.of(), false, Rules.ALL_ON);
    }

    public ExploreConfig with(Rules otherRules) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                rollbacks, policies, kinds, program, ordered, otherRules);
    }

    public ExploreConfig with(List<Policy> otherPolicies) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                rollbacks, otherPolicies, kinds, program, ordered, rules);
    }

    public ExploreConfig withKinds(Kind... otherKinds) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                rollbacks, policies, List.of(otherKinds), program, ordered, rules);
    }

    public ExploreConfig withBudgets(int otherFaults, int otherResets, int otherCommits) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, otherFaults, otherResets,
                otherCommits, rollbacks, policies, kinds, program, ordered, rules);
    }

    public ExploreConfig withSizes(int otherVms, int otherDisks, int otherPages) {
        return new ExploreConfig(otherVms, otherDisks, otherPages, requests, checkpoints, faults,
                resets, commits, rollbacks, policies, kinds, program, ordered, rules);
    }

    public ExploreConfig withOrdered(boolean otherOrdered) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                rollbacks, policies, kinds, program, otherOrdered, rules);
    }

    public ExploreConfig withRollbacks(int otherRollbacks) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                otherRollbacks, policies, kinds, program, ordered, rules);
    }

    /** The program's requests as words, see {@link Program}. */
    public String programWords() {
        return Program.words(program);
    }

    /** All of the program, with as many disks and pages as it needs; of what else may happen nothing changes. */
    public ExploreConfig with(Program other) {
        return new ExploreConfig(vms, Math.max(disks, other.disks()),
                Math.max(pages, other.pages()),
                other.requests().size(), checkpoints, faults, resets, commits, rollbacks, policies,
                kinds, other.requests(), ordered, rules);
    }
}
