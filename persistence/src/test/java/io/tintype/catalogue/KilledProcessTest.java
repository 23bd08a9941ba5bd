package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.WEB;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.store.CheckpointStore;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was said to be durable is there after SIGKILL, and the journal opens: half a second of events is lost by H2's defaults. */
class KilledProcessTest {
    private static final int EVENTS = 60;

    @TempDir
    private Path directory;

    /** The process that is killed: begins one checkpoint after the other, and says so when it is durable. */
    public static void main(String[] arguments) throws Exception {
        var store = CheckpointStore.open(Path.of(arguments[0]));
        store.imagesDirectory(WEB, 0);
        var catalogue = open(store);
        catalogue.tell(Facts.created());
        catalogue.tell(Facts.started());
        for (int id = 1;; id++) {
            catalogue.tell(Facts.begun(id)).durable().get(60, TimeUnit.SECONDS);
            System.out.println(id);
        }
    }

    private static Catalogue open(CheckpointStore store) throws IOException {
        return Catalogues.open(store, new JournalPlace.Embedded(), true, InstantSource.system());
    }

    @Test
    void shouldLoseNothingThatWasDurable() throws Exception {
        var path = directory.resolve("store");
        var process = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-XX:TieredStopAtLevel=1", "-cp", System.getProperty("java.class.path"),
                KilledProcessTest.class.getName(), path.toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        int last = 0;
        try (BufferedReader said = process.inputReader(StandardCharsets.UTF_8)) {
            for (var line = said.readLine(); line != null && last < EVENTS; line = said
                    .readLine()) {
                last = Integer.parseInt(line);
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertEquals(EVENTS, last, "it ended by itself");

        try (var store = CheckpointStore.open(path); var catalogue = open(store)) {
            var web = Objects.requireNonNull(
                    catalogue.ready().get(30, TimeUnit.SECONDS).vms().get(WEB));
            assertEquals(VmRecord.Status.RUNNING, web.status());
            assertTrue(web.lastId() >= EVENTS, "only " + web.lastId());
            assertEquals(0, web.checkpoints().size());
        }
    }
}
