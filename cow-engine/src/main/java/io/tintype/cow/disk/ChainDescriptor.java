package io.tintype.cow.disk;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the file {@code chain} says: which file holds which layers, lowest first.
 *
 * <pre>
 *   0  8  magic "TTCHAIN1"      all numbers little-endian
 *   8  4  format version
 *  12  4  n, bytes of payload
 *  16  n  payload: generation 8, disk bytes 8, group bytes 4, chain id 16, next layer 4,
 *         parent's view 4 (-1: no parent), parent's place 2 + UTF-8,
 *         files 4, and for each file: first layer 4, last layer 4, flags 4 (1 = absorbing), name 2 + UTF-8
 * 16+n 4  CRC32C of everything before it
 * </pre>
 *
 * @param generation grows with each change
 * @param nextLayer the number that the next overlay gets; numbers are never used twice
 * @param parent null for a chain with a base of its own
 */
record ChainDescriptor(long generation, DiskGeometry geometry, ChainId id, int nextLayer,
        @Nullable Parent parent, List<LayerFile> files) {
    static final String FILE = "chain";
    static final int VERSION = 1;

    private static final long MAGIC = ImageHeader.magic("TTCHAIN1");
    static final int ENVELOPE_HEAD = 16;
    private static final int ABSORBING = 1;
    private static final Pattern IMAGE_NAME = Pattern.compile("layer-[0-9]{1,10}\\.img");

    /**
     * @param locator how to find the parent's directory from the chain's own
     * @param view the highest layer of the parent that this chain sees; its own layers come after it
     */
    record Parent(String locator, int view) {}

    /**
     * @param first lowest layer in the file
     * @param last highest layer in the file; {@code first} until overlays were committed into it
     * @param absorbing a commit into it began: as of {@code last} it can no longer be seen
     */
    record LayerFile(int first, int last, boolean absorbing, String name) {}

    ChainDescriptor {
        files = List.copyOf(files);
    }

    static String imageName(int layer) {
        return "layer-" + layer + ".img";
    }

    static boolean isImageName(String name) {
        return IMAGE_NAME.matcher(name).matches();
    }

    byte[] encode() {
        var place = (parent == null ? "" : parent.locator).getBytes(StandardCharsets.UTF_8);
        int bytes = ENVELOPE_HEAD + 8 + 8 + 4 + 16 + 4 + 4 + 2 + place.length + 4 + 4;
        for (var file : files) {
            bytes += 4 + 4 + 4 + 2 + file.name.length();
        }
        var buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(MAGIC).putInt(VERSION).putInt(bytes - ENVELOPE_HEAD - 4);
        buffer.putLong(generation).putLong(geometry.sizeBytes()).putInt(geometry.groupBytes());
        buffer.putLong(id.high()).putLong(id.low()).putInt(nextLayer);
        buffer.putInt(parent == null ? -1 : parent.view);
        putText(buffer, place);
        buffer.putInt(files.size());
        for (var file : files) {
            buffer.putInt(file.first).putInt(file.last).putInt(file.absorbing ? ABSORBING : 0);
            putText(buffer, file.name.getBytes(StandardCharsets.UTF_8));
        }
        buffer.putInt(Checksums.crc32c(buffer.array(), 0, buffer.position()));
        return buffer.array();
    }

    /** @param where the file's name, for messages */
    static ChainDescriptor decode(String where, byte[] bytes)
            throws DamagedImageException, NewerVersionException {
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (bytes.length < ENVELOPE_HEAD + 4 || buffer.getLong() != MAGIC) {
            throw new DamagedImageException(where, 0, "this is no chain descriptor");
        }
        int version = buffer.getInt();
        int length = buffer.getInt();
        if (length != bytes.length - ENVELOPE_HEAD - 4) {
            throw new DamagedImageException(where, 12,
                    "the file has " + bytes.length + " bytes for a payload of " + length);
        }
        int crc = Checksums.crc32c(bytes, 0, bytes.length - 4);
        if (buffer.getInt(bytes.length - 4) != crc) {
            throw new DamagedImageException(where, bytes.length - 4L,
                    "the checksum is %08x, it says %08x"
                            .formatted(crc, buffer.getInt(bytes.length - 4)));
        }
        if (version > VERSION) {
            throw new NewerVersionException(where, version, VERSION);
        }
        try {
            var descriptor = decodePayload(
                    buffer.slice(ENVELOPE_HEAD, length).order(ByteOrder.LITTLE_ENDIAN));
            descriptor.checkOrder(where);
            return descriptor;
        } catch (IllegalArgumentException | BufferUnderflowException e) {
            // The checksum was right: whoever wrote this was wrong.
            throw new DamagedImageException(where, ENVELOPE_HEAD,
                    "the payload makes no sense: " + e);
        }
    }

    private static ChainDescriptor decodePayload(ByteBuffer buffer) {
        long generation = buffer.getLong();
        var geometry = new DiskGeometry(buffer.getLong(), buffer.getInt());
        var id = new ChainId(buffer.getLong(), buffer.getLong());
        int nextLayer = buffer.getInt();
        int parentView = buffer.getInt();
        String place = getText(buffer);
        var files = new ArrayList<LayerFile>();
        for (int left = buffer.getInt(); left > 0; left--) {
            files.add(new LayerFile(buffer.getInt(), buffer.getInt(),
                    (buffer.getInt() & ABSORBING) != 0, getText(buffer)));
        }
        var parent = parentView < 0 ? null : new Parent(place, parentView);
        return new ChainDescriptor(generation, geometry, id, nextLayer, parent, files);
    }

    private void checkOrder(String where) throws DamagedImageException {
        int lowest = parent == null ? 0 : parent.view + 1;
        boolean ordered = !files.isEmpty() && files.getFirst().first == lowest;
        int above = lowest;
        for (var file : files) {
            ordered &= file.first >= above && file.last >= file.first && isImageName(file.name);
            above = file.last + 1;
        }
        if (!ordered || nextLayer < above) {
            throw new DamagedImageException(where, ENVELOPE_HEAD,
                    "its layers are in no order: " + files);
        }
    }

    private static void putText(ByteBuffer buffer, byte[] text) {
        Invariant.check(text.length <= Short.MAX_VALUE, "a name has at most 32767 bytes");
        buffer.putShort((short) text.length).put(text);
    }

    private static String getText(ByteBuffer buffer) {
        int length = buffer.getShort();
        if (length < 0 || length > buffer.remaining()) {
            throw new BufferUnderflowException();
        }
        var text = new byte[length];
        buffer.get(text);
        return new String(text, StandardCharsets.UTF_8);
    }
}
