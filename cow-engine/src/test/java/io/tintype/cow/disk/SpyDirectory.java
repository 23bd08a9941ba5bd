package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** Another directory, with a note of each change and each sync; a test may make a sync wait or fail. */
final class SpyDirectory implements ImageDirectory {
    interface Hook {
        void run() throws IOException;
    }

    private final ImageDirectory files;
    private final List<String> calls = Collections.synchronizedList(new ArrayList<>());
    private volatile Hook beforeSync = () -> {};
    private volatile Hook beforeRead = () -> {};

    SpyDirectory(ImageDirectory files) {
        this.files = files;
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
        calls.add("create " + name);
        return new Spy(name, files.create(name));
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        return new Spy(name, files.open(name, writable));
    }

    @Override
    public void delete(String name) throws IOException {
        calls.add("delete " + name);
        files.delete(name);
    }

    @Override
    public byte[] read(String name) throws IOException {
        return files.read(name);
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        calls.add("replace " + name);
        files.replace(name, content);
    }

    @Override
    public void sync() throws IOException {
        calls.add("sync directory");
        files.sync();
    }

    @Override
    public String locate(ImageDirectory other) {
        return files.locate(other instanceof SpyDirectory spy ? spy.files : other);
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
            calls.add("read " + name);
            beforeRead.run();
            file.read(position, target, targetOffset, bytes);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            calls.add("write " + name);
            file.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            calls.add("sync " + name);
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
