package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which checkpoints go, as a table: number and time of each, and the numbers that are to go. */
class RetentionTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            # last, hourly, daily | checkpoints | dropped
            1 0 0 | | ''
            1 0 0 | 1=01T10:00 | ''
            2 0 0 | 1=01T10:00 2=01T10:01 3=01T10:02 | 1
            9 0 0 | 1=01T10:00 2=01T10:01 3=01T10:02 | ''
            0 1 0 | 1=01T10:00 2=01T10:59 3=01T11:00 | 1 2
            0 2 0 | 1=01T10:00 2=01T10:59 3=01T11:00 | 1
            0 2 0 | 1=01T10:00 2=01T10:59 3=01T23:00 4=01T23:30 | 1 3
            0 0 2 | 1=01T10:00 2=01T23:59 3=02T00:00 4=02T01:00 5=05T00:00 | 1 2 3
            0 0 3 | 1=01T10:00 2=01T23:59 3=02T00:00 4=02T01:00 5=05T00:00 | 1 3
            1 2 2 | 1=01T10:00 2=01T11:00 3=02T10:00 4=02T10:30 5=02T11:00 6=02T11:10 | 1 3 5
            2 0 0 | 3=01T10:00 2=01T10:01 1=01T10:02 | 3
            1 0 0 | 1=01T10:00 2=01T10:00 3=01T10:00 | 1 2
            """)
    void shouldDrop(String rules, String checkpoints, String dropped) {
        int[] numbers = Arrays.stream(rules.split(" ")).mapToInt(Integer::parseInt).toArray();
        var retention = new Retention(numbers[0], numbers[1], numbers[2]);
        var taken = new ArrayList<Retention.Taken>();
        if (checkpoints != null) {
            for (String one : checkpoints.split(" ")) {
                String[] parts = one.split("=");
                taken.add(new Retention.Taken(Fixture.ref("vm-1", Long.parseLong(parts[0])),
                        Instant.parse("2026-03-" + parts[1] + ":00Z")));
            }
        }
        Collections.shuffle(taken, new Random(1));

        assertEquals(dropped, retention.toDrop(taken).stream()
                .map(ref -> ref.id().toString()).sorted().collect(Collectors.joining(" ")));
    }

    @Test
    void shouldDropTheOldestFirst() {
        var taken = List.of(
                new Retention.Taken(Fixture.ref("vm-1", 1), Instant.EPOCH),
                new Retention.Taken(Fixture.ref("vm-1", 2), Instant.EPOCH.plusSeconds(1)),
                new Retention.Taken(Fixture.ref("vm-1", 3), Instant.EPOCH.plusSeconds(2)));

        assertEquals(List.of(Fixture.ref("vm-1", 1), Fixture.ref("vm-1", 2)),
                Retention.newest(1).toDrop(taken));
    }

    @Test
    void shouldRefuseToKeepNothing() {
        assertThrows(IllegalArgumentException.class, () -> new Retention(0, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Retention(-1, 2, 0));
    }
}
