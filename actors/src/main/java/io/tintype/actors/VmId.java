package io.tintype.actors;

import java.util.regex.Pattern;

/**
 * Names one VM, cluster-wide and in file names: 1 to 63 of {@code a-z}, {@code 0-9} and {@code -}, not beginning with
 * {@code -}.
 */
public record VmId(String value) implements Comparable<VmId> {
    public static final int LENGTH_MAX = 63;

    // Lower case only: two ids must not become one folder where file names ignore case.
    private static final Pattern VALID = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    /**
     * Ask {@link #isValid} first about names that come from outside.
     *
     * @throws IllegalArgumentException if {@code value} is no such name
     */
    public VmId {
        if (!isValid(value)) {
            throw new IllegalArgumentException("a VM id is 1 to " + LENGTH_MAX
                    + " of a-z, 0-9 and -, not beginning with -, got '" + value + "'");
        }
    }

    public static boolean isValid(String value) {
        return VALID.matcher(value).matches();
    }

    @Override
    public int compareTo(VmId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
