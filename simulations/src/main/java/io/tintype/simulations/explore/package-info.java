/**
 * Exhaustive search: every schedule of every small program on the pure cores, breadth first. The cores decide; around them is
 * an abstract machine of pages, frames, block groups and layers, whose contents are names of writes instead of bytes.
 */
@NullMarked
package io.tintype.simulations.explore;

import org.jspecify.annotations.NullMarked;
