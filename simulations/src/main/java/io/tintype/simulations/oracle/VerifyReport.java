package io.tintype.simulations.oracle;

import java.util.List;

/**
 * What one verification looked at and found.
 *
 * @param checkpointId which checkpoint
 * @param violations at most {@link Oracle#VIOLATIONS_MAX} of them
 * @param pending requests that were in flight at T and were checked, those delivered but not yet seen by the guest included
 * @param sectorsChecked sectors read and compared
 * @param sectorsLeft sectors changed and not compared, because of {@link OracleOptions#sectorsMax}; left to the next one
 * @param pagesChecked pages of the heap compared whole
 * @param pagesLeft pages changed and not compared, because of {@link OracleOptions#pagesMax}; left to the next one
 */
public record VerifyReport(long checkpointId, List<Violation> violations, int pending,
        long sectorsChecked,
        long sectorsLeft, long pagesChecked, long pagesLeft) {
    /** Copies the list. */
    public VerifyReport {
        violations = List.copyOf(violations);
    }

    /** Whether nothing was violated. */
    public boolean isRight() {
        return violations.isEmpty();
    }
}
