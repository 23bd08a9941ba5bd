/**
 * What a benchmark is and how its findings are shown. The benchmarks themselves live beside what they measure or in packages of
 * their own; the command line is given a list of them.
 */
@NullMarked
package io.tintype.simulations.bench;

import org.jspecify.annotations.NullMarked;
