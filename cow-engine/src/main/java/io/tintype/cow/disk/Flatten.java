package io.tintype.cow.disk;

import java.io.IOException;

/**
 * A flatten under way: what a view below the top shows is copied into one image, which then takes the place of all files that
 * only this view and later ones saw. One thread at a time; it blocks in input and output and runs beside everything else that
 * the chain does.
 *
 * <pre>
 * flatten() --copyNext*--> all copied --finish--> the chain stands on the new image
 *                  \--------------------cancel--> as before; the new image is deleted
 * </pre>
 */
public final class Flatten {
    private final DiskChain chain;
    private final int view;
    private final LayerImage image;
    private final GroupCopier copier;
    private boolean ended;
    private boolean finishing;

    Flatten(DiskChain chain, int view, LayerImage image) {
        this.chain = chain;
        this.view = view;
        this.image = image;
        this.copier = new GroupCopier(chain, view, image);
    }

    /** The highest layer that is copied. */
    public int view() {
        return view;
    }

    public int groupsLeft() {
        return copier.groupsLeft();
    }

    /** Copies up to {@code groupsMax} groups; true if there are more. After a failure the same groups may be tried again. */
    public boolean copyNext(int groupsMax) throws IOException {
        checkOpen();
        return copier.copyNext(groupsMax);
    }

    /**
     * Makes the image durable and lets the chain stand on it, then deletes what nobody sees any more. After a failure it may be
     * tried again.
     */
    public void finish() throws IOException {
        checkOpen();
        if (copier.groupsLeft() > 0) {
            throw new IllegalStateException(
                    copier.groupsLeft() + " block groups are not copied yet");
        }
        finishing = true;
        chain.upkeep().finish(this);
        ended = true;
    }

    /** Deletes the image, if it can be; otherwise the next opening of the chain does. */
    public void cancel() {
        if (!ended) {
            ended = true;
            chain.upkeep().cancel(this, finishing);
        }
    }

    LayerImage image() {
        return image;
    }

    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("this flatten of view " + view + " has ended");
        }
    }
}
