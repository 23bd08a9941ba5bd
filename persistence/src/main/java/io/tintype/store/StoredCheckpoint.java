package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A sealed checkpoint. Immutable and safe to share; every call opens the file it needs and closes
 * it again, and may block on the disk. Nobody deletes a checkpoint that is being read: that is the
 * caller's duty.
 *
 * <p>Nothing is handed out before its checksum is verified. What is not right is a {@link
 * DamagedSegmentException}.
 */
public final class StoredCheckpoint {
    /** 1 GiB: larger than any envelope that is written, so that a damaged size is not allocated. */
    private static final long ENVELOPE_BYTES_MAX = 1L << 30;

    private final CheckpointStore store;
    private final StoreFiles files;
    private final Path directory;
    private final Manifest manifest;

    private StoredCheckpoint(CheckpointStore store, StoreFiles files, Path directory,
            Manifest manifest) {
        this.store = store;
        this.files = files;
        this.directory = directory;
        this.manifest = manifest;
    }

    /** Reads the manifest and looks whether all it names is there, in its full length. */
    static StoredCheckpoint open(CheckpointStore store, StoreFiles files, Path directory,
            CheckpointRef ref) throws StoreException {
        Manifest manifest = readManifest(files, directory, ref);
        for (Manifest.Segment segment : manifest.segments()) {
            checkSize(files, directory.resolve(segment.name()), segment);
        }
        for (CheckpointRef source : manifest.sources()) {
            store.find(source, ref);
        }
        return new StoredCheckpoint(store, files, directory, manifest);
    }

    static Manifest readManifest(StoreFiles files, Path directory, CheckpointRef ref)
            throws StoreException {
        Path path = directory.resolve(StagedCheckpoint.MANIFEST);
        byte[] json =
                Envelope.unwrap(path, readWhole(files, path, null), StagedCheckpoint.MANIFEST_MAGIC,
                        StagedCheckpoint.MANIFEST_VERSION);
        Manifest manifest;
        try {
            manifest = ManifestJson.read(json);
        } catch (IllegalArgumentException e) {
            throw new DamagedSegmentException(path, Envelope.HEADER_BYTES,
                    String.valueOf(e.getMessage()));
        }
        if (!manifest.ref().equals(ref)) {
            throw new DamagedSegmentException(path, Envelope.HEADER_BYTES,
                    "it is the manifest of " + manifest.ref() + ", and lies where that of " + ref
                            + " should");
        }
        return manifest;
    }

    public Manifest manifest() {
        return manifest;
    }

    /** The bytes put under that name, a copy. */
    public byte[] segment(String name) throws StoreException {
        Path path = directory.resolve(name);
        Manifest.Segment expected = named(name);
        byte[] wrapped = readWhole(files, path, expected);
        byte[] payload = Envelope.unwrap(path, wrapped, StagedCheckpoint.SEGMENT_MAGIC,
                StagedCheckpoint.SEGMENT_VERSION);
        int crc = Envelope.storedCrc(wrapped);
        if (crc != expected.crc()) {
            throw new DamagedSegmentException(path, wrapped.length - Integer.BYTES,
                    "it is another checkpoint's: its checksum is %08x, in the manifest %08x"
                            .formatted(crc, expected.crc()));
        }
        return payload;
    }

    /**
     * Hands over the pages of one region, in the order stored, each one verified; those not handed
     * over are zero. A failure in the middle leaves the caller with some of the pages: they are
     * right, and not all.
     */
    public void forEachPage(int region, PageVisitor visitor) throws StoreException {
        ChunkBuffer buffer = store.buffers().take();
        try (MemoryPages pages = pages(region)) {
            switch (pages) {
                case ChunkedPages chunked -> chunked.forEachPage(buffer, visitor);
                case IndexedPages indexed -> indexed.forEachPage(buffer, visitor);
            }
        } finally {
            store.buffers().give(buffer);
        }
    }

