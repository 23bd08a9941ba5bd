/**
 * Runs the real actors, store and disks deterministically from a seed: virtual time, one message at a time, simulated storage that
 * reorders, fails, tears and loses power, and the oracle that looks on.
 *
 * <p>A {@link io.tintype.simulations.simulate.Simulation} is one run. What happens in it comes from {@link
 * io.tintype.simulations.simulate.Knobs} and a seed, or from a list of named events; see docs/simulator.md.
 */
@NullMarked
package io.tintype.simulations.simulate;

import org.jspecify.annotations.NullMarked;
