package io.tintype.simulations.cli;

import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.run.ConflictPolicy;
import io.tintype.simulations.run.DiskPolicy;
import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.ReissuePolicy;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Values with units, as options spell them. What cannot be read is refused with the rest of a sentence that begins with the option
 * and the value: what is wrong, and how to write it.
 */
final class Values {
    private static final Pattern FIGURE =
            Pattern.compile("(\\d{1,30}(?:\\.\\d{1,12})?)\\s*([a-zA-Zµ/]*)");

    private static final Map<String, Long> BYTES = Map.ofEntries(
            Map.entry("", 1L), Map.entry("b", 1L),
            Map.entry("k", 1L << 10), Map.entry("kib", 1L << 10),
            Map.entry("m", 1L << 20), Map.entry("mib", 1L << 20),
            Map.entry("g", 1L << 30), Map.entry("gib", 1L << 30),
            Map.entry("t", 1L << 40), Map.entry("tib", 1L << 40));
    private static final Map<String, Long> NANOSECONDS = Map.of(
            "ns", 1L, "us", 1_000L, "µs", 1_000L, "ms", 1_000_000L, "s", 1_000_000_000L,
            "m", 60_000_000_000L, "min", 60_000_000_000L, "h", 3_600_000_000_000L);
    private static final Map<String, Long> RATES = Map.of(
            "", 1L, "/s", 1L, "k", 1_000L, "k/s", 1_000L, "m", 1_000_000L, "m/s", 1_000_000L);
    private static final Map<String, Long> FACTORS = Map.of("", 1L, "x", 1L);

    private Values() {}

    /** {@code 64MiB}, {@code 4GiB}, {@code 512k}: bytes; K, M, G, T are powers of 1,024. */
    static final class Bytes implements ITypeConverter<Long> {
        private static final String WRITE = "write a size like 64MiB, 4GiB or 512k";

        @Override
        public Long convert(String value) {
            var unit = unit(value, "not a size", WRITE);
            if (unit.endsWith("b") && unit.length() == 2) {
                throw refuse("units of 1,000 are not used for memory and disks", "write "
                        + value.strip().substring(0, value.strip().length() - 1).strip()
                        + "iB, units of 1,024");
            }
            return whole(value, BYTES, "not a size", "not a whole number of bytes", WRITE);
        }
    }

    /** {@code 500ms}, {@code 1s}, {@code 2m}, {@code 1h}. */
    static final class Span implements ITypeConverter<Duration> {
        private static final String WRITE = "write a time like 500ms, 1s or 2m";

        @Override
        public Duration convert(String value) {
            if (unit(value, "not a time", WRITE).isEmpty()) {
                throw refuse("the unit is missing",
                        "write " + value.strip() + "s for seconds, or ms, m, h");
            }
            return Duration.ofNanos(
                    whole(value, NANOSECONDS, "not a time", "not a whole number of ns", WRITE));
        }
    }

    /** {@code 20000/s}, {@code 20k/s}, {@code unlimited}: so many a second. */
    static final class Rate implements ITypeConverter<Long> {
        private static final String WRITE = "write a rate like 20000/s or 20k/s, or unlimited";

        @Override
        public Long convert(String value) {
            if (value.strip().equalsIgnoreCase("unlimited")) {
                return RunOptions.UNLIMITED;
            }
            return whole(value, RATES, "not a rate", "not a whole number a second", WRITE);
        }
    }

    /** {@code 60x}: so many times as fast. */
    static final class Factor implements ITypeConverter<Double> {
        private static final String WRITE = "write a factor like 60x or 0.5x";

        @Override
        public Double convert(String value) {
            return product(value, FACTORS, "not a speed", WRITE).doubleValue();
        }
    }

    /** {@code 16}, and nothing but digits. */
    static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            try {
                return Integer.valueOf(value.strip());
            } catch (NumberFormatException e) {
                throw refuse("not a whole number", "write digits only");
            }
        }
    }

    /** Any number of 64 bits, also as {@code 0x…}. */
    static final class Seed implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            try {
                return Long.decode(value.strip());
            } catch (NumberFormatException e) {
                throw refuse("not a whole number of 64 bits",
                        "write digits only, or leave it away for a new seed");
            }
        }
    }

    /** One of an enum's constants, spelled as {@link RunResult#nameOf} does. */
    abstract static class Choice<E extends Enum<E>> implements ITypeConverter<E> {
        private final Class<E> type;

        private Choice(Class<E> type) {
            this.type = type;
        }

        @Override
        public E convert(String value) {
            var names = new ArrayList<String>();
            for (var constant : type.getEnumConstants()) {
                var name = RunResult.nameOf(constant);
                if (name.equalsIgnoreCase(value.strip())) {
                    return constant;
                }
                names.add(name);
            }
            throw refuse("there is no such choice", "write " + String.join(" or ", names));
        }
    }

    /** What runs in the VMs. */
    static final class OfGuest extends Choice<GuestKind> {
        OfGuest() {
            super(GuestKind.class);
        }
    }

    /** Where a reissue's data comes from. */
    static final class OfReissue extends Choice<ReissuePolicy> {
        OfReissue() {
            super(ReissuePolicy.class);
        }
    }

    /** Who waits on a conflict. */
    static final class OfConflict extends Choice<ConflictPolicy> {
        OfConflict() {
            super(ConflictPolicy.class);
        }
    }

    /** What checkpoints keep of disks. */
    static final class OfDisks extends Choice<DiskPolicy> {
        OfDisks() {
            super(DiskPolicy.class);
        }
    }

    /** {@code embedded} or the address of a PostgreSQL database. */
    static final class OfCatalogue implements ITypeConverter<JournalPlace> {
        @Override
        public JournalPlace convert(String value) {
            try {
                return JournalPlace.parse(value);
            } catch (IllegalArgumentException _) {
                throw refuse("not a place for a catalogue", "write embedded or "
                        + "jdbc:postgresql://HOST/DATABASE?user=NAME&password=…");
            }
        }
    }

    private static long whole(
            String value, Map<String, Long> units, String wrong, String notWhole, String write) {
        var product = product(value, units, wrong, write);
        if (product.stripTrailingZeros().scale() > 0) {
            throw refuse(notWhole, write);
        }
        if (product.compareTo(BigDecimal.valueOf(Long.MAX_VALUE)) >= 0) {
            throw refuse("far too large", write);
        }
        return product.longValueExact();
    }

    private static BigDecimal product(String value, Map<String, Long> units, String wrong,
            String write) {
        var factor = units.get(unit(value, wrong, write));
        var matcher = FIGURE.matcher(value.strip());
        if (factor == null || !matcher.matches()) {
            throw refuse(wrong, write);
        }
        return new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(factor));
    }

    private static String unit(String value, String wrong, String write) {
        var matcher = FIGURE.matcher(value.strip());
        if (!matcher.matches()) {
            throw refuse(wrong, write);
        }
        return matcher.group(2).toLowerCase(Locale.ROOT);
    }

    private static TypeConversionException refuse(String wrong, String write) {
        return new TypeConversionException(wrong + "; " + write);
    }
}
