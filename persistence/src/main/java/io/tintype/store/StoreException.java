package io.tintype.store;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;

/**
 * The world is wrong, not the program: a full disk, a directory that is no store, a file that
 * cannot be read. The message is one line for the user, which names the thing, says what is the
 * matter with it and what can be done.
 */
public class StoreException extends IOException {
    public StoreException(String message) {
        super(message);
    }

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    /**
     * {@code doing} is an infinitive, such as {@code "write"}; {@code file} is what it was tried
     * on.
     */
    static StoreException of(String doing, Path file, IOException cause) {
        if (cause instanceof StoreException known) {
            return known;
        }
        String reason = reason(cause);
        return new StoreException(
                "cannot " + doing + " " + file + ": " + reason + "; " + wayOut(reason), cause);
    }

    private static String reason(IOException cause) {
        String reason =
                cause instanceof FileSystemException of ? of.getReason() : cause.getMessage();
        if (reason != null && !reason.isBlank()) {
            return reason;
        }
        return switch (cause) {
            case AccessDeniedException _ -> "Permission denied";
            case NoSuchFileException _ -> "No such file or directory";
            case NotDirectoryException _ -> "Not a directory";
            case FileAlreadyExistsException _ -> "File exists";
            case DirectoryNotEmptyException _ -> "Directory not empty";
            default -> cause.getClass().getSimpleName();
        };
    }

    /** By the texts of the C library, which is all that Java passes on of an error number. */
    private static String wayOut(String reason) {
        return switch (reason) {
            case "No space left on device", "Disk quota exceeded" ->
                "free some space there or choose another store directory";
            case "Permission denied", "Operation not permitted", "Read-only file system" ->
                "choose a store directory that can be written";
            case "No such file or directory", "Not a directory" -> "choose another store directory";
            case "Too many open files" -> "raise the limit on open files (ulimit -n)";
            default -> "check the disk that it is on";
        };
    }
}
