package io.tintype.simulations.bench.suite;

import io.tintype.scheduler.IoStatus;
import io.tintype.vm.DiskIo;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A disk that begins so many transfers a second and no more, one after another in the order asked. What is in flight to it stays
 * in flight, and how much that is does not change what else the machine has to do. Syncs are not held up.
 */
final class PacedDisk implements DiskIo {
    private static final long CLOSE_SECONDS_MAX = 30;

    private record Waiting(Operation operation, Consumer<IoStatus> done) {}

    private final DiskIo disk;
    private final long intervalNs;
    private final LinkedBlockingQueue<Waiting> line = new LinkedBlockingQueue<>();
    private final Thread pacer;
    private volatile boolean closing;

    PacedDisk(DiskIo disk, int perSecond) {
        this.disk = disk;
        intervalNs = TimeUnit.SECONDS.toNanos(1) / perSecond;
        pacer = Thread.ofPlatform().name("tintype-paced-disk").daemon().start(this::pace);
    }

    @Override
    public @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
        if (operation.kind() == Operation.Kind.SYNC) {
            return disk.submit(operation, done);
        }
        line.add(new Waiting(operation, done));
        return null;
    }

    private void pace() {
        long next = System.nanoTime();
        while (!closing || !line.isEmpty()) {
            var waiting = nextInLine();
            if (waiting == null) {
                continue;
            }
            for (long left = next - System.nanoTime(); left > 0; left = next - System.nanoTime()) {
                LockSupport.parkNanos(left);
            }
            // No burst after a pause: the interval is kept from now on.
            next = Math.max(next, System.nanoTime() - intervalNs) + intervalNs;
            var status = disk.submit(waiting.operation(), waiting.done());
            if (status != null) {
                waiting.done().accept(status);
            }
        }
    }

    private @Nullable Waiting nextInLine() {
        try {
            return line.poll(10, TimeUnit.MILLISECONDS);
        } catch (InterruptedException interrupted) {
            return null; // only a closing host interrupts, and what is in line is done first
        }
    }

    @Override
    public void close() {
        closing = true;
        try {
            pacer.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS_MAX));
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        disk.close();
    }
}