    /**
     * Opens one region's pages to be read in any order, for a restore that reads what it needs. Costs
     * next to nothing: what says where the pages are is read when they are asked for.
     *
     * <p>Until it is closed all that it needs stays, even if the checkpoint is deleted meanwhile.
     */
    public MemoryPages pages(int region) throws StoreException {
        if (region < 0 || region >= manifest.regions().size()) {
            throw new IllegalArgumentException(
                    "region " + region + " of " + manifest.regions().size());
        }
        if (!store.lineage().pin(manifest, store::isListed)) {
            throw new StoreException("checkpoint " + manifest.ref() + " in " + store.directory()
                    + " was deleted; choose one of those listed");
        }
        Path path = directory.resolve(MemoryFormat.name(region));
        StoreFile file = null;
        MemoryPages pages = null;
        try {
            file = openToRead(files, path);
            pages = pages(region, path, file);
            return pages;
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        } finally {
            if (pages == null) {
                store.lineage().unpin(manifest);
                closeQuietly(file);
            }
        }
    }

    private MemoryPages pages(int region, Path path, StoreFile file) throws IOException {
        Manifest.Segment segment = named(MemoryFormat.name(region));
        int pageCount = manifest.regions().get(region).pages();
        MemoryHeader header = MemoryHeader.read(path, file, region, pageCount);
        Runnable unpin = () -> store.lineage().unpin(manifest);
        if (header.version() == MemoryFormat.VERSION_OF_CHUNKS) {
            return new ChunkedPages(path, file, store.buffers(),
                    new MemorySegmentReader(path, file, segment, header, pageCount), pageCount,
                    unpin);
        }
        var own = new PageIndex.Source(manifest.ref(), region, segment.bytes(), segment.crc(), 0,
                0);
        return IndexedPages.open(files, (source, of) -> store.find(source, manifest.ref())
                .resolve(MemoryFormat.name(of)), store.codecs(), unpin, path, file, header, own,
                pageCount);
    }

    private static void closeQuietly(@Nullable StoreFile file) {
        if (file != null) {
            try {
                file.close();
            } catch (IOException _) {
                // It was only read; what failed before is the one to report.
            }
        }
    }

    /**
     * Reads everything and keeps nothing: what is damaged is named, and where nothing is, a restore
     * will not fail.
     */
    public void verify() throws StoreException {
        for (Manifest.Segment segment : manifest.segments()) {
            if (!segment.name().startsWith(MemoryFormat.NAME_PREFIX)) {
                segment(segment.name());
            }
        }
        for (int region = 0; region < manifest.regions().size(); region++) {
            forEachPage(region, (_, _, _) -> {});
        }
    }

    private Manifest.Segment named(String name) {
        for (Manifest.Segment segment : manifest.segments()) {
            if (segment.name().equals(name)) {
                return segment;
            }
        }
        throw new IllegalArgumentException(
                "checkpoint " + manifest.ref() + " has no segment \"" + name + "\"");
    }

    private static void checkSize(StoreFiles files, Path path, Manifest.Segment expected)
            throws StoreException {
        try (StoreFile file = openToRead(files, path)) {
            checkSize(path, file.size(), expected);
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
    }

    private static void checkSize(Path path, long size, Manifest.Segment expected)
            throws DamagedSegmentException {
        if (size != expected.bytes()) {
            throw new DamagedSegmentException(path, Math.min(size, expected.bytes()),
                    "it has " + size + " bytes, and its manifest says " + expected.bytes());
        }
    }

    private static byte[] readWhole(StoreFiles files, Path path,
            Manifest.@Nullable Segment expected)
            throws StoreException {
        try (StoreFile file = openToRead(files, path)) {
            long size = file.size();
            if (expected != null) {
                checkSize(path, size, expected);
            }
            if (size > ENVELOPE_BYTES_MAX) {
                throw new DamagedSegmentException(path, 0,
                        "it has " + size + " bytes, more than is ever written");
            }
            var bytes = ByteBuffer.allocate((int) size);
            file.read(0, bytes);
            if (bytes.hasRemaining()) {
                throw new DamagedSegmentException(path, bytes.position(),
                        "it ends there while it is being read");
            }
            return bytes.array();
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
    }

    private static StoreFile openToRead(StoreFiles files, Path path) throws IOException {
        if (files.kind(path) != StoreFiles.Kind.FILE) {
            throw new DamagedSegmentException(path, 0, "there is no such file");
        }
        return files.openToRead(path);
    }
}
