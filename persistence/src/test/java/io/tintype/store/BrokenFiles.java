package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.zip.CRC32C;

/**
 * A store with a file of each kind, in which one at a time is replaced by a broken one, behind right checksums if
 * wanted: as only a program that is wrong could have written it.
 */
final class BrokenFiles {
    private static final Path ROOT = Path.of("/store");
    private static final int PAGES = 130;

    /** A file, and how to give it right checksums again. */
    enum Target {
        MARKER("tintype-store"), //
        MANIFEST("checkpoints/vm-1/3/manifest"), //
        REGISTERS("checkpoints/vm-1/3/registers"), //
        MEMORY("checkpoints/vm-1/3/memory-0"), //
        ANCESTOR("checkpoints/vm-1/1/memory-0"), //
        HINTS("hints/vm-1.3"), //
        CHUNKS("checkpoints/vm-9/1/memory-0"), //
        CHUNKS_MANIFEST("checkpoints/vm-9/1/manifest");

        private final Path path;

        Target(String path) {
            this.path = ROOT.resolve(path);
        }
    }

    private final MemoryFiles files = new MemoryFiles();
    private final Target target;
    private final byte[] intact;
    private final Path manifest;
    private final byte[] manifestOf;

    BrokenFiles(Target target) throws IOException {
        this.target = target;
        try (var store = CheckpointStore.open(ROOT, files)) {
            var line = new Line("vm-1", PAGES);
            for (int i = 0; i < 3; i++) {
                line.change(new Random(i), i == 0 ? 90 : 5);
                line.seal(store);
            }
        }
        new TouchHints(files, new StoreLayout(ROOT)).write(Fixture.ref("vm-1", 3),
                new long[] {7, 5, 3});
        copyVersion1(files);
        intact = read(files, target.path);
        boolean isOfCheckpoint = target.path.startsWith(ROOT.resolve("checkpoints"));
        manifest = isOfCheckpoint ? target.path.resolveSibling("manifest") : target.path;
        manifestOf = read(files, manifest);
    }

    /** The file as it should be. */
    byte[] intact() {
        return intact.clone();
    }

    /** Puts {@code broken} in the place of the file, reads all there is in all ways, and puts the file back. */
    void readAllWith(byte[] broken, boolean isRepaired) throws IOException {
        byte[] content = broken.clone();
        if (isRepaired) {
            repair(target, files, content);
        }
        write(files, target.path, content);
        try {
            readAll(files);
        } finally {
            write(files, target.path, intact);
            write(files, manifest, manifestOf);
        }
    }

    /** Reads all there is, as it should be. */
    void readAllIntact() {
        readAll(files);
    }

    /** All that there is, through all ways in. */
    private static void readAll(MemoryFiles files) {
        try (var store = CheckpointStore.open(ROOT, files)) {
            for (CheckpointRef ref : store.list()) {
                try {
                    StoredCheckpoint stored = store.open(ref);
                    for (int region = 0; region < stored.manifest().regions().size(); region++) {
                        readSome(stored, region);
                    }
                    stored.verify();
                } catch (StoreException _) {
                    // As it should be.
                }
            }
            try {
                writeChild(store);
            } catch (IOException _) {
                // What it stands on is broken.
            }
            store.children(Fixture.ref("vm-1", 1));
            new TouchHints(files, new StoreLayout(ROOT)).read(Fixture.ref("vm-1", 3));
        } catch (StoreException _) {
            // The same, of the marker.
        }
    }

    /** One with some pages of each leaf, so that it reads those of its parent. It is not sealed, and leaves no trace. */
    private static void writeChild(CheckpointStore store) throws IOException {
        try (var arena = Arena.ofConfined();
                var staged = store.begin(Fixture.ref("vm-1", 9))) {
            var page = arena.allocate(Fixture.PAGE_BYTES);
            var writer = staged.memory(0, PAGES, Fixture.ref("vm-1", 3));
            for (int i = 0; i < PAGES; i += 50) {
                writer.append(i, page.fill((byte) i), 0);
            }
            writer.finish();
        }
    }

