package io.tintype.vm;

import io.tintype.scheduler.IoKind;

/**
 * One request as it was bound when the guest issued it: to its frames and to the layers of its disk.
 *
 * @param ioId unique within its VM, ascending in the order of issue
 * @param incarnation the life of the VM that issued it: a rollback or a reset starts the next (R17)
 * @param disk index of the virtual disk, from 0
 * @param tag the guest's own name for the request, unique among those in flight on one disk
 * @param layer the top when it was issued: writes go to it, reads see it and all below
 * @param kind what to do
 * @param fua a write that completes only when durable
 * @param sector first 512-byte sector
 * @param sectorCount number of sectors; 0 for a flush
 * @param buffer sources of a write, targets of a read
 */
public record IoRequest(
        long ioId,
        int incarnation,
        int disk,
        int tag,
        int layer,
        IoKind kind,
        boolean fua,
        long sector,
        int sectorCount,
        IoBuffer buffer) {}
