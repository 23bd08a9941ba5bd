package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Another directory, with a note of each change and each sync; a test may make a call wait or fail, or come into its middle. */
final class SpyDirectory implements ImageDirectory {
    interface Hook {
        void run() throws IOException;
    }

    private static final int CALLS_MAX = 100_000;

    private final ImageDirectory files;
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private volatile Hook beforeSync = () -> {};
    private volatile Hook beforeRead = () -> {};
    private volatile Hook midRead = () -> {};
    private volatile Hook midWrite = () -> {};
    private final boolean isMemory;

    SpyDirectory(ImageDirectory files) {
        this(files, files.isMemory());
    }

    private SpyDirectory(ImageDirectory files, boolean isMemory) {
        this.files = files;
        this.isMemory = isMemory;
    }

    /** One that says that it is not in memory, whatever it is: so what is in it is verified. */
    static SpyDirectory untrusted(ImageDirectory files) {
        return new SpyDirectory(files, false);
    }

    void beforeSync(Hook hook) {
        beforeSync = hook;
    }

    /** Runs once. */
    void beforeRead(Hook hook) {
        beforeRead = () -> {
            beforeRead = () -> {};
            hook.run();
        };
    }

    /** Runs once, after half of a read. */
    void midRead(Hook hook) {
        midRead = () -> {
            midRead = () -> {};
            hook.run();
        };
    }

    /** Runs once, after half of a write. */
    void midWrite(Hook hook) {
        midWrite = () -> {
            midWrite = () -> {};
            hook.run();
        };
    }

    private void note(String call) {
        // A test that does not ask would keep them all.
        if (calls.size() < CALLS_MAX) {
            calls.add(call);
        }
    }

    /** What was called since this was last asked, such as {@code write layer-0.img}. */
    List<String> calls() {
        synchronized (calls) {
            var copy = List.copyOf(calls);
            calls.clear();
            return copy;
        }
    }

    @Override
    public String location() {
        return files.location();
    }

    @Override
    public List<String> list() throws IOException {
        return files.list();
    }

    @Override
    public ImageFile create(String name) throws IOException {
        note("create " + name);
        return new Spy(name, files.create(name));
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        return new Spy(name, files.open(name, writable));
    }

    @Override
    public void delete(String name) throws IOException {
        note("delete " + name);
        files.delete(name);
    }

    @Override
    public byte[] read(String name) throws IOException {
        return files.read(name);
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        note("replace " + name);
        files.replace(name, content);
    }

    @Override
    public void sync() throws IOException {
        note("sync directory");
        files.sync();
    }

    @Override
    public String locate(ImageDirectory other) {
        return files.locate(other instanceof SpyDirectory spy ? spy.files : other);
    }

    @Override
    public boolean isMemory() {
        return isMemory;
    }

    @Override
    public ImageDirectory resolve(String locator) {
        return files.resolve(locator);
    }

    private final class Spy implements ImageFile {
        private final String name;
        private final ImageFile file;

        Spy(String name, ImageFile file) {
            this.name = name;
            this.file = file;
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            note("read " + name);
            beforeRead.run();
            int half = bytes / 2;
            file.read(position, target, targetOffset, half);
            midRead.run();
            file.read(position + half, target, targetOffset + half, bytes - half);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            note("write " + name);
            int half = bytes / 2;
            file.write(position, source, sourceOffset, half);
            midWrite.run();
            file.write(position + half, source, sourceOffset + half, bytes - half);
        }

        @Override
        public void sync() throws IOException {
            note("sync " + name);
            beforeSync.run();
            file.sync();
        }

        @Override
        public long size() throws IOException {
            return file.size();
        }

        @Override
        public void setSize(long bytes) throws IOException {
            file.setSize(bytes);
        }

        @Override
        public void close() {
            file.close();
        }
    }
}
