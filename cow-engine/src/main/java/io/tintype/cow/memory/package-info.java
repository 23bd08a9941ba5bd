/**
 * Guest memory: a host-wide pool of frames, page tables that map pages to frames, and frozen page tables that never change
 * again. Freezing a region keeps its root and begins a new epoch; the first write to a page of an older epoch takes a copy.
 * Knows no thread, actor, file or clock. {@code docs/memory.md} has the structure, the invariants and the costs.
 */
@NullMarked
package io.tintype.cow.memory;

import org.jspecify.annotations.NullMarked;
