package io.tintype.simulations.simulate;

import io.tintype.cow.disk.ClosedImageException;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import io.tintype.store.StoreFiles;
import io.tintype.store.StoreImages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The image files of all disks of a simulated host, in memory, with what a power failure would leave of them. */
final class SimulatedImages {
    private static final String CHECKPOINTS = "checkpoints/";

    private final Power power;
    private @Nullable StoreFiles copies;
    private final TreeMap<String, Directory> directories = new TreeMap<>();

    SimulatedImages(Power power) {
        this.power = power;
    }

    /** Where copies of disks are: in checkpoints, so not here. */
    void copiesAreIn(StoreFiles store) {
        copies = store;
    }

    ImageDirectory at(String path) {
        int checkpoint = path.indexOf(CHECKPOINTS);
        var files = copies;
        if (checkpoint >= 0 && files != null) {
            return new StoreImages(files, SimulatedHost.STORE.resolve(path.substring(checkpoint)));
        }
        var there = directories.get(path);
        if (there == null) {
            there = new Directory(path);
            directories.put(path, there);
        }
        return there;
    }

    /** What a power failure now leaves; this one is as it was. */
    SimulatedImages crashed(Power newPower, long seed) {
        var left = new SimulatedImages(newPower);
        directories.forEach((path, directory) -> directory.crashInto(left, seed));
        return left;
    }

    private final class Directory implements ImageDirectory {
        private final String path;
        private final TreeMap<String, CrashableBytes> files = new TreeMap<>();
        private TreeMap<String, CrashableBytes> durable = new TreeMap<>();

        Directory(String path) {
            this.path = path;
        }

        void crashInto(SimulatedImages images, long seed) {
            var left = (Directory) images.at(path);
            var names = new TreeMap<>(durable);
            names.putAll(files);
            for (var name : names.keySet()) {
                var where = path + "/" + name;
                var older = durable.get(name);
                var newer = files.get(name);
                var content = older == newer || (Dice.of(seed, where, -2) & 1) != 0 ? newer : older;
                if (content != null) {
                    left.files.put(name, content.crashed(images.power, seed, where));
                }
            }
            left.durable = new TreeMap<>(left.files);
        }

        @Override
        public String location() {
            return path;
        }

        @Override
        public List<String> list() throws IOException {
            power.access();
            return List.copyOf(files.keySet());
        }

        @Override
        public ImageFile create(String name) throws IOException {
            power.change();
            if (files.containsKey(name)) {
                throw new FileAlreadyExistsException(path + "/" + name);
            }
            var content = new CrashableBytes(power);
            files.put(name, content);
            return new Handle(path + "/" + name, content);
        }

        @Override
        public ImageFile open(String name, boolean writable) throws IOException {
            power.access();
            return new Handle(path + "/" + name, find(name));
        }

        @Override
        public void delete(String name) throws IOException {
            power.change();
            power.shrink((long) find(name).pages() * CrashableBytes.PAGE_BYTES);
            files.remove(name);
        }

        @Override
        public byte[] read(String name) throws IOException {
            power.access();
            var content = find(name);
            var bytes = new byte[(int) content.size()];
            content.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            return bytes;
        }

        @Override
        public void replace(String name, byte[] bytes) throws IOException {
            power.change();
            power.grow(path + "/" + name, 0);
            var content = new CrashableBytes(power);
            content.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            content.sync();
            files.put(name, content);
            durable = new TreeMap<>(files);
        }

        @Override
        public void sync() throws IOException {
            power.change();
            durable = new TreeMap<>(files);
        }

        @Override
        public String locate(ImageDirectory other) {
            return other.location();
        }

        @Override
        public ImageDirectory resolve(String locator) {
            return at(locator);
        }

        private CrashableBytes find(String name) throws NoSuchFileException {
            var content = files.get(name);
            if (content == null) {
                throw new NoSuchFileException(path + "/" + name);
            }
            return content;
        }
    }

    private final class Handle implements ImageFile {
        private final String where;
        private final CrashableBytes content;
        private boolean closed;

        Handle(String where, CrashableBytes content) {
            this.where = where;
            this.content = content;
        }

        private void check() throws IOException {
            if (closed) {
                throw new ClosedImageException(where);
            }
            power.access();
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
            power.change();
            int before = content.pages();
            long end = position + bytes;
            int after = (int) ((end + CrashableBytes.PAGE_BYTES - 1) / CrashableBytes.PAGE_BYTES);
            if (after > before) {
                power.grow(where, (long) (after - before) * CrashableBytes.PAGE_BYTES);
            }
            content.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            check();
            power.change();
            content.sync();
        }

        @Override
        public long size() throws IOException {
            check();
            return content.size();
        }

        @Override
        public void setSize(long bytes) throws IOException {
            check();
            power.change();
            content.setSize(bytes);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
