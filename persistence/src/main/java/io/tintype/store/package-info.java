/**
 * Where checkpoints are kept: a directory of segments and manifests, written once and checksummed. What is not sealed here
 * is visible to nobody. Every call may block on files; {@link io.tintype.store.CheckpointStore} is the way in, and {@code
 * docs/checkpoint-store.md} has the layout, the order of a seal and the formats.
 */
@NullMarked
package io.tintype.store;

import org.jspecify.annotations.NullMarked;
