/**
 * Where checkpoints are kept: segments and manifests, written once and checksummed, and the catalogue of what exists. What is
 * not sealed here is visible to nobody.
 */
@NullMarked
package io.tintype.store;

import org.jspecify.annotations.NullMarked;
