package io.tintype.simulations.oracle;

import io.tintype.vm.device.QueueState;
import java.util.List;

/**
 * All that a checkpoint claims about one instant of a VM; or all there is of a VM that stands still.
 *
 * @param checkpointId as given to {@link EventLog#stunned}
 * @param registers of the guest
 * @param queues of each disk
 * @param pending P; empty for a VM that stands still
 * @param memory its pages
 * @param disks its sectors
 */
@SuppressWarnings("ArrayRecordComponent") // never compared as a record
public record CheckpointImage(long checkpointId, byte[] registers, List<QueueState> queues,
        List<PendingEntry> pending,
        PageReader memory, SectorReader disks) {}
