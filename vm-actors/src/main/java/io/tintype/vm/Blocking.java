package io.tintype.vm;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** Runs calls that block on an executor made for it, and says in one line why one failed. */
final class Blocking {
    private Blocking() {}

    /** Runs {@code call} on {@code executor}; the future fails with what it throws. */
    static <T> CompletableFuture<T> call(Executor executor, Callable<T> call) {
        var result = new CompletableFuture<T>();
        executor.execute(
                () -> {
                    try {
                        result.complete(call.call());
                    } catch (Exception failure) {
                        result.completeExceptionally(failure);
                    }
                });
        return result;
    }

    /** Returns what went wrong, without the wrapping that futures add. */
    static String reason(@Nullable Throwable failure) {
        var cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause == null) {
            return "unknown";
        }
        var message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }
}
