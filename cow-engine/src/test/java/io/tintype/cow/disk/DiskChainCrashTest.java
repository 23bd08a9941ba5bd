package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Power is lost between any two operations, and a disk finds itself again: every sector that was synced is there, every
 * other is one that was written since or what was there before, views that were synced and held are as they were. Then it
 * goes on, and power is lost again.
 *
 * <p>Not covered: two threads at once, and a disk that lies about having synced.
 */
class DiskChainCrashTest {
    private static final long SEED = Long.getLong("seed", 1);
    private static final int SEEDS = Integer.getInteger("seeds", 50);

    @Test
    void shouldKeepWhatWasSyncedThroughCrashes() {
        for (long seed = SEED; seed < SEED + SEEDS; seed++) {
            run(seed, false);
        }
    }

    @Test
    void shouldKeepWhatWasSyncedThroughFailuresAndCrashes() {
        for (long seed = SEED; seed < SEED + SEEDS; seed++) {
            run(seed, true);
        }
    }

    @Test
    @Tag("simulation")
    void shouldKeepWhatWasSyncedThroughManyCrashes() {
        for (long seed = SEED; seed < SEED + 40L * SEEDS; seed++) {
            run(seed, seed % 2 == 0);
        }
    }

    private static void run(long seed, boolean failures) {
        var disk = new Disk(new Random(seed), failures);
        try {
            disk.create();
            for (int crashes = 0; crashes < 6; crashes++) {
                disk.runUntilCrash();
                disk.recover();
            }
        } catch (AssertionError | RuntimeException | IOException e) {
            fail("rerun with -Dseed=" + seed + ", " + disk.story, e);
        }
    }

    private static final class Disk {
        private final Random random;
        private final boolean failures;
        private final DiskGeometry geometry;
        private final int sectors;
        private final int groupSectors;
        private final ArrayList<String> story = new ArrayList<>();

        /** What each sector of the top may show after a crash now. */
        private final List<TreeSet<Long>> allowed = new ArrayList<>();

        /** What it shows now; not known after a write that failed. */
        private final List<TreeSet<Long>> current = new ArrayList<>();

        /** What a held view shows, crash or no crash. */
        private final TreeMap<Integer, long[]> sealed = new TreeMap<>();

        @SuppressWarnings("ArrayRecordComponent") // never compared
        private record Copied(long[] content, int rootSum) {}

        /** What durable copies must show, crash or no crash. */
        private final TreeMap<String, Copied> copies = new TreeMap<>();
        private int copyCount;

        private CrashingDirectory directory;
        private DiskChain chain;
        private long version;

        @SuppressWarnings("NullAway") // chain is there after create()
        Disk(Random random, boolean failures) {
            this.random = random;
            this.failures = failures;
            // Sometimes more than one index page: 600 groups need two.
            int groups = random.nextInt(20) == 0 ? 600 : 10;
            geometry = new DiskGeometry(groups * 4096L - 1024, 4096);
            sectors = (int) (geometry.sizeBytes() / Sectors.BYTES);
            groupSectors = geometry.groupBytes() / Sectors.BYTES;
            directory = new CrashingDirectory(random);
            for (int i = 0; i < sectors; i++) {
                allowed.add(new TreeSet<>(List.of(0L)));
                current.add(new TreeSet<>(List.of(0L)));
            }
        }

        void create() throws IOException {
            chain = DiskChain.create(directory, geometry, new ChainId(1, 2));
            chain.sync(0);
        }

        void runUntilCrash() throws IOException {
            directory.crashAfter(random.nextInt(random.nextBoolean() ? 30 : 200));
            if (failures) {
                directory.failAfter(random.nextInt(100), random.nextBoolean());
            }
            try {
                for (;;) {
                    try {
                        step();
                    } catch (CrashingDirectory.Failure e) {
                        story.add("! " + e.getMessage());
                        check();
                    }
                }
            } catch (CrashingDirectory.Crash e) {
                story.add("crash");
            } catch (IOException e) {
                // A layer whose sync failed stays failed: the VM is restarted from what is on disk.
                assertTrue(e.getMessage() != null && e.getMessage().contains("earlier sync failed"),
                        e::toString);
                story.add("gave up");
            }
        }

