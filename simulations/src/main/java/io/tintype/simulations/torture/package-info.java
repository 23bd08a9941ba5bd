/**
 * Kills a process that hosts a fleet, again and again, and compares what it left on disk with what it had acknowledged. {@link
 * io.tintype.simulations.torture.Torture} is the process that kills and compares, {@link io.tintype.simulations.torture.Victim}
 * the one that is killed; {@code docs/torture.md} says what is proved.
 */
@NullMarked
package io.tintype.simulations.torture;

import org.jspecify.annotations.NullMarked;
