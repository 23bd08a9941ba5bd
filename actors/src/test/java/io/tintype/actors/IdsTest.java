package io.tintype.actors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IdsTest {
    @ParameterizedTest
    @ValueSource(strings = {"0", "vm-7", "a--"})
    void shouldTakeNamesThatAreFineInPathsAndFileNames(String name) {
        assertTrue(VmId.isValid(name));
        assertEquals(name, new VmId(name).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-vm", "VM", "vm/1", "vm.1", "vm 1", "ü", "vm\n"})
    void shouldRefuseOtherNamesAndShowThem(String name) {
        var refused = assertThrows(IllegalArgumentException.class, () -> new VmId(name));

        assertFalse(VmId.isValid(name));
        assertTrue(String.valueOf(refused.getMessage()).contains("'" + name + "'"));
    }

    @Test
    void shouldBoundTheLengthOfNames() {
        assertTrue(VmId.isValid("v".repeat(VmId.LENGTH_MAX)));
        assertFalse(VmId.isValid("v".repeat(VmId.LENGTH_MAX + 1)));
    }

    @Test
    void shouldCountDisksFromZeroAndCheckpointsFromOne() {
        var vm = new VmId("vm-1");

        assertThrows(IllegalArgumentException.class, () -> new DiskId(vm, -1));
        assertThrows(IllegalArgumentException.class, () -> new CheckpointId(0));
        assertEquals("vm-1/disk-0", new DiskId(vm, 0).toString());
        assertEquals("vm-1/2", new CheckpointRef(vm, CheckpointId.FIRST.next()).toString());
    }

    @Test
    void shouldOrderCheckpointsByVmThenByAge() {
        var first = new CheckpointRef(new VmId("a"), new CheckpointId(9));
        var second = new CheckpointRef(new VmId("a"), new CheckpointId(10));
        var third = new CheckpointRef(new VmId("b"), new CheckpointId(1));

        assertEquals(List.of(first, second, third),
                List.of(third, second, first).stream().sorted().toList());
    }
}
