package io.tintype.simulations.bench;

import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * What a benchmark gets.
 *
 * @param directory its own, empty; deleted after it
 * @param seed all made-up values come from it
 * @param quick to see that it works, not to measure: a second or two at most
 * @param notes takes lines that tell the user what is being done
 * @param isCancelled whether it should return with what it has
 */
public record BenchContext(
        Path directory, long seed, boolean quick, Consumer<String> notes,
        BooleanSupplier isCancelled) {
    /** Tells the user what is being done. */
    public void note(String line) {
        notes.accept(line);
    }

    /** Whether it should return with what it has. */
    public boolean cancelled() {
        return isCancelled.getAsBoolean();
    }
}
