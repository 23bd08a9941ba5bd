package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.tintype.cow.disk.DiskChain;
import io.tintype.store.StoreFiles;
import io.tintype.store.StoreImages;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** A collection of garbage that takes too much, or too little, must be noticed, in runs that are right without the defect. */
class GarbageTest {
    private static final int SEEDS_MAX = 150;
    private static final Path IMAGES = SimulatedHost.STORE.resolve("images");

    /** What the store's deletes do instead; true if that is all. */
    private interface Instead {
        boolean delete(StoreFiles files, Path path) throws IOException;
    }

    @Test
    void shouldNoticeACollectionThatRemovesWhatADiskNeeds() {
        // Beside one image it takes one of another disk along.
        assertNoticed((files, path) -> {
            if (path.startsWith(IMAGES) && isImage(path)) {
                for (var vm : files.list(IMAGES)) {
                    for (var disk : files.list(IMAGES.resolve(vm))) {
                        var other = IMAGES.resolve(vm).resolve(disk);
                        var image = files.list(other).stream()
                                .filter(name -> isImage(other.resolve(name))).findFirst();
                        if (!path.startsWith(other) && image.isPresent()) {
                            files.delete(other.resolve(image.get()));
                            return false;
                        }
                    }
                }
            }
            return false;
        });
    }

    @Test
    void shouldNoticeACollectionThatLeavesImages() {
        assertNoticed((files, path) -> path.startsWith(IMAGES)
                && isImage(path));
    }

    @Test
    void shouldNoticeThatTheDisksOfAnEarlierLifeOfARunningVmStay() {
        assertNoticed("rollbacks", Faults.NONE, 150,
                (_, path) -> path.startsWith(IMAGES) && path.toString().contains("-life-"));
    }

    @Test
    void shouldNoticeThatTheDisksOfAVmStayThatACrashCutOffWhileItWasMade() {
        assertNoticed("crashes", Faults.CRASH, 3_000, (files, path) -> {
            if (!path.startsWith(IMAGES) || path.toString().contains("-life-")) {
                return false;
            }
            // Of all VMs those that never flushed, those included of which the journal does not know that they ran.
            return switch (path.getNameCount() - IMAGES.getNameCount()) {
                case 1 -> !files.list(path).isEmpty();
                case 2 -> isAsMade(files, path);
                default -> isAsMade(files, Objects.requireNonNull(path.getParent()));
            };
        });
    }

    private static boolean isAsMade(StoreFiles files, Path disk) throws IOException {
        return files.kind(disk.resolve("chain")) == StoreFiles.Kind.FILE
                && DiskChain.isAsMade(new StoreImages(files, disk));
    }

    @Test
    void shouldNoticeARemovalThatLeavesAFileOfTheCheckpoint() {
        assertNoticed((files, path) -> path.startsWith(SimulatedHost.STORE.resolve("staging"))
                && String.valueOf(path.getFileName()).startsWith("memory-"));
    }

    private static boolean isImage(Path path) {
        return String.valueOf(path.getFileName()).endsWith(".img");
    }

    private static void assertNoticed(Instead defect) {
        assertNoticed("garbage", Faults.NONE, SEEDS_MAX, defect);
    }

    private static void assertNoticed(String named, Faults faults, int seedsMax, Instead defect) {
        var scenario = Objects.requireNonNull(Scenario.named(named));
        try (var machine = new SimulatedMachine()) {
            for (long seed = 1; seed <= seedsMax; seed++) {
                var knobs = Knobs.draw(seed, scenario, Strategy.RANDOM, faults, null);
                machine.plant(files -> broken(files, defect));
                var found = Simulation.free(machine, knobs, false).violations();
                if (found.isEmpty()) {
                    continue;
                }
                machine.plant(UnaryOperator.identity());

                assertEquals(List.of(), Simulation.free(machine, knobs, false).violations(),
                        "without the defect");
                return;
            }
        }
        fail("none of " + seedsMax + " seeds noticed it");
    }

    private static StoreFiles broken(StoreFiles files, Instead defect) {
        return (StoreFiles) Proxy.newProxyInstance(StoreFiles.class.getClassLoader(),
                new Class<?>[] {StoreFiles.class}, (_, method, arguments) -> {
                    if (method.getName().equals("delete")
                            && defect.delete(files, (Path) arguments[0])) {
                        return null;
                    }
                    try {
                        return method.invoke(files, arguments);
                    } catch (InvocationTargetException failure) {
                        throw Objects.requireNonNull(failure.getCause());
                    }
                });
    }
}