    private static void readSome(StoredCheckpoint stored, int region) throws StoreException {
        try (var arena = Arena.ofConfined(); MemoryPages pages = stored.pages(region)) {
            var page = arena.allocate(Fixture.PAGE_BYTES);
            int step = Math.max(1, pages.pageCount() / 16);
            for (long i = 0; i < pages.pageCount(); i += step) {
                if (pages.stored((int) i)) {
                    pages.read((int) i, page, 0);
                }
            }
        }
    }

    // ---- right checksums for wrong content ----

    private static void repair(Target target, MemoryFiles files, byte[] bytes)
            throws IOException {
        switch (target) {
            case MARKER, MANIFEST, CHUNKS_MANIFEST, HINTS -> repairEnvelope(bytes);
            case REGISTERS -> {
                repairEnvelope(bytes);
                vouch(files, target, bytes);
            }
            case MEMORY, ANCESTOR -> {
                repairIndex(bytes);
                vouch(files, target, bytes);
            }
            case CHUNKS -> {
                repairChunks(bytes);
                vouch(files, target, bytes);
            }
        }
    }

    private static void repairEnvelope(byte[] bytes) {
        if (bytes.length >= Envelope.OVERHEAD_BYTES) {
            put(bytes, 12, bytes.length - Envelope.OVERHEAD_BYTES);
            put(bytes, bytes.length - 4, crc(bytes, 0, bytes.length - 4));
        }
    }

