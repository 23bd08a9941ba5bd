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

    /** Runs {@code step} on {@code executor} again and again, with others in between, until it returns false or throws. */
    static CompletableFuture<Void> repeat(Executor executor, Callable<Boolean> step) {
        var over = new CompletableFuture<Void>();
        repeat(executor, step, over);
        return over;
    }

    private static void repeat(Executor executor, Callable<Boolean> step,
            CompletableFuture<Void> over) {
        executor.execute(() -> {
            try {
                if (step.call()) {
                    repeat(executor, step, over);
                } else {
                    over.complete(null);
                }
            } catch (Exception failure) {
                over.completeExceptionally(failure);
            }
        });
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
