package io.tintype.simulations.explore;

import io.tintype.scheduler.Rule;
import org.jspecify.annotations.Nullable;

/** The guest's side saw something that must not be. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** The rule that says so; null if what is seen follows from several. */
    final transient @Nullable Rule rule;

    Violation(@Nullable Rule rule, String what) {
        super(what, null, false, false); // thrown often while a story is looked for
        this.rule = rule;
    }

    String finding() {
        return String.valueOf(getMessage());
    }
}
