package io.tintype.simulations.simulate;

import io.tintype.scheduler.IoKind;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Something that a guest or an operator does, with a name that says all of it: a schedule consists of names, and what they mean must
 * not depend on the seed.
 */
sealed interface Action {
    /** The VM that it is about. */
    String vm();

    /** What it is called in other events: {@code w8} for the eighth thing that happens, a write. */
    String label();

    /** The event's name, from which {@link #parse} makes it again. */
    String name();

    /** A request. */
    record Submit(String vm, String label, IoKind kind, int disk, long sector, int sectorCount,
            int shape,
            boolean fua) implements Action {
        @Override
        public String name() {
            return "guest " + vm + " " + label + " "
                    + kind.name().toLowerCase(Locale.ROOT).replace('_', '-') + " disk " + disk
                    + " sector " + sector + " count " + sectorCount + " shape " + shape
                    + (fua ? " fua" : "");
        }
    }

    /** A store beside the data of a read. */
    record Touch(String vm, String label, String of, int page) implements Action {
        @Override
        public String name() {
            return "guest " + vm + " " + label + " touch " + of + " page " + page;
        }
    }

    /** Stores into the heap. */
    record Heap(String vm, String label) implements Action {
        @Override
        public String name() {
            return "guest " + vm + " " + label + " heap";
        }
    }

    /** Requests stay in the ring, or are rung for again. */
    record Bell(String vm, String label, boolean on) implements Action {
        @Override
        public String name() {
            return "guest " + vm + " " + label + " bell " + (on ? "on" : "off");
        }
    }

    /** A device reset. */
    record Reset(String vm, String label, int disk) implements Action {
        @Override
        public String name() {
            return "guest " + vm + " " + label + " reset disk " + disk;
        }
    }

    /** A checkpoint is begun. */
    record Begin(String vm, String label, boolean copies) implements Action {
        @Override
        public String name() {
            return "begin " + vm + " " + label + (copies ? " with copies of disks" : "");
        }
    }

    /** A disk is made flat. */
    record Flatten(String vm, String label, int disk) implements Action {
        @Override
        public String name() {
            return "flatten " + vm + " " + label + " disk " + disk;
        }
    }

    /** A flatten is given up, if there is one. */
    record StopFlatten(String vm, String label, int disk) implements Action {
        @Override
        public String name() {
            return "stop-flatten " + vm + " " + label + " disk " + disk;
        }
    }

    /** A checkpoint is given up. */
    record Cancel(String vm, String label) implements Action {
        @Override
        public String name() {
            return "cancel " + vm + " " + label;
        }
    }

    /** A sealed checkpoint is deleted. */
    record Delete(String vm, String label) implements Action {
        @Override
        public String name() {
            return "delete " + vm + " " + label;
        }
    }

    /** All but the newest checkpoints of a VM are deleted. */
    record Retain(String vm, String label, int newest) implements Action {
        @Override
        public String name() {
            return "retain " + vm + " " + label + " newest " + newest;
        }
    }

    /** The VM ends, and its disks go. */
    record Destroy(String vm, String label) implements Action {
        @Override
        public String name() {
            return "destroy " + vm + " " + label;
        }
    }

    /** The store is rid of what nobody needs. */
    record Gc(String vm, String label) implements Action {
        @Override
        public String name() {
            return "gc " + label;
        }
    }

    /** A checkpoint that stays in memory is begun. */
    record Snapshot(String vm, String label) implements Action {
        @Override
        public String name() {
            return "snapshot " + vm + " " + label;
        }
    }

    /** A snapshot is closed. */
    record Close(String vm, String label) implements Action {
        @Override
        public String name() {
            return "close " + vm + " " + label;
        }
    }

    /** The VM goes back to a checkpoint or a snapshot of its own. */
    record RollBack(String vm, String label, String to) implements Action {
        @Override
        public String name() {
            return "rollback " + vm + " " + label + " to " + to;
        }
    }

    /** A second VM is made from a sealed checkpoint, or from a snapshot. */
    record Clone(String vm, String label, String newVm) implements Action {
        @Override
        public String name() {
            return "clone " + vm + " " + label + " as " + newVm;
        }
    }

    /** The storage is full from now on, but for so many bytes; or has room again. */
    record Limit(String vm, String label, long bytes) implements Action {
        @Override
        public String name() {
            return bytes < 0 ? "room again" : "limit " + label + " to " + bytes + " bytes more";
        }
    }

    /** The power fails. */
    record Crash(String vm, String label) implements Action {
        @Override
        public String name() {
            return "crash";
        }
    }

