package io.tintype.cow.memory;

/**
 * A page that was to be loaded is damaged or cannot be read. The message names what is wrong and where; the page is as
 * before, so whoever asks again gets the same answer, or the page.
 */
public final class PageUnavailableException extends RuntimeException {
    /** With one line for people. */
    public PageUnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
