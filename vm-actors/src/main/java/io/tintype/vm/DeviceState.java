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
        try {
            return JSON.readValue(stored.segment(SEGMENT), DeviceState.class);
        } catch (JsonProcessingException malformed) {
            throw new StoreException(
                    "the device state of checkpoint "
                            + stored.manifest().ref()
                            + " cannot be read: "
                            + malformed.getOriginalMessage(),
                    malformed);
        } catch (StoreException damaged) {
            throw damaged;
        } catch (IOException unreadable) {
            throw new StoreException(String.valueOf(unreadable.getMessage()), unreadable);
        }
    }

    /** Returns it as JSON. */
    @Override
    public byte[] bytes() throws JsonProcessingException {
        return JSON.writeValueAsBytes(this);
    }
}