    Pattern SUBMIT = Pattern.compile(
            "guest (\\S+) (\\S+) (read|write|flush|discard|write-zeroes) disk (\\d+) sector (\\d+) count (\\d+) shape (\\d+)( fua)?");
    Pattern TOUCH = Pattern.compile("guest (\\S+) (\\S+) touch (\\S+) page (\\d+)");
    Pattern HEAP = Pattern.compile("guest (\\S+) (\\S+) heap");
    Pattern BELL = Pattern.compile("guest (\\S+) (\\S+) bell (on|off)");
    Pattern RESET = Pattern.compile("guest (\\S+) (\\S+) reset disk (\\d+)");
    Pattern BEGIN_COPIES = Pattern.compile("begin (\\S+) (\\S+) with copies of disks");
    Pattern FLATTEN = Pattern.compile("(stop-)?flatten (\\S+) (\\S+) disk (\\d+)");
    Pattern CONTROL = Pattern.compile("(begin|snapshot|close|cancel|delete|destroy) (\\S+) (\\S+)");
    Pattern CLONE = Pattern.compile("clone (\\S+) (\\S+) as (\\S+)");
    Pattern ROLL_BACK = Pattern.compile("rollback (\\S+) (\\S+) to (\\S+)");
    Pattern RETAIN = Pattern.compile("retain (\\S+) (\\S+) newest (\\d+)");
    Pattern GC = Pattern.compile("gc (\\S+)");
    Pattern LIMIT = Pattern.compile("limit (\\S+) to (\\d+) bytes more");

    /** Null if that names no action. */
    static @Nullable Action parse(String name) {
        var found = SUBMIT.matcher(name);
        if (found.matches()) {
            return new Submit(found.group(1), found.group(2),
                    IoKind.valueOf(found.group(3).toUpperCase(Locale.ROOT).replace('-', '_')),
                    Integer.parseInt(found.group(4)), Long.parseLong(found.group(5)),
                    Integer.parseInt(found.group(6)), Integer.parseInt(found.group(7)),
                    found.group(8) != null);
        }
        found = TOUCH.matcher(name);
        if (found.matches()) {
            return new Touch(found.group(1), found.group(2), found.group(3),
                    Integer.parseInt(found.group(4)));
        }
        found = HEAP.matcher(name);
        if (found.matches()) {
            return new Heap(found.group(1), found.group(2));
        }
        found = BELL.matcher(name);
        if (found.matches()) {
            return new Bell(found.group(1), found.group(2), found.group(3).equals("on"));
        }
        found = RESET.matcher(name);
        if (found.matches()) {
            return new Reset(found.group(1), found.group(2), Integer.parseInt(found.group(3)));
        }
        found = CONTROL.matcher(name);
        if (found.matches()) {
            return switch (found.group(1)) {
                case "begin" -> new Begin(found.group(2), found.group(3), false);
                case "snapshot" -> new Snapshot(found.group(2), found.group(3));
                case "close" -> new Close(found.group(2), found.group(3));
                case "cancel" -> new Cancel(found.group(2), found.group(3));
                case "destroy" -> new Destroy(found.group(2), found.group(3));
                default -> new Delete(found.group(2), found.group(3));
            };
        }
        found = BEGIN_COPIES.matcher(name);
        if (found.matches()) {
            return new Begin(found.group(1), found.group(2), true);
        }
        found = FLATTEN.matcher(name);
        if (found.matches()) {
            int disk = Integer.parseInt(found.group(4));
            return found.group(1) == null
                    ? new Flatten(found.group(2), found.group(3), disk)
                    : new StopFlatten(found.group(2), found.group(3), disk);
        }
        found = CLONE.matcher(name);
        if (found.matches()) {
            return new Clone(found.group(1), found.group(2), found.group(3));
        }
        found = ROLL_BACK.matcher(name);
        if (found.matches()) {
            return new RollBack(found.group(1), found.group(2), found.group(3));
        }
        found = RETAIN.matcher(name);
        if (found.matches()) {
            return new Retain(found.group(1), found.group(2), Integer.parseInt(found.group(3)));
        }
        found = GC.matcher(name);
        if (found.matches()) {
            return new Gc("", found.group(1));
        }
        found = LIMIT.matcher(name);
        if (found.matches()) {
            return new Limit("", found.group(1), Long.parseLong(found.group(2)));
        }
        if (name.equals("room again")) {
            return new Limit("", "", -1);
        }
        return name.equals("crash") ? new Crash("", "") : null;
    }
}
