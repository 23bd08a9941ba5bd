package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.LongConsumer;

/** Proves an image file that nobody writes to, byte by byte. */
final class ImageProof {
    private static final int READ_BYTES = 1024 * 1024;

    private ImageProof() {}

    /**
     * Reads every group with data that {@code wanted} names and proves those that are sealed.
     *
     * @param progress takes the bytes of each
     * @param damages takes what is wrong, one for each group
     * @return bytes of groups with data that have no checksums
     */
    static long verify(LayerImage image, IntPredicate wanted, LongConsumer progress,
            Consumer<DamagedImageException> damages)
            throws IOException {
        long unproved = 0;
        for (long cell : image.cells()) {
            int group = GroupTable.groupOf(cell);
            long value = image.lookup(group);
            int length = image.header().geometry().groupLength(group);
            if (!GroupState.isPresent(value)) {
                continue;
            }
            if (wanted.test(group)) {
                try {
                    image.read(group, value, 0, Scratch.borrow(length), 0, length);
                } catch (DamagedImageException damaged) {
                    damages.accept(damaged);
                }
                // Of now: whoever has it open for writing may have let it be written again.
                unproved += GroupState.isSealed(image.lookup(group)) ? 0 : length;
            }
            progress.accept(length);
        }
        return unproved;
    }

    /**
     * Proves that all bytes between what is used are zeros, as they are in a file that was written once and never changed: so
     * every byte of it is accounted for.
     */
    static void verifyGaps(LayerImage image) throws IOException {
        var header = image.header();
        verifyZeros(image, ImageHeader.BYTES, header.directoryAt());
        verifyZeros(image,
                header.directoryAt() + (long) header.pageCount() * ImageHeader.ENTRY_BYTES,
                header.indexAt());
        var used = image.pagesInUse();
        for (int page = used.nextClearBit(0); page < header.pageCount();) {
            int end = used.nextSetBit(page);
            end = end < 0 ? header.pageCount() : end;
            verifyZeros(image, header.indexAt() + (long) page * ImageHeader.PAGE_BYTES,
                    header.indexAt() + (long) end * ImageHeader.PAGE_BYTES);
            page = used.nextClearBit(end);
        }
        verifyZeros(image, header.sumAt(image.slotCount(), 0), header.dataAt());
        int lastGroup = header.geometry().groupCount() - 1;
        long value = image.lookup(lastGroup);
        if (GroupState.isPresent(value)) {
            // The disk may end inside it.
            int slot = GroupState.slot(value);
            int length = header.geometry().groupLength(lastGroup);
            verifyZeros(image, header.slotAt(slot) + length, header.slotAt(slot + 1));
            verifyZeros(image, header.sumAt(slot, (length - 1) / ImageHeader.SUM_BLOCK_BYTES + 1),
                    header.sumAt(slot + 1, 0));
        }
    }

    private static void verifyZeros(LayerImage image, long from, long to)
            throws IOException {
        var buffer = Scratch.borrow(READ_BYTES);
        for (long at = from; at < to; at += READ_BYTES) {
            int length = (int) Math.min(READ_BYTES, to - at);
            image.readRaw(at, buffer, length);
            for (int i = 0; i < length; i++) {
                if (buffer.get(ValueLayout.JAVA_BYTE, i) != 0) {
                    throw new DamagedImageException(image.where(), at + i,
                            "there should be nothing but zeros");
                }
            }
        }
    }
}
