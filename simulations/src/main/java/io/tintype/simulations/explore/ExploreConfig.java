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
 * @param policies of which one is in force
 * @param kinds of requests
 * @param ordered whether devices complete overlapping requests in the order of issue
 */
public record ExploreConfig(
        int vms, int disks, int pages, int requests, int checkpoints, int faults, int resets,
        int commits, List<Policy> policies, List<Kind> kinds, boolean ordered, Rules rules) {
    public static final int VMS_MAX = 4;
    public static final int DISKS_MAX = 2;
    public static final int PAGES_MAX = 2;
    public static final int REQUESTS_MAX = 6;
    public static final int CHECKPOINTS_MAX = 3;
    public static final int BUDGET_MAX = 3;

    /** What a request does. */
    public enum Kind {
        READ, WRITE,
        /** Write-zeroes stands for discard too: to the rules they are the same. */
        ZEROES, FLUSH
    }

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
        check("vms", vms, 1, VMS_MAX);
        check("disks", disks, 1, DISKS_MAX);
        check("pages", pages, 1, PAGES_MAX);
        check("requests", requests, 0, REQUESTS_MAX);
        check("checkpoints", checkpoints, 0, CHECKPOINTS_MAX);
        check("faults", faults, 0, BUDGET_MAX);
        check("resets", resets, 0, BUDGET_MAX);
        check("commits", commits, 0, BUDGET_MAX);
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
        return new ExploreConfig(1, 1, 1, requests, checkpoints, 1, 1, 1, List.of(Policy.LANDED),
                List.of(Kind.values()), false, Rules.ALL_ON);
    }

    public ExploreConfig with(Rules otherRules) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                policies, kinds, ordered, otherRules);
    }

    public ExploreConfig with(List<Policy> otherPolicies) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                otherPolicies, kinds, ordered, rules);
    }

    public ExploreConfig withKinds(Kind... otherKinds) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                policies, List.of(otherKinds), ordered, rules);
    }

    public ExploreConfig withBudgets(int otherFaults, int otherResets, int otherCommits) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, otherFaults, otherResets,
                otherCommits, policies, kinds, ordered, rules);
    }

    public ExploreConfig withSizes(int otherVms, int otherDisks, int otherPages) {
        return new ExploreConfig(otherVms, otherDisks, otherPages, requests, checkpoints, faults,
                resets, commits, policies, kinds, ordered, rules);
    }

    public ExploreConfig withOrdered(boolean otherOrdered) {
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                policies, kinds, otherOrdered, rules);
    }
}
