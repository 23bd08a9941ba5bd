package io.tintype.vm;

import io.tintype.actors.VmId;
import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.OperationRecord;
import io.tintype.cow.disk.DiskChain;
import java.time.InstantSource;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells the catalogue of what takes several steps. Nobody waits for it, and nothing fails because of it: what is told is put into
 * a queue. Any thread.
 */
final class Operations {
    private final Catalogue catalogue;
    private final InstantSource wall;

    Operations(Catalogue catalogue, InstantSource wall) {
        this.catalogue = catalogue;
        this.wall = wall;
    }

    /** @param disk its index; -1 for all of the VM */
    void begun(String name, OperationRecord.Kind kind, VmId vm, int disk,
            SortedMap<String, String> details) {
        catalogue.tell(new CatalogueEvent.OperationBegun(name, kind, vm, disk, details,
                wall.instant()));
    }

    /** A step of it is done. */
    void stepped(String name, String step) {
        catalogue.tell(new CatalogueEvent.OperationStepped(name, step, new TreeMap<>()));
    }

    /** @param failure why it came to nothing; null when it is done */
    void ended(String name, @Nullable String failure) {
        catalogue.tell(new CatalogueEvent.OperationEnded(name, failure));
    }

    /** Tells of {@code work} before it begins and after it ended. */
    <T> CompletableFuture<T> during(String name, OperationRecord.Kind kind, VmId vm, String key,
            String detail, Supplier<CompletableFuture<T>> work) {
        var details = new TreeMap<String, String>();
        details.put(key, detail);
        begun(name, kind, vm, -1, details);
        try {
            return work.get().whenComplete((_, failure) -> ended(name,
                    failure == null ? null : Blocking.reason(failure)));
        } catch (RuntimeException failure) {
            ended(name, Blocking.reason(failure));
            throw failure;
        }
    }

    /** A chain in names of operations: the last two parts of where it lives, {@code web-1/disk-0-life-2}. */
    static String nameOf(DiskChain chain) {
        var place = chain.directory().location();
        int disk = place.lastIndexOf('/');
        int vm = disk < 0 ? -1 : place.lastIndexOf('/', disk - 1);
        return place.substring(vm + 1);
    }
}
