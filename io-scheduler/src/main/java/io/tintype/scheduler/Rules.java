package io.tintype.scheduler;

import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Which rules hold: all of them, except where a test breaks one on purpose to see its oracle cry out. Immutable.
 *
 * @param off the rules that are broken
 */
public record Rules(Set<Rule> off) {
    public static final Rules ALL_ON = new Rules(Set.of());

    public Rules {
        var copy = EnumSet.noneOf(Rule.class);
        copy.addAll(off);
        off = Collections.unmodifiableSet(copy);
    }

    /** All rules but these. */
    public static Rules without(Rule... off) {
        return new Rules(Set.copyOf(Arrays.asList(off)));
    }

    public boolean on(Rule rule) {
        return !off.contains(rule);
    }
}
