package io.tintype.simulations.fleet;

import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.SeriesSampler;
import io.tintype.store.StoreException;
import io.tintype.store.StoreSpace;
import io.tintype.vm.TintypeHost;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * What a host takes of its file system, and how long its chains are: now, and at the worst so far. One thread at a time.
 */
final class SpaceGauges {
    private static final StoreSpace UNKNOWN = new StoreSpace(0, 0, 0, 0, 0, 0);

    private final TintypeHost host;
    private final int layersLimit;
    private SeriesSampler.@Nullable Gauges worst;

    /** @param layersLimit see {@link RunResult.ChainFigures} */
    SpaceGauges(TintypeHost host, int layersLimit) {
        this.host = host;
        this.layersLimit = layersLimit;
    }

    /** Looks once more. */
    SeriesSampler.Gauges read() {
        long imageBytes = 0;
        int layers = 0;
        for (var disk : host.disks()) {
            imageBytes += disk.bytesOnDisk();
            layers = Math.max(layers, disk.layers());
        }
        var now = new SeriesSampler.Gauges(space().usableBytes(), imageBytes, layers);
        worst = worst == null ? now : worst.worse(now);
        return now;
    }

    /** Whether the store refuses checkpoints for want of room. */
    boolean isNearlyFull() {
        return space().isNearlyFull();
    }

    RunResult.SpaceFigures figures() {
        var most = most();
        var space = space();
        return new RunResult.SpaceFigures(space.totalBytes(), most.usableBytes(),
                space.reservedBytes(),
                bytesIn(host.store().directory().resolve("checkpoints")), most.imageBytes());
    }

    RunResult.ChainFigures chains() {
        return new RunResult.ChainFigures(most().chainLayers(), layersLimit);
    }

    private SeriesSampler.Gauges most() {
        var known = worst;
        return known == null ? read() : known;
    }

    private StoreSpace space() {
        try {
            return host.store().space();
        } catch (StoreException _) {
            // The next checkpoint says what is wrong with the store; a gauge is no place for it.
            return UNKNOWN;
        }
    }

    /** The sizes of all files; those that go meanwhile may or may not be counted. */
    private static long bytesIn(Path folder) {
        var bytes = new AtomicLong();
        try {
            Files.walkFileTree(folder, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    bytes.addAndGet(attributes.size());
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFileFailed(Path file, IOException gone) {
                    return FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult postVisitDirectory(Path directory,
                        @Nullable IOException gone) {
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException _) {
            return bytes.get();
        }
        return bytes.get();
    }
}
