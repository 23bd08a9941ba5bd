/**
 * What {@code ./tintype} starts: it puts the command line, the fleet and the benchmarks together, each of which is a package
 * of its own below. No other module knows this one.
 */
@NullMarked
package io.tintype.simulations;

import org.jspecify.annotations.NullMarked;
