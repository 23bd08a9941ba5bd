/**
 * The benchmarks of this project, one for each figure that it promises. They drive the same host, actors and page tables as
 * any other program does, and take every ratio within one run, since the machines they run on are noisy.
 */
@NullMarked
package io.tintype.simulations.bench.suite;

import org.jspecify.annotations.NullMarked;
