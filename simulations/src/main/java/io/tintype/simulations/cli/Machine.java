package io.tintype.simulations.cli;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** What this machine has; a port, so that tests can have another one. */
@FunctionalInterface
public interface Machine {
    /** What guests could still be given, in bytes, without swapping. */
    long memoryAvailableBytes();

    /** The machine this runs on. Inside a container, what is left of the container's own limit if that is less. */
    static Machine local() {
        return () -> {
            var system = ofMeminfo("MemAvailable");
            return Math.min(system > 0 ? system : freeByJava(), leftInContainer());
        };
    }

    /** What is not used at all: less than what could be given, but all that can be asked for on every system. */
    private static long freeByJava() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean more
                ? more.getFreeMemorySize()
                : Long.MAX_VALUE;
    }

    /** In bytes, or 0 where the kernel does not say. */
    private static long ofMeminfo(String name) {
        for (var line : lines(Path.of("/proc/meminfo"))) {
            if (line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1_024;
            }
        }
        return 0;
    }

    private static long leftInContainer() {
        var limit = number(Path.of("/sys/fs/cgroup/memory.max"));
        var used = number(Path.of("/sys/fs/cgroup/memory.current"));
        if (limit == Long.MAX_VALUE || used == Long.MAX_VALUE) {
            return Long.MAX_VALUE;
        }
        // Cached file pages are counted as used but given back under pressure.
        long reclaimable = 0;
        for (var line : lines(Path.of("/sys/fs/cgroup/memory.stat"))) {
            if (line.startsWith("inactive_file ")) {
                reclaimable = Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return Math.max(0, limit - used + reclaimable);
    }

    /** Long.MAX_VALUE where there is none: no such file, or the word "max". */
    private static long number(Path file) {
        var lines = lines(file);
        return lines.isEmpty() || !lines.getFirst().matches("\\d{1,18}")
                ? Long.MAX_VALUE
                : Long.parseLong(lines.getFirst());
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            return List.of();
        }
    }
}
