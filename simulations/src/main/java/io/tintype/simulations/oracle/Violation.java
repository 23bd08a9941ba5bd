package io.tintype.simulations.oracle;

import io.tintype.scheduler.Rule;
import org.jspecify.annotations.Nullable;

/**
 * Something that no correct run shows.
 *
 * @param rule the ordering rule that is broken, as far as it can be told from outside; null if it cannot
 * @param vm which VM
 * @param checkpointId which checkpoint; 0 if the running VM showed it
 * @param where disk and sector, page, or request
 * @param expected what should be there
 * @param found what is there
 */
public record Violation(@Nullable Rule rule, String vm, long checkpointId, String where,
        String expected,
        String found) {
    /** One line with all of it. */
    @Override
    public String toString() {
        return (rule == null ? "data" : rule) + " violated: " + vm
                + (checkpointId == 0 ? "" : " checkpoint " + checkpointId)
                + ", " + where + ": expected " + expected + ", found " + found;
    }
}
