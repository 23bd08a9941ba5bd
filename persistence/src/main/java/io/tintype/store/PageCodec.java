package io.tintype.store;

import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import org.jspecify.annotations.Nullable;

/**
 * Compresses single pages, and decompresses them, with Zstandard; and two pages of scratch memory
 * to do it in. One user at a time.
 *
 * <p>Of the fast levels −1 is the one below which a page of ordinary memory loses more in size than
 * it gains in time. A page alone, rather than some together, costs a third of the ratio and keeps
 * each one readable by itself.
 */
final class PageCodec implements AutoCloseable {
    private static final int LEVEL = -1;

    private final ByteBuffer input = ByteBuffer.allocateDirect(MemoryFormat.PAGE_BYTES);
    private final ByteBuffer output = ByteBuffer.allocateDirect(MemoryFormat.PAGE_BYTES);
    private final MemorySegment page = MemorySegment.ofBuffer(output).asReadOnly();
    private @Nullable ZstdCompressCtx compressor;
    private @Nullable ZstdDecompressCtx decompressor;

    private PageCodec() {}

    /** See {@link CheckpointStore#loadCodec}. */
    static void load() {
        try (var codec = new PageCodec()) {
            // Of zeros, which it surely makes smaller.
            int bytes = codec.compress(codec.input(), 0, MemoryFormat.PAGE_BYTES);
            codec.input().put(codec.output().duplicate().limit(bytes));
            codec.decompress(codec.input(), 0, bytes);
        }
    }

    /**
     * Compresses the page at {@code offset} of {@code source}, a direct buffer, into {@link #output}.
     *
     * @param bytesMax what it must fit in to be worth it
     * @return its size, or 0 if it does not fit
     */
    int compress(ByteBuffer source, int offset, int bytesMax) {
        ZstdCompressCtx context = compressor;
        if (context == null) {
            context = new ZstdCompressCtx();
            // The size is known, and the page has a checksum of its own.
            context.setLevel(LEVEL).setContentSize(false).setChecksum(false).setDictID(false);
            compressor = context;
        }
        try {
            return context.compressDirectByteBuffer(output, 0, bytesMax, source, offset,
                    MemoryFormat.PAGE_BYTES);
        } catch (ZstdException _) {
            return 0;
        }
    }

    /**
     * Decompresses {@code bytes} at {@code offset} of a direct buffer into {@link #output}; false if
     * that does not come to a page.
     */
    boolean decompress(ByteBuffer source, int offset, int bytes) {
        ZstdDecompressCtx context = decompressor;
        if (context == null) {
            context = new ZstdDecompressCtx();
            decompressor = context;
        }
        try {
            return context.decompressDirectByteBuffer(output, 0, MemoryFormat.PAGE_BYTES, source,
                    offset, bytes) == MemoryFormat.PAGE_BYTES;
        } catch (ZstdException _) {
            return false;
        }
    }

    /** For what is read from a file and decompressed. */
    ByteBuffer input() {
        return input.clear();
    }

    /** What the last call came to. */
    ByteBuffer output() {
        return output.clear();
    }

    /** The same as a segment. */
    MemorySegment page() {
        return page;
    }

    /** Frees what is not on the heap, but for the buffers, which the collector frees. */
    @Override
    public void close() {
        if (compressor != null) {
            compressor.close();
        }
        if (decompressor != null) {
            decompressor.close();
        }
    }

    /** The codecs of one store. Whoever takes one gives it back. Any thread. */
    static final class Pool implements AutoCloseable {
        private static final int KEPT_COUNT_MAX = 32;

        private final ArrayDeque<PageCodec> kept = new ArrayDeque<>();
        private boolean closed;

        PageCodec take() {
            synchronized (this) {
                PageCodec codec = kept.pollLast();
                if (codec != null) {
                    return codec;
                }
            }
            return new PageCodec();
        }

        void give(PageCodec codec) {
            synchronized (this) {
                if (!closed && kept.size() < KEPT_COUNT_MAX) {
                    kept.addLast(codec);
                    return;
                }
            }
            codec.close();
        }

        @Override
        public void close() {
            synchronized (this) {
                closed = true;
                kept.forEach(PageCodec::close);
                kept.clear();
            }
        }
    }
}
