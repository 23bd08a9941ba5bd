package io.tintype.actors.strand;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code mvn -pl actors -am -Dkind=benchmark test} prints what strands cost on this machine. */
@Tag("benchmark")
class StrandBenchTest {
    @Test
    void shouldPrintWhatStrandsCost() throws Exception {
        StrandBench.main(new String[0]);
    }
}
