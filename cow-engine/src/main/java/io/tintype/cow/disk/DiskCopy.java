package io.tintype.cow.disk;

import java.io.IOException;
import java.util.ArrayList;

/**
 * A copy of a disk as of a view in a file of its own: one image that holds everything, zeros as holes, each block of data with
 * a checksum. It speaks for itself: nothing else is needed to read it, and disks can be made on it ({@link
 * DiskChain#createOn}). One thread at a time; blocks in input and output.
 *
 * <pre>
 * begin() --copyNext*--> all copied --finish--> durable, but for its name
 *                \---------------------cancel--> the file is closed, and for its owner to delete
 * </pre>
 *
 * <p>The caller holds the view, and sees to it that no write is bound to it any more.
 */
public final class DiskCopy {
    /**
     * What became of it.
     *
     * @param bytes the file's size, holes included
     * @param dataBytes of groups that were not zeros
     * @param rootSum vouches for header and index, and through them for every block
     */
    public record Result(long bytes, long dataBytes, int rootSum) {}

    private final LayerImage image;
    private final GroupCopier copier;
    private final int groupBytes;

    private DiskCopy(DiskChain chain, LayerImage image, int view) {
        this.image = image;
        this.copier = new GroupCopier(chain, view, image);
        this.groupBytes = chain.geometry().groupBytes();
    }

    /** Creates the file. */
    public static DiskCopy begin(DiskChain chain, int view, ImageDirectory directory, String name)
            throws IOException {
        var header = new ImageHeader(chain.geometry(), chain.id(), view);
        return new DiskCopy(chain, LayerImage.createExact(directory, name, header), view);
    }

    /** Copies up to {@code groupsMax} groups; true if there are more. */
    public boolean copyNext(int groupsMax) throws IOException {
        return copier.copyNext(groupsMax);
    }

    public int groupsLeft() {
        return copier.groupsLeft();
    }

    /** Makes the content durable and closes the file; the directory is the caller's to sync. */
    public Result finish() throws IOException {
        if (copier.groupsLeft() > 0) {
            throw new IllegalStateException(
                    copier.groupsLeft() + " block groups are not copied yet");
        }
        image.sync();
        var result = new Result(image.fileBytes(), (long) copier.groupsCopied() * groupBytes,
                image.rootSum());
        image.close();
        return result;
    }

    /** Closes the file as it is. */
    public void cancel() {
        image.close();
    }

    /**
     * Opens a copy to read it, and checks header and index. It is a chain of one file, its top the layer that was copied.
     *
     * @throws DamagedImageException if it is not as it was written
     */
    public static DiskChain open(ImageDirectory directory, String name) throws IOException {
        return ChainOpener.openCopy(directory, name);
    }

    /**
     * Reads all of a copy and proves every byte of it.
     *
     * @param rootSum what {@link #finish} said
     */
    public static void verify(ImageDirectory directory, String name, int rootSum)
            throws IOException {
        var image = LayerImage.openAlone(directory, name);
        try {
            if (image.rootSum() != rootSum) {
                throw new DamagedImageException(image.where(), 0,
                        "this is another copy: its checksum is %08x, expected is %08x"
                                .formatted(image.rootSum(), rootSum));
            }
            var damages = new ArrayList<DamagedImageException>();
            ImageProof.verifyGaps(image);
            ImageProof.verify(image, _ -> true, _ -> {}, damages::add);
            if (!damages.isEmpty()) {
                throw damages.getFirst();
            }
        } finally {
            image.close();
        }
    }
}
