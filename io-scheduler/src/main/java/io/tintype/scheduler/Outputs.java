package io.tintype.scheduler;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Collects the outputs of one step; most steps have none or one, and those cost no growing list. */
final class Outputs<O> {
    private @Nullable O only;
    private @Nullable List<O> many;

    void add(O output) {
        if (many != null) {
            many.add(output);
        } else if (only == null) {
            only = output;
        } else {
            many = new ArrayList<>();
            many.add(only);
            many.add(output);
        }
    }

    List<O> list() {
        if (many != null) {
            return Collections.unmodifiableList(many);
        }
        return only == null ? List.of() : List.of(only);
    }
}
