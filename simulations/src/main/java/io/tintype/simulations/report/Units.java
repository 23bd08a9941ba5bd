package io.tintype.simulations.report;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Figures as people read them: three significant digits and a unit, whatever the locale. */
public final class Units {
    private static final String[] BINARY = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    private static final String[] DECIMAL = {"", "k", "M", "G", "T"};
    private static final String NOTHING = "–";

    private Units() {}

    /** {@code 64 MiB}, {@code 1.5 GiB}. */
    public static String bytes(long bytes) {
        double value = bytes;
        int unit = 0;
        while (Math.abs(value) >= 1024 && unit < BINARY.length - 1) {
            value /= 1024;
            unit++;
        }
        return digits(value) + " " + BINARY[unit];
    }

    /** {@code 41.2 µs}, {@code 1.3 ms}, {@code 2.05 s}; a dash for null and for what is no number. */
    public static String micros(@Nullable Double micros) {
        if (micros == null || micros.isNaN()) {
            return NOTHING;
        }
        if (micros < 1_000) {
            return digits(micros) + " µs";
        }
        return micros < 1_000_000
                ? digits(micros / 1_000) + " ms"
                : digits(micros / 1_000_000) + " s";
    }

    /** {@code 7.2 s} below a minute, {@code 2:05} below an hour, else {@code 1:02:05}. */
    public static String seconds(double seconds) {
        if (seconds < 60) {
            return String.format(Locale.ROOT, "%.1f s", Math.floor(seconds * 10) / 10);
        }
        long whole = (long) seconds;
        if (whole < 3_600) {
            return String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
        }
        return String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3_600, whole / 60 % 60,
                whole % 60);
    }

    /** {@code 500 ms}, {@code 1 s}, {@code 2 min}: a length that was asked for, exactly. */
    public static String span(Duration span) {
        var ns = span.toNanos();
        if (ns > 0 && ns % 3_600_000_000_000L == 0) {
            return ns / 3_600_000_000_000L + " h";
        }
        if (ns >= 60_000_000_000L && ns % 60_000_000_000L == 0) {
            return ns / 60_000_000_000L + " min";
        }
        return ns == 0 || ns >= 1_000_000_000L
                ? BigDecimal.valueOf(ns, 9).stripTrailingZeros().toPlainString() + " s"
                : BigDecimal.valueOf(ns, 6).stripTrailingZeros().toPlainString() + " ms";
    }

    /** {@code 950}, {@code 12.3k}, {@code 1.2M}. */
    public static String count(double count) {
        double value = count;
        int unit = 0;
        // 9,999 is as quickly read as 10.0k and says more.
        while (Math.abs(value) >= (unit == 0 ? 10_000 : 1_000) && unit < DECIMAL.length - 1) {
            value /= 1_000;
            unit++;
        }
        return (unit == 0 ? whole(Math.round(value)) : digits(value)) + DECIMAL[unit];
    }

    /** {@code 1,278}. */
    public static String whole(long count) {
        return String.format(Locale.ROOT, "%,d", count);
    }

    /** {@code 97 %} for 0.97; a dash for null. */
    public static String percent(@Nullable Double ratio) {
        return ratio == null ? NOTHING : digits(ratio * 100) + " %";
    }

    /** Three significant digits; none after the point where it would be zeros only. */
    public static String digits(double value) {
        var size = Math.abs(value);
        var text = String.format(Locale.ROOT,
                size >= 99.95 ? "%,.0f" : size >= 9.995 ? "%.1f" : "%.2f", value);
        if (text.indexOf('.') >= 0) {
            text = text.replaceAll("\\.?0+$", "");
        }
        return text;
    }
}
