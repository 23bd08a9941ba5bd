package io.tintype.simulations.simulate;

import io.tintype.cow.disk.ClosedImageException;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Image files in memory for schedules that come one after another: after {@link #clear} there are none, and their pages are used
 * again. A schedule's disks are a few dozen pages, and memory fresh from the heap for each would cost more than all its messages.
 * For one thread; nothing here fails, so nothing is lost either.
 */
final class ReusedImages {
    private static final int PAGE_BYTES = 4096;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE_BYTES]);

    private final ArrayDeque<MemorySegment> spare = new ArrayDeque<>();
    private final TreeMap<String, Directory> directories = new TreeMap<>();
    /** They may be open still. */
    private final List<Content> deleted = new ArrayList<>();

    ImageDirectory at(String path) {
        var there = directories.get(path);
        if (there == null) {
            there = new Directory(path);
            directories.put(path, there);
        }
        return there;
    }

    /** All files are gone. Whoever has one open still must not use it. */
    void clear() {
        for (var directory : directories.values()) {
            directory.files.values().forEach(Content::giveBack);
        }
        directories.clear();
        deleted.forEach(Content::giveBack);
        deleted.clear();
    }

    private MemorySegment take() {
        var page = spare.pollLast();
        if (page == null) {
            return MemorySegment.ofArray(new byte[PAGE_BYTES]);
        }
        page.fill((byte) 0);
        return page;
    }

    private final class Directory implements ImageDirectory {
        private final String path;
        private final TreeMap<String, Content> files = new TreeMap<>();

        Directory(String path) {
            this.path = path;
        }

        @Override
        public String location() {
            return path;
        }

        @Override
        public List<String> list() {
            return List.copyOf(files.keySet());
        }

        @Override
        public ImageFile create(String name) throws IOException {
            var content = new Content();
            if (files.putIfAbsent(name, content) != null) {
                throw new FileAlreadyExistsException(path + "/" + name);
            }
            return new Handle(path, content);
        }

        @Override
        public ImageFile open(String name, boolean writable) throws IOException {
            return new Handle(path, find(name));
        }

        @Override
        public void delete(String name) throws IOException {
            deleted.add(find(name));
            files.remove(name);
        }

        @Override
        public byte[] read(String name) throws IOException {
            var content = find(name);
            var bytes = new byte[Math.toIntExact(content.size)];
            content.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            return bytes;
        }

        @Override
        public void replace(String name, byte[] bytes) {
            var content = new Content();
            content.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            var before = files.put(name, content);
            if (before != null) {
                before.giveBack();
            }
        }

        @Override
        public void sync() {}

        @Override
        public String locate(ImageDirectory other) {
            return other.location();
        }

        @Override
        public ImageDirectory resolve(String locator) {
            return at(locator);
        }

        private Content find(String name) throws NoSuchFileException {
            var content = files.get(name);
            if (content == null) {
                throw new NoSuchFileException(path + "/" + name);
            }
            return content;
        }
    }

    /** The bytes of a file; a page that was never written is none, and zero. */
    private final class Content {
        private @Nullable MemorySegment[] pages = new MemorySegment[16];
        /** The numbers of those that are there. */
        private int[] present = new int[8];
        private int presentCount;
        private long size;

        void read(long position, MemorySegment target, long targetOffset, int bytes) {
            for (int done = 0; done < bytes;) {
                long at = position + done;
                int offset = (int) (at % PAGE_BYTES);
                int count = Math.min(bytes - done, PAGE_BYTES - offset);
                int number = (int) (at / PAGE_BYTES);
                var page = number < pages.length ? pages[number] : null;
                MemorySegment.copy(page == null ? ZEROS : page, offset, target,
                        targetOffset + done, count);
                done += count;
            }
        }

        void write(long position, MemorySegment source, long sourceOffset, int bytes) {
            for (int done = 0; done < bytes;) {
                long at = position + done;
                int offset = (int) (at % PAGE_BYTES);
                int count = Math.min(bytes - done, PAGE_BYTES - offset);
                MemorySegment.copy(source, sourceOffset + done,
                        page((int) (at / PAGE_BYTES)), offset, count);
                done += count;
            }
            size = Math.max(size, position + bytes);
        }

        private MemorySegment page(int number) {
            if (number >= pages.length) {
                pages = Arrays.copyOf(pages, Math.max(number + 1, 2 * pages.length));
            }
            var page = pages[number];
            if (page == null) {
                page = take();
                pages[number] = page;
                if (presentCount == present.length) {
                    present = Arrays.copyOf(present, 2 * presentCount);
                }
                present[presentCount++] = number;
            }
            return page;
        }

        void setSize(long bytes) {
            if (bytes < size) {
                long kept = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
                for (int i = 0; i < presentCount; i++) {
                    int number = present[i];
                    var page = pages[number];
                    if (page != null && number >= kept) {
                        page.fill((byte) 0);
                    } else if (page != null && number == bytes / PAGE_BYTES) {
                        page.asSlice(bytes % PAGE_BYTES).fill((byte) 0);
                    }
                }
            }
            size = bytes;
        }

        void giveBack() {
            for (int i = 0; i < presentCount; i++) {
                var page = pages[present[i]];
                if (page != null) {
                    spare.addLast(page);
                    pages[present[i]] = null;
                }
            }
            presentCount = 0;
        }
    }

    private static final class Handle implements ImageFile {
        private final String where;
        private final Content content;
        private boolean closed;

        Handle(String where, Content content) {
            this.where = where;
            this.content = content;
        }

        private void check() throws ClosedImageException {
            if (closed) {
                throw new ClosedImageException(where);
            }
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            check();
            content.read(position, target, targetOffset, bytes);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            check();
            content.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            check();
        }

        @Override
        public long size() throws IOException {
            check();
            return content.size;
        }

        @Override
        public void setSize(long bytes) throws IOException {
            check();
            content.setSize(bytes);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