    private static void repairIndex(byte[] bytes) {
        repairHeader(bytes);
        int trailer = bytes.length - PageIndex.TRAILER_BYTES;
        if (trailer < MemoryFormat.BLOCK_BYTES) {
            return;
        }
        put(bytes, trailer + PageIndex.TRAILER_HEADER_CRC, get(bytes, MemoryFormat.BLOCK_CRC));
        long root = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER)
                .getLong(trailer + PageIndex.TRAILER_ROOT_POSITION);
        int leaves = get(bytes, trailer + PageIndex.TRAILER_LEAF_COUNT);
        long sources = root + (long) leaves * PageIndex.ROOT_ENTRY_BYTES;
        // Each on its own: what is broken may be so large that the sum wraps.
        if (root >= 0 && root <= trailer && leaves >= 0 && sources <= trailer) {
            for (int i = 0; i < leaves; i++) {
                int entry = (int) root + i * PageIndex.ROOT_ENTRY_BYTES;
                long leaf = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER).getLong(entry);
                boolean own = get(bytes, entry + 8) == 0 && leaf > 0
                        && leaf <= bytes.length - PageIndex.LEAF_BYTES;
                if (own) {
                    repairFrames(bytes, (int) leaf);
                    put(bytes, entry + 12, crc(bytes, (int) leaf, PageIndex.LEAF_BYTES));
                }
            }
            put(bytes, trailer + PageIndex.TRAILER_ROOT_CRC,
                    crc(bytes, (int) root, leaves * PageIndex.ROOT_ENTRY_BYTES));
        }
        int count = get(bytes, trailer + PageIndex.TRAILER_SOURCE_COUNT);
        if (count >= 0 && (long) count * PageIndex.SOURCE_BYTES <= trailer) {
            int start = trailer - count * PageIndex.SOURCE_BYTES;
            put(bytes, bytes.length - 4, crc(bytes, start, bytes.length - 4 - start));
        }
    }

    /** So that what is broken gets as far as the decompressor. */
    private static void repairFrames(byte[] bytes, int leaf) {
        var index = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER);
        for (int at = leaf; at < leaf + PageIndex.LEAF_BYTES; at += 16) {
            long place = index.getLong(at);
            long position = PageIndex.position(place);
            int length = PageIndex.frameBytes(place);
            if (PageIndex.isFrameChecked(place) && length > 0
                    && PageIndex.source(index.getLong(at + 8)) == 0
                    && position + length <= bytes.length - Integer.BYTES) {
                put(bytes, (int) position + length, crc(bytes, (int) position, length));
            }
        }
    }

    private static void repairChunks(byte[] bytes) {
        repairHeader(bytes);
        int trailer = bytes.length - MemoryFormat.TRAILER_BYTES;
        if (trailer < MemoryFormat.BLOCK_BYTES) {
            return;
        }
        put(bytes, trailer + MemoryFormat.TRAILER_HEADER_CRC, get(bytes, MemoryFormat.BLOCK_CRC));
        long tail = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER)
                .getLong(trailer + MemoryFormat.TRAILER_TAIL_POSITION);
        if (tail < 0 || tail > trailer) {
            return;
        }
        int chunks = get(bytes, trailer + MemoryFormat.TRAILER_CHUNK_COUNT);
        for (int i = 0; i < chunks; i++) {
            long entry = tail + (long) i * MemoryFormat.TAIL_ENTRY_BYTES;
            if (entry + MemoryFormat.TAIL_ENTRY_BYTES > trailer) {
                break;
            }
            long chunk = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER).getLong((int) entry);
            if (chunk >= 0 && chunk <= bytes.length - MemoryFormat.BLOCK_BYTES) {
                int at = (int) chunk + MemoryFormat.BLOCK_CRC;
                put(bytes, at, crc(bytes, (int) chunk, MemoryFormat.BLOCK_CRC));
                put(bytes, (int) entry + 12, get(bytes, at));
            }
        }
        put(bytes, bytes.length - 4, crc(bytes, (int) tail, bytes.length - 4 - (int) tail));
    }

    private static void repairHeader(byte[] bytes) {
        if (bytes.length >= MemoryFormat.BLOCK_BYTES) {
            put(bytes, MemoryFormat.BLOCK_CRC, crc(bytes, 0, MemoryFormat.BLOCK_CRC));
        }
    }

    /** Lets the manifest say of the file what is the case. */
    private static void vouch(MemoryFiles files, Target target, byte[] bytes) throws IOException {
        if (bytes.length < 4) {
            return;
        }
        Path directory = Objects.requireNonNull(target.path.getParent());
        Path path = directory.resolve("manifest");
        var ref = Fixture.ref(String.valueOf(
                Objects.requireNonNull(directory.getParent()).getFileName()),
                Long.parseLong(String.valueOf(directory.getFileName())));
        Manifest manifest = StoredCheckpoint.readManifest(files, directory, ref);
        String name = String.valueOf(target.path.getFileName());
        var segments = manifest.segments().stream()
                .map(segment -> segment.name().equals(name)
                        ? new Manifest.Segment(name, bytes.length, get(bytes, bytes.length - 4))
                        : segment)
                .toList();
        write(files, path, Envelope.wrap(StagedCheckpoint.MANIFEST_MAGIC, 1,
                ManifestJson.write(manifest.withSegments(segments))));
    }

    private static int get(byte[] bytes, int at) {
        return ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER).getInt(at);
    }

    private static void put(byte[] bytes, int at, int value) {
        ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER).putInt(at, value);
    }

    private static int crc(byte[] bytes, int offset, int length) {
        var crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    // ---- files ----

    private static void copyVersion1(MemoryFiles files) throws IOException {
        Path directory = ROOT.resolve("checkpoints/vm-9");
        files.createDirectory(directory);
        files.createDirectory(directory.resolve("1"));
        for (String name : new String[] {"manifest", "memory-0", "memory-1", "queues",
            "registers"}) {
            try (InputStream in = Objects.requireNonNull(BrokenFiles.class
                    .getResourceAsStream("/store-v1/checkpoints/vm-1/1/" + name))) {
                write(files, directory.resolve("1").resolve(name), in.readAllBytes());
            }
        }
        Manifest old = StoredCheckpoint.readManifest(files, directory.resolve("1"),
                Fixture.ref("vm-1", 1));
        var renamed = new Manifest(Fixture.ref("vm-9", 1), null, List.of(),
                old.createdAt(), old.stunNs(), old.guestKind(), old.regions(), old.disks(),
                old.segments(), old.pending(), old.figures());
        write(files, directory.resolve("1/manifest"), Envelope
                .wrap(StagedCheckpoint.MANIFEST_MAGIC, 1, ManifestJson.write(renamed)));
    }

    private static byte[] read(MemoryFiles files, Path path) throws IOException {
        try (StoreFile file = files.openToRead(path)) {
            var bytes = ByteBuffer.allocate((int) file.size());
            file.read(0, bytes);
            return bytes.array();
        }
    }

    private static void write(MemoryFiles files, Path path, byte[] bytes) throws IOException {
        if (files.kind(path) != StoreFiles.Kind.NOTHING) {
            files.delete(path);
        }
        try (StoreFile file = files.create(path)) {
            file.write(0, ByteBuffer.wrap(bytes));
        }
    }
}
