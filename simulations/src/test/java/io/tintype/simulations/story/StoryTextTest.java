package io.tintype.simulations.story;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class StoryTextTest {
    @Test
    void shouldTellTheRuleTheEventsTheCutAndTheWayBack() {
        var lines = StoryText.of(MadeUpStory.ofR8()).lines().toList();

        assertEquals(
                "R8 is broken: the VM lost a completed write: sector 0 of disk 0 reads as zeros, expected io-1",
                lines.get(0));
        assertEquals("  found by simulate, seed 8123456789012345678; 15 events", lines.get(1));
        assertEquals("  with scenario 'partial writes', faults none, break R8, disks 1",
                lines.get(2));
        assertEquals(
                "   1  vm-1/cpu       issue      The guest issues io-1: write sectors 0–7, block group 0, bound to",
                lines.get(4));
        assertEquals("                                layer 0.", lines.get(5));
        assertTrue(lines.stream().anyMatch(line -> line.startsWith("  ── cut of vm-1 ────")));
        assertEquals("  replay: ./tintype simulate --seed 8123456789012345678 "
                + "--scenario 'partial writes' --faults none --break R8", lines.getLast());
    }

    @Test
    void shouldNameTheFileToReplay() {
        assertEquals("./tintype replay 'out/it'\\''s a story.json'",
                StoryText.replay("out/it's a story.json"));
        assertTrue(StoryText.of(MadeUpStory.ofR8(), StoryText.replay("r8.json"))
                .endsWith("  replay: ./tintype replay r8.json\n"));
        assertEquals("./tintype explore --vms 3", StoryText.command(MadeUpStory.ofSize(1)));
    }

    @Test
    void shouldOnlyNameSettingsThatAreTooLongToRead() {
        var story = new Story("explore", null, "found", 0,
                List.of(new Story.Setting("vms", "1"),
                        new Story.Setting("knobs", "k".repeat(121))),
                List.of(), List.of());

        assertEquals("with vms 1; not shown here: knobs", StoryText.settings(story));
    }

    @Test
    void shouldKeepToAHundredColumns() {
        var text = StoryText.of(new Story("explore", null, "x".repeat(250) + " " + "y ".repeat(90),
                0, List.of(new Story.Setting("policy", "z".repeat(120))), List.of(),
                List.of(MadeUpStory.event("n".repeat(300), "lane-" + "l".repeat(60), ""))),
                "./tintype");

        assertFalse(text.lines().anyMatch(line -> line.length() > 100), text);
        assertTrue(text.replaceAll("\\s", "").contains("n".repeat(300)), text);
        assertTrue(text.replaceAll("\\s", "").contains("x".repeat(250)), text);
    }

    @Test
    void shouldTellAThousandEvents() {
        var text = StoryText.of(MadeUpStory.ofSize(1000));

        assertTrue(text.contains("\n  1000  "));
        assertFalse(text.lines().anyMatch(line -> line.length() > 100));
    }
}
