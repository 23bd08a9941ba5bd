package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import org.jspecify.annotations.Nullable;

/**
 * A request that a checkpoint says was pending at T.
 *
 * @param tag the guest's name for it
 * @param status how it ended, null if the checkpoint does not say
 */
public record PendingEntry(long ioId, int tag, int disk, IoKind kind, long sector, int sectorCount,
        @Nullable IoStatus status) {}
