package io.tintype.cow.disk;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;

/**
 * Each thread writes to a sector of its own and reads it again. All sectors share a block group, which the first write brings into the top
 * layer: who finds it there must read what it wrote, also where that fault is not over yet.
 */
@Param(name = "sector", gen = ThreadIdGen.class)
@Param(name = "stamp", gen = IntGen.class, conf = "1:3")
public class DiskChainLincheckTest {
    private static final int TOP = 1;
    private static final MemorySegment[] STAMPS = new MemorySegment[4];

    static {
        for (int i = 0; i < STAMPS.length; i++) {
            STAMPS[i] = Arena.global().allocate(512).fill((byte) i);
        }
    }

    private final DiskChain chain;

    /** A base that has the group, and a top that has not. */
    public DiskChainLincheckTest() {
        try {
            chain = DiskChain.create(new MemoryImageDirectory(), new DiskGeometry(8192, 8192));
            chain.write(0, 0, STAMPS[0], 0, 512);
            chain.switchTo(chain.prepareOverlay());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns what is read then. */
    @Operation
    public int write(@Param(name = "sector") int sector, @Param(name = "stamp") int stamp)
            throws IOException {
        if (chain.holds(TOP, 0)) {
            chain.write(TOP, sector * 512L, STAMPS[stamp], 0, 512);
        } else {
            chain.fault(TOP, 0, sector * 512L, STAMPS[stamp], 0, 512);
        }
        var target = MemorySegment.ofArray(new byte[512]);
        chain.read(TOP, sector * 512L, target, 0, 512);
        return target.get(ValueLayout.JAVA_BYTE, 0);
    }

    // A fault told readers where to look only after others could write to what it had brought.
    @Test
    void shouldShowWhatWasWrittenLast() {
        new ModelCheckingOptions().threads(2).actorsPerThread(1)
                .actorsBefore(0).actorsAfter(0)
                .iterations(2).invocationsPerIteration(2_000)
                .check(DiskChainLincheckTest.class);
    }
}
