package io.tintype.cow.disk;

/** The disk cannot be seen as of that layer (any more): a later layer was committed into it, or it never existed. */
public final class UnknownViewException extends ImageException {
    public UnknownViewException(String location, int view, String why) {
        super(location + ": has no view " + view + ": " + why);
    }
}
