package io.tintype.scheduler;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Collects the outputs of one step; most steps have two at most, and those cost no growing list. The working copies extend it: an
 * object of its own would be a tenth of what a step allocates.
 */
class Outputs<O> {
    private @Nullable O first;
    private @Nullable O second;
    private @Nullable List<O> many;

    final void add(O output) {
        if (first == null) {
            first = output;
        } else if (second == null) {
            second = output;
        } else {
            if (many == null) {
                many = new ArrayList<>();
                many.add(first);
                many.add(second);
            }
            many.add(output);
        }
    }

    final List<O> list() {
        if (many != null) {
            return Collections.unmodifiableList(many);
        }
        if (first == null) {
            return List.of();
        }
        return second == null ? List.of(first) : List.of(first, second);
    }
}
