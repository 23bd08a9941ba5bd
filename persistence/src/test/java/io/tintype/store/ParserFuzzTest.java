package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.tintype.store.BrokenFiles.Target;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Hands broken files to every parser of the store. Half of them are broken behind right checksums, as
 * only a program that is wrong could have written them: so what is behind the checksums is reached,
 * too. Whatever comes, it is a {@link StoreException}, soon, and without memory that the file's own
 * size does not explain.
 */
class ParserFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;
    private static final Duration BUDGET = Duration.ofMillis(1500);
    private static final int CASES_MIN = 200;

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldRefuseWhatIsBrokenAndNothingElseHappens(Target target) throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        var files = new BrokenFiles(target);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long end = System.nanoTime() + BUDGET.toNanos();
        int cases = 0;
        for (; cases < CASES_MIN || System.nanoTime() < end; cases++) {
            var random = new Random(seed + cases);
            byte[] broken = new Mutations(random).of(files.intact());
            boolean isRepaired = random.nextBoolean();
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                files.readAllWith(broken, isRepaired);
            } catch (RuntimeException | Error e) {
                throw new AssertionError("rerun with -Dseed=" + (seed + cases), e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < ALLOCATED_MAX,
                    allocated + " bytes allocated; rerun with -Dseed=" + (seed + cases));
        }
        files.readAllIntact();
    }
}
