package io.tintype.catalogue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Made-up VMs and checkpoints. */
final class Facts {
    static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");
    static final VmId WEB = new VmId("web-1");

    private Facts() {}

    static CheckpointRef ref(long id) {
        return new CheckpointRef(WEB, new CheckpointId(id));
    }

    static SealedFacts facts() {
        return new SealedFacts(NOW, 42_000, 3, 8192, null, "synthetic", List.of(4096L),
                List.of(65_536L));
    }

    static CatalogueEvent created() {
        return new CatalogueEvent.VmCreated(WEB, List.of(4096L), List.of(65_536L), null, NOW);
    }

    static CatalogueEvent started() {
        return new CatalogueEvent.VmStarted(WEB, NOW);
    }

    static CatalogueEvent begun(long id) {
        return new CatalogueEvent.CheckpointBegun(ref(id), NOW);
    }

    static CatalogueEvent stunned(long id) {
        return new CatalogueEvent.CheckpointStunned(ref(id), 42_000, 3);
    }

    static CatalogueEvent sealed(long id) {
        return new CatalogueEvent.CheckpointSealed(ref(id), facts());
    }

    static CatalogueEvent operation(String name, OperationRecord.Kind kind,
            Map<String, String> details) {
        return new CatalogueEvent.OperationBegun(name, kind, WEB,
                kind.name().startsWith("DISK") ? 0 : -1, new TreeMap<>(details), NOW);
    }

    static CatalogueState after(CatalogueEvent... events) {
        return CatalogueState.EMPTY.applyAll(List.of(events));
    }

    static SortedMap<CheckpointRef, SealedFacts> known(long... ids) {
        var known = new TreeMap<CheckpointRef, SealedFacts>();
        for (long id : ids) {
            known.put(ref(id), facts());
        }
        return known;
    }

    /** Puts a checkpoint of one zero page into {@code store}. */
    static void seal(CheckpointStore store, CheckpointRef ref) throws IOException {
        try (var staged = store.begin(ref)) {
            staged.memory(0, 1);
            staged.seal(new Manifest(ref, NOW, 42_000, "synthetic",
                    List.of(new Manifest.Region(1)),
                    List.of(), List.of(), Map.of()));
        }
    }
}
