package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreIdentity;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the catalogue costs: how long a journal takes to open, and how many events a second it takes. */
@Tag("benchmark")
class JournalSpeedBenchmarkTest {
    private static final int CHECKPOINTS = 10_000;
    private static final int ONE_BY_ONE = 500;

    @TempDir
    private Path directory;

    private Catalogue open(CheckpointStore store) throws IOException {
        return Catalogues.open(store, new JournalPlace.Embedded(), true,
                InstantSource.fixed(Facts.NOW));
    }

    private static double ms(long sinceNs) {
        return (System.nanoTime() - sinceNs) / 1e6;
    }

    private static double cpuMs() {
        var bean = (com.sun.management.OperatingSystemMXBean) ManagementFactory
                .getOperatingSystemMXBean();
        return bean.getProcessCpuTime() / 1e6;
    }

    @Test
    void shouldOpenQuicklyAndTakeThousandsOfEventsASecond() throws Exception {
        try (var store = CheckpointStore.open(directory.resolve("store"))) {
            store.imagesDirectory(WEB, 0);
            for (int round = 0; round < 4; round++) {
                double cpu = cpuMs();
                long ns = System.nanoTime();
                try (var catalogue = open(store)) {
                    double returned = ms(ns);
                    catalogue.ready().get(60, TimeUnit.SECONDS);
                    System.out.printf(Locale.ROOT,
                            "open, round %d: returns after %.1f ms, ready after %.0f ms, %.0f ms of CPU%n",
                            round, returned, ms(ns), cpuMs() - cpu);
                }
            }
            try (var catalogue = open(store)) {
                catalogue.tell(created()).durable().get(60, TimeUnit.SECONDS);
                long ns = System.nanoTime();
                for (int id = 1; id <= ONE_BY_ONE; id++) {
                    catalogue.tell(begun(id)).durable().get(60, TimeUnit.SECONDS);
                }
                System.out.printf(Locale.ROOT,
                        "one after the other, each waited for: %.0f events/s%n",
                        ONE_BY_ONE / ms(ns) * 1e3);
                double cpu = cpuMs();
                ns = System.nanoTime();
                for (int id = 1; id <= CHECKPOINTS - 1; id++) {
                    if (id > ONE_BY_ONE) {
                        catalogue.tell(begun(id));
                    }
                    catalogue.tell(sealed(id));
                }
                double told = ms(ns);
                catalogue.tell(sealed(CHECKPOINTS)).durable().get(60, TimeUnit.SECONDS);
                int count = 2 * CHECKPOINTS - ONE_BY_ONE;
                System.out.printf(Locale.ROOT,
                        "as they come: %.0f events/s, %.0f µs of CPU each; telling took %.2f µs each%n",
                        count / ms(ns) * 1e3, (cpuMs() - cpu) * 1e3 / count, told * 1e3 / count);
            }
            try (var files = Files.walk(StoreIdentity.directory(store))) {
                System.out.printf(Locale.ROOT, "journal of %d checkpoints: %.1f MiB%n", CHECKPOINTS,
                        files
                                .filter(Files::isRegularFile)
                                .mapToLong(file -> file.toFile().length())
                                .sum() / 1048576.0);
            }
            for (int round = 0; round < 3; round++) {
                long ns = System.nanoTime();
                // Not compared with the store, which has none of them: reading alone.
                try (var session = JournalSession.open(
                        new JournalDatabase.Embedded(
                                StoreIdentity.directory(store).resolve("journal")),
                        StoreIdentity.of(store).toString(), 1_000)) {
                    System.out.printf(Locale.ROOT, "open with %d checkpoints, round %d: %.0f ms%n",
                            CHECKPOINTS, round, ms(ns));
                    var web = Objects.requireNonNull(session.recovered().vms().get(WEB));
                    assertEquals(CHECKPOINTS, web.checkpoints().size());
                    assertEquals(ref(CHECKPOINTS),
                            Objects.requireNonNull(web.lastSealed()).ref());
                }
            }
        }
    }
}
