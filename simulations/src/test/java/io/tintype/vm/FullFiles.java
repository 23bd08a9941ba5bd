package io.tintype.vm;

import io.tintype.store.StoreFile;
import io.tintype.store.StoreFiles;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Objects;

/** This machine's file system, which is full when a test says so: then no file takes another byte. Thread-safe. */
final class FullFiles {
    private volatile boolean full;

    void full(boolean now) {
        full = now;
    }

    StoreFiles files() {
        return proxy(StoreFiles.class, StoreFiles.onDisk());
    }

    private <T> T proxy(Class<T> type, T real) {
        return Objects
                .requireNonNull(type.cast(Proxy.newProxyInstance(FullFiles.class.getClassLoader(),
                        new Class<?>[] {type}, (_, method, arguments) -> {
                            if (full && method.getName().equals("write")) {
                                throw new IOException("No space left on device");
                            }
                            try {
                                var answer = method.invoke(real, arguments);
                                return answer instanceof StoreFile file
                                        ? proxy(StoreFile.class, file)
                                        : answer;
                            } catch (InvocationTargetException failure) {
                                throw failure.getCause();
                            }
                        })));
    }
}
