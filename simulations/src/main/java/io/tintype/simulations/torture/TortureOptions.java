package io.tintype.simulations.torture;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a torture is to do.
 *
 * @param store a directory that is empty or not there yet
 * @param work a directory for tapes and what victims print; its content is the caller's to delete
 * @param evidence where the directory of evidence is made when something is lost
 * @param runFor after which no further kill is begun; null for no such limit
 * @param kills how many; 0 for no such limit
 * @param vms in the fleet
 * @param seed of everything that is made up
 * @param defect broken on purpose
 */
public record TortureOptions(Path store, Path work, Path evidence, @Nullable Duration runFor,
        int kills, int vms, long seed, Defect defect) {}