        private void step() throws IOException {
            switch (random.nextInt(16)) {
                case 0, 1, 2, 3 -> write();
                case 4, 5 -> zeros();
                case 6, 7 -> sync();
                case 8 -> overlay();
                case 9 -> seal();
                case 10 -> commit();
                case 11 -> flatten();
                case 12 -> copy();
                case 13 -> {
                    story.add("drop");
                    chain.dropUnseen();
                }
                case 14 -> reopen();
                default -> unseal();
            }
        }

        private void write() throws IOException {
            int first = random.nextInt(sectors);
            int count = 1 + random.nextInt(Math.min(sectors - first, 2 * groupSectors));
            version++;
            story.add("write " + first + "+" + count + " v" + version + " L" + chain.top());
            begin(first, count, version);
            Sectors.write(chain, chain.top(), first, count, version);
            end(first, count, version);
        }

        private void zeros() throws IOException {
            int group = random.nextInt(geometry.groupCount());
            int first = group * groupSectors;
            int count = geometry.groupLength(group) / Sectors.BYTES;
            if (random.nextInt(4) == 0) {
                count = 1 + random.nextInt(count);
            }
            story.add("zeros " + first + "+" + count + " L" + chain.top());
            begin(first, count, 0);
            chain.writeZeroes(chain.top(), (long) first * Sectors.BYTES,
                    (long) count * Sectors.BYTES, true);
            end(first, count, 0);
        }

        private void begin(int first, int count, long written) {
            for (int i = first; i < first + count; i++) {
                allowed.get(i).add(written);
                current.get(i).add(written);
            }
        }

        private void end(int first, int count, long written) {
            for (int i = first; i < first + count; i++) {
                current.get(i).clear();
                current.get(i).add(written);
            }
        }

        private void sync() throws IOException {
            story.add("sync");
            chain.sync(chain.top());
            story.add("synced");
            for (int i = 0; i < sectors; i++) {
                allowed.set(i, new TreeSet<>(current.get(i)));
            }
        }

        private void overlay() throws IOException {
            story.add("overlay on " + chain.top());
            var overlay = chain.prepareOverlay();
            if (random.nextInt(5) == 0) {
                story.add("discard");
                chain.discardPrepared(overlay);
            } else {
                chain.switchTo(overlay);
            }
            story.add("top " + chain.top());
        }

        /** As a checkpoint does: overlay, sync what is below, keep it. */
        private void seal() throws IOException {
            int view = chain.top();
            story.add("seal " + view);
            chain.hold(view);
            try {
                chain.switchTo(chain.prepareOverlay());
                chain.seal(view);
            } catch (IOException e) {
                chain.release(view);
                throw e;
            }
            sealed.put(view, Sectors.read(chain, view));
            for (int i = 0; i < sectors; i++) {
                allowed.set(i, new TreeSet<>(List.of(sealed.get(view)[i])));
                current.set(i, new TreeSet<>(allowed.get(i)));
            }
        }

        /** In an orderly way: everything has checksums then, and goes on being written. */
        private void reopen() throws IOException {
            story.add("close");
            chain.sealAll();
            chain.close();
            // Durable as after a sync.
            for (int i = 0; i < sectors; i++) {
                allowed.set(i, new TreeSet<>(current.get(i)));
            }
            assertEquals(0, DiskInspector.check(directory, _ -> {}).unprovedBytes());
            try {
                chain = DiskChain.open(directory);
            } catch (CrashingDirectory.Failure e) {
                story.add("! " + e.getMessage());
                chain = DiskChain.open(directory);
            }
            sealed.keySet().forEach(chain::hold);
            story.add("opened, top " + chain.top());
        }

        private void unseal() {
            if (!sealed.isEmpty() && random.nextBoolean()) {
                int view = List.copyOf(sealed.keySet()).get(random.nextInt(sealed.size()));
                story.add("unseal " + view);
                chain.release(view);
                sealed.remove(view);
            }
        }

