package io.tintype.vm;

import io.tintype.vm.device.QueueState;
import java.util.List;

/**
 * The device state of one instant, captured to memory in the stun (R3).
 *
 * @param guestKind which guest restores the registers
 * @param registers all registers of the guest, its instruction pointer among them; not to be changed
 * @param queues settings and indices of the queue of each disk
 * @param pending P: the requests issued and not yet delivered, in the order of issue
 * @param guestNs the guest's clock
 */
@SuppressWarnings("ArrayRecordComponent") // Copying registers would lengthen the stun.
record CapturedState(
        String guestKind,
        byte[] registers,
        List<QueueState> queues,
        List<IoRequest> pending,
        long guestNs) {
    /** Returns this with P, which is listed after the stun. */
    CapturedState with(List<IoRequest> cut) {
        return new CapturedState(guestKind, registers, queues, cut, guestNs);
    }
}
