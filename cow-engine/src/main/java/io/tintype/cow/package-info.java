/**
 * Copy-on-write data structures for memory and disks: page tables over frames, overlays over base images. Pure data: nothing
 * in here knows an actor, and each structure has one writer at a time, named by whoever uses it.
 */
@NullMarked
package io.tintype.cow;

import org.jspecify.annotations.NullMarked;