        private void commit() throws IOException {
            for (int layer = chain.top(); layer > 0; layer--) {
                if (chain.mayCommit(layer)) {
                    story.add("commit " + layer);
                    var commit = chain.commit(layer);
                    try {
                        while (commit.copyNext(1)) {
                            if (random.nextInt(20) == 0) {
                                story.add("cancel");
                                return;
                            }
                            if (random.nextInt(4) == 0) {
                                write();
                            }
                        }
                        commit.finish();
                        story.add("committed");
                    } finally {
                        commit.cancel();
                    }
                    return;
                }
            }
        }

        private void flatten() throws IOException {
            if (chain.nextFlatten() < 0) {
                return;
            }
            story.add("flatten " + chain.nextFlatten());
            var flatten = chain.flatten(chain.nextFlatten());
            try {
                while (flatten.copyNext(1)) {
                    switch (random.nextInt(20)) {
                        case 0 -> {
                            story.add("cancel");
                            return;
                        }
                        case 1, 2, 3 -> write();
                        case 4 -> overlay();
                        case 5 -> unseal();
                        default -> {}
                    }
                }
                flatten.finish();
                story.add("flattened");
            } finally {
                flatten.cancel();
            }
        }

        /** Of a view that somebody holds, under a name that becomes durable with it. */
        private void copy() throws IOException {
            if (sealed.isEmpty()) {
                return;
            }
            int view = sealed.lastKey();
            String name = "copy-" + copyCount++;
            story.add("copy " + view + " as " + name);
            var content = view(view).clone();
            var copy = DiskCopy.begin(chain, view, directory, name);
            try {
                while (copy.copyNext(1)) {
                    if (random.nextInt(4) == 0) {
                        write();
                    }
                }
                var result = copy.finish();
                directory.sync();
                copies.put(name, new Copied(content, result.rootSum()));
                story.add("copied");
            } finally {
                copy.cancel();
            }
        }

        private long[] view(int view) {
            return Objects.requireNonNull(sealed.get(view));
        }

        private void checkCopies() throws IOException {
            for (var copy : copies.entrySet()) {
                DiskCopy.verify(directory, copy.getKey(), copy.getValue().rootSum());
                try (var opened = DiskCopy.open(directory, copy.getKey())) {
                    assertArrayEquals(copy.getValue().content(),
                            Sectors.read(opened, opened.top()), copy.getKey());
                }
            }
        }

        private void check() throws IOException {
            var top = Sectors.read(chain, chain.top());
            for (int i = 0; i < sectors; i++) {
                assertTrue(current.get(i).contains(top[i]),
                        "sector " + i + " is " + top[i] + ", not of " + current.get(i));
            }
            checkSealed();
        }

        private void checkSealed() throws IOException {
            for (var view : sealed.entrySet()) {
                assertArrayEquals(view.getValue(), Sectors.read(chain, view.getKey()),
                        "view " + view.getKey());
            }
        }

        void recover() throws IOException {
            directory = directory.afterCrash();
            for (var view : sealed.entrySet()) {
                try (var stored = DiskChain.openReadOnly(directory, view.getKey())) {
                    assertArrayEquals(view.getValue(), Sectors.read(stored, view.getKey()),
                            "stored view " + view.getKey());
                }
            }
            checkCopies();
            chain = DiskChain.open(directory);
            story.add("recovered, top " + chain.top());
            sealed.keySet().forEach(chain::hold);
            checkSealed();
            int unfinished = chain.unfinishedCommit();
            if (unfinished >= 0 && random.nextBoolean()) {
                story.add("resume commit " + unfinished);
                var commit = chain.commit(unfinished);
                while (commit.copyNext(1)) {
                    // one after another
                }
                commit.finish();
            }
            var found = Sectors.read(chain, chain.top());
            for (int i = 0; i < sectors; i++) {
                assertTrue(allowed.get(i).contains(found[i]),
                        "sector " + i + " is " + found[i] + ", not of " + allowed.get(i));
                allowed.set(i, new TreeSet<>(List.of(found[i])));
                current.set(i, new TreeSet<>(List.of(found[i])));
            }
            // Opening wrote nothing that a second crash could turn into something else.
            try (var again = DiskChain.openReadOnly(directory, chain.top())) {
                assertArrayEquals(found, Sectors.read(again, again.top()));
            }
        }
    }
}
