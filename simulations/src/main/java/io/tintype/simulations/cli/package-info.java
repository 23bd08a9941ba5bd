/**
 * The command line: it reads options and says in one line what is wrong with them, shows a run's progress, and prints and writes
 * what the run came to. It starts nothing itself: runs and benchmarks are handed to it.
 */
@NullMarked
package io.tintype.simulations.cli;

import org.jspecify.annotations.NullMarked;
