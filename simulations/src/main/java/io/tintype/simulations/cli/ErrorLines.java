package io.tintype.simulations.cli;

import io.tintype.simulations.run.UserErrorException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.OverwrittenOptionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * What is shown of an error: the one place that knows which exceptions are the world's or the user's fault and so are told in a line,
 * without a stack trace. All others are ours.
 */
final class ErrorLines {
    /**
     * Exceptions whose message names the thing, the value and the way out. By their simple names, superclasses' included, since they
     * belong to modules that do not know of each other.
     */
    private static final Set<String> SPEAKING =
            Set.of("StoreException", "ImageException", "CatalogueException", "TraceException",
                    "TraceFileException");

    private ErrorLines() {}

    /** One line, or null when the error is a mistake of ours. */
    static @Nullable String of(Throwable error) {
        if (error instanceof UserErrorException || isSpeaking(error)) {
            return line(error);
        }
        var cause = error.getCause();
        if (isWrapping(error) && cause != null) {
            return of(cause);
        }
        if (error instanceof FileSystemException fileError) {
            return ofFile(fileError);
        }
        return null;
    }

    /** What the file system refused, in its own words but for the two that Java leaves out. */
    private static String ofFile(FileSystemException error) {
        var wrong = switch (error) {
            case NoSuchFileException _ -> "does not exist";
            case AccessDeniedException _ -> "may not be read or written by you";
            default ->
                error.getReason() == null ? error.getClass().getSimpleName() : error.getReason();
        };
        return oneLine(error.getFile() + ": " + wrong);
    }

    private static boolean isWrapping(Throwable error) {
        return error instanceof ExecutionException
                || error instanceof CompletionException
                || error instanceof UncheckedIOException;
    }

    private static boolean isSpeaking(Throwable error) {
        for (Class<?> type = error.getClass(); type != null; type = type.getSuperclass()) {
            if (SPEAKING.contains(type.getSimpleName())) {
                return true;
            }
        }
        return false;
    }

    /** What is wrong with a command line, and where to read more. */
    static String of(ParameterException error) {
        var command = error.getCommandLine().getCommandSpec().qualifiedName();
        return oneLine(what(error)) + "; try './" + command + " --help'";
    }

    private static String what(ParameterException error) {
        if (error instanceof UnmatchedArgumentException unmatched) {
            var argument = unmatched.getUnmatched().getFirst();
            var suggestions = unmatched.getSuggestions();
            var kind = argument.startsWith("-")
                    ? "unknown option "
                    : error.getCommandLine().getSubcommands().isEmpty()
                            ? "unexpected "
                            : "unknown command ";
            return kind + argument
                    + (suggestions.isEmpty()
                            ? ""
                            : "; did you mean " + String.join(" or ", suggestions) + "?");
        }
        if (error instanceof OverwrittenOptionException twice) {
            return name(twice.getOverwritten()) + " is given twice";
        }
        if (error instanceof MissingParameterException missing && !missing.getMissing().isEmpty()) {
            var first = missing.getMissing().getFirst();
            return first.isPositional()
                    ? "no " + first.paramLabel() + " is given"
                    : name(first) + " needs a value: " + first.paramLabel();
        }
        if (error.getCause() instanceof TypeConversionException conversion) {
            var value = error.getValue();
            return name(error.getArgSpec()) + " "
                    + (value == null || value.isBlank() ? "'" + value + "'" : value) + ": "
                    + conversion.getMessage();
        }
        var message = line(error);
        return Character.toLowerCase(message.charAt(0)) + message.substring(1);
    }

    private static String name(@Nullable ArgSpec argument) {
        return switch (argument) {
            case null -> "a value";
            case OptionSpec option -> option.longestName();
            default -> argument.paramLabel();
        };
    }

    private static String line(Throwable error) {
        var message = error.getMessage();
        return oneLine(
                message == null || message.isBlank() ? error.getClass().getSimpleName() : message);
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }
}
