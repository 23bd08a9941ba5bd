package io.tintype.vm;

import org.jspecify.annotations.Nullable;

/**
 * How a flatten ended.
 *
 * @param done whether all below the top is one image now, be it that it was before
 * @param reason why not; null if done
 * @param depth files that a read of the top may have to ask
 */
public record DiskFlattened(boolean done, @Nullable String reason, int depth) {}
