package io.tintype.simulations.story;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.story.StoryEvent.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Stories that nobody found, to be shown and stored. */
final class MadeUpStory {
    private static final List<String> LANES = List.of("checkpoint-1", "vm-1/cpu", "vm-1/memory-0",
            "vm-1/disk-0", "vm-1/io-1", "vm-1/io-2", "device-0");

    private MadeUpStory() {}

    /** A partial write that did not wait for a pending one below it. */
    static Story ofR8() {
        var events = new ArrayList<StoryEvent>();
        add(events, "issue io-1", "vm-1/cpu", Kind.ISSUE,
                "The guest issues io-1: write sectors 0–7, block group 0, bound to layer 0.", -1,
                "pending", "io-1");
        add(events, "deliver vm-1/disk-0 Submit io-1", "vm-1/disk-0", Kind.DELIVER,
                "Disk 0 starts the write io-1 in layer 0.", 0, "top", "0", "writing", "io-1");
        add(events, "deliver device-0 Write io-1", "device-0", Kind.DELIVER,
                "The device takes io-1 and is slow.", 1);
        add(events, "prepared checkpoint-1", "checkpoint-1", Kind.DELIVER,
                "Checkpoint 1 has its overlay, layer 1.", -1, "phase", "Preparing");
        add(events, "stun vm-1", "vm-1/cpu", Kind.STUN, "VM 1 stops; io-1 is pending.", 3, "P",
                "io-1", "pending", "io-1");
        add(events, "freeze vm-1/memory-0", "vm-1/memory-0", Kind.STUN, "Memory is frozen.", 4,
                "epoch", "1");
        add(events, "switch vm-1/disk-0", "vm-1/disk-0", Kind.STUN, "Layer 1 is on top.", 4, "top",
                "1", "writing", "io-1");
        add(events, "resume vm-1", "vm-1/cpu", Kind.RESUME, "VM 1 runs again.", 6, "pending",
                "io-1");
        add(events, "issue io-2", "vm-1/cpu", Kind.ISSUE,
                "The guest issues io-2: write sectors 8–11, block group 0, bound to layer 1.", 7,
                "pending", "io-1 io-2");
        add(events, "deliver vm-1/disk-0 Submit io-2", "vm-1/disk-0", Kind.DELIVER,
                "Disk 0 does not wait for io-1: it starts the fault of group 0 into layer 1.", 8,
                "top", "1", "writing", "io-1 io-2");
        add(events, "fault-done vm-1/disk-0 group 0", "device-0", Kind.COPY,
                "Group 0 is copied from layer 0 to layer 1, without the sectors of io-1.", 9);
        add(events, "land io-1", "device-0", Kind.LAND, "io-1 lands in layer 0, group 0.", 2);
        add(events, "complete io-1", "vm-1/io-1", Kind.COMPLETE, "io-1 is complete.", 11, "status",
                "OK");
        add(events, "land io-2", "device-0", Kind.LAND, "io-2 lands in layer 1, group 0.", 10);
        add(events, "violation R8", "vm-1/disk-0", Kind.VIOLATION,
                "The VM no longer sees io-1: sector 0 reads as zeros through layer 1, though io-1 is complete.",
                12, "sector 0 expected", "io-1", "sector 0 read", "zeros");
        return new Story("simulate", Rule.R8,
                "the VM lost a completed write: sector 0 of disk 0 reads as zeros, expected io-1",
                8_123_456_789_012_345_678L,
                List.of(new Story.Setting("scenario", "partial writes"),
                        new Story.Setting("faults", "none"), new Story.Setting("break", "R8"),
                        new Story.Setting("disks", "1")),
                LANES, events);
    }

    /** A long one with many lanes. */
    static Story ofSize(int size) {
        var random = new Random(size);
        var lanes = new ArrayList<String>();
        for (int vm = 1; vm <= 3; vm++) {
            lanes.add("vm-" + vm + "/cpu");
            lanes.add("vm-" + vm + "/memory-0");
            lanes.add("vm-" + vm + "/disk-0");
            lanes.add("vm-" + vm + "/disk-1");
        }
        lanes.add("store");
        var kinds = Kind.values();
        var events = new ArrayList<StoryEvent>();
        for (int i = 0; i < size; i++) {
            var lane = lanes.get(random.nextInt(lanes.size()));
            var kind = i == size - 1 ? Kind.VIOLATION : kinds[random.nextInt(kinds.length - 1)];
            if (kind == Kind.STUN && random.nextInt(10) > 0) {
                kind = Kind.DELIVER;
            }
            int cause = i == 0 || random.nextInt(4) == 0
                    ? -1
                    : Math.max(0, i - 1 - random.nextInt(6));
            add(events, "made up " + i, lane, kind,
                    "Made up: " + "something happens to block ".repeat(1 + random.nextInt(3))
                            + random.nextInt(64),
                    cause, "seen", String.valueOf(i), "block", String.valueOf(random.nextInt(64)));
        }
        return new Story("explore", null, "made up, and so nothing is wrong", 0,
                List.of(new Story.Setting("vms", "3")), lanes, events);
    }

    static StoryEvent event(String name, String lane, String text) {
        return new StoryEvent(name, lane, Kind.DELIVER, text, -1, new TreeMap<>());
    }

    private static void add(List<StoryEvent> events, String name, String lane, Kind kind,
            String text, int cause, String... state) {
        var values = new TreeMap<String, String>(Map.of());
        for (int i = 0; i < state.length; i += 2) {
            values.put(state[i], state[i + 1]);
        }
        events.add(new StoryEvent(name, lane, kind, text, cause, values));
    }
}
