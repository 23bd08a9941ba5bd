package io.tintype.catalogue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * A journal in memory that loses what a real one may lose: for simulators and tests. It outlives the host that writes it, as a file
 * would.
 *
 * <p>Not thread-safe; {@link MemoryCatalogue} is.
 */
public final class MemoryJournal {
    private record Stored(String manifest, String json) {}

    private final EventJson json = new EventJson(EventJson.Upcasters.NONE);
    private final List<Stored> stored = new ArrayList<>();
    private int durable;
    private String broken = "";

    /** Returns what is in it, from its bytes. */
    List<CatalogueEvent> events() {
        return stored.stream()
                .map(one -> (CatalogueEvent) json.read(one.manifest(),
                        one.json().getBytes(StandardCharsets.UTF_8)))
                .toList();
    }

    void append(CatalogueEvent event) {
        stored.add(new Stored(json.manifest(event),
                new String(json.write(event), StandardCharsets.UTF_8)));
    }

    int size() {
        return stored.size();
    }

    /** Somebody goes on because the first {@code count} events are durable: from now on they are. */
    void confirm(int count) {
        durable = Math.max(durable, count);
    }

    /**
     * Returns what is left of it when the power fails now: events at the end are lost, of those that nobody waited for.
     *
     * @param pick given a bound, how many of them are kept: 0 to the bound, which is excluded
     */
    public MemoryJournal crashed(IntUnaryOperator pick) {
        int kept = durable + pick.applyAsInt(stored.size() - durable + 1);
        var left = new MemoryJournal();
        left.stored.addAll(stored.subList(0, kept));
        left.durable = kept;
        return left;
    }

    /** From now on nothing can be written, because of {@code reason}; empty for never mind. */
    public void breakDown(String reason) {
        broken = reason;
    }

    String broken() {
        return broken;
    }
}
