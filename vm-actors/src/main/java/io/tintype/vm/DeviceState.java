package io.tintype.vm;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.store.CheckpointSink;
import io.tintype.store.StoreException;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.device.QueueState;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a checkpoint keeps of a VM beside memory and disks: the segment {@link #SEGMENT}, as JSON.
 *
 * @param guestKind which guest restores the registers
 * @param registers as the guest saved them at T
 * @param queues settings and indices of the queue of each disk at T
 * @param pending P, in the order of issue
 * @param guestNs the guest's clock at T
 * @param generation the generation id that the VM had at T; a restored VM gets another one. Null in checkpoints of versions
 *     that had none
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier between the store and the guest
public record DeviceState(
        String guestKind,
        byte[] registers,
        List<QueueState> queues,
        List<Pending> pending,
        long guestNs,
        @Nullable String generation)
        implements
            CheckpointSink.Payload {
    /** Name of the segment in the store. */
    public static final String SEGMENT = "devices";

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A request that was pending at T, with the status that was fixed since.
     *
     * @param tag the guest's name for it
     * @param status null only where R12 was switched off
     */
    public record Pending(
            long ioId,
            int disk,
            int tag,
            IoKind kind,
            long sector,
            int sectorCount,
            @Nullable IoStatus status) {}

    /** Copies the lists. */
    public DeviceState {
        queues = List.copyOf(queues);
        pending = List.copyOf(pending);
    }

    /**
     * Reads the device state of a checkpoint. Blocks.
     *
     * @throws StoreException when the segment is damaged or of another format
     */
    public static DeviceState of(StoredCheckpoint stored) throws StoreException {
        var of = "checkpoint " + stored.manifest().ref();
        var read = parse(of, stored.segment(SEGMENT));
        int disks = stored.manifest().disks().size();
        if (read.queues.size() != disks
                || read.pending.stream().anyMatch(io -> io.disk() < 0 || io.disk() >= disks)) {
            throw unreadable(of, "it is of other disks than the " + disks + " of its manifest");
        }
        return read;
    }

    /** @param of what it is the state of, for messages */
    static DeviceState parse(String of, byte[] json) throws StoreException {
        DeviceState read;
        try {
            read = JSON.readValue(json, DeviceState.class);
        } catch (JsonProcessingException malformed) {
            throw unreadable(of, malformed.getOriginalMessage());
        } catch (IOException malformed) {
            throw unreadable(of, String.valueOf(malformed.getMessage()));
        }
        if (!isComplete(read)) {
            throw unreadable(of, "something is missing in it");
        }
        return read;
    }

    /** Jackson leaves null what is not there. */
    private static boolean isComplete(@Nullable DeviceState read) {
        return read != null
                && Objects.nonNull(read.guestKind)
                && Objects.nonNull(read.registers)
                && read.pending.stream().allMatch(io -> Objects.nonNull(io.kind));
    }

    private static StoreException unreadable(String of, String why) {
        return new StoreException("the device state of " + of + " cannot be read: "
                + why.replace('\n', ' ') + "; use another checkpoint");
    }

    /** Returns it as JSON. */
    @Override
    public byte[] bytes() throws JsonProcessingException {
        return JSON.writeValueAsBytes(this);
    }
}
