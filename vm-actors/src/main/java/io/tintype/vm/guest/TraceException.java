package io.tintype.vm.guest;

/** A recorded trace cannot be used. The message is one line that names the file, the place, the value and a way out. */
public final class TraceException extends Exception {
    /** With that message. */
    public TraceException(String message) {
        super(message);
    }
}
