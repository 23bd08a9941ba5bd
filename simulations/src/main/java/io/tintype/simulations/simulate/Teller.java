package io.tintype.simulations.simulate;

import io.tintype.actors.strand.Ready;
import io.tintype.actors.strand.SimulatedSystem;
import io.tintype.simulations.story.StoryEvent;
import io.tintype.simulations.story.StoryEvent.Kind;
import io.tintype.vm.CoreProbe;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Tells a run as a story: what happened, what caused it, and what a lane knew afterwards. Does nothing in a run that nobody tells. */
final class Teller implements CoreProbe {
    private final SimulatedSystem<?> system;
    private final boolean tells;
    private final List<StoryEvent> story = new ArrayList<>();
    /** What the cores came to in the step under way. */
    private final TreeMap<String, String> coreStates = new TreeMap<>();
    private int stepIndex = -1;

    Teller(SimulatedSystem<?> system, boolean tells) {
        this.system = system;
        this.tells = tells;
    }

    List<StoryEvent> story() {
        return List.copyOf(story);
    }

    /** What a lane knows after a step, in short. */
    @Override
    public void stepped(Object actor, CoreStep step) {
        switch (step) {
            case DiskStep disk -> {
                coreStates.put("top layer", String.valueOf(disk.next().top()));
                coreStates.put("requests on the disk", String.valueOf(disk.next().pending()));
                coreStates.put("parts that wait", String.valueOf(disk.next().stalled()));
            }
            case PendingStep pending ->
                coreStates.put("requests in flight", String.valueOf(pending.next().size()));
            case PhaseStep phase ->
                coreStates.put("phase", phase.next().getClass().getSimpleName());
        }
    }

    /** Something that people want to know of the step under way. */
    void note(Kind kind, String lane, String text) {
        if (tells) {
            story.add(new StoryEvent(Simulation.NOTE + story.size(), lane, kind, text,
                    causeFor(lane), new TreeMap<>()));
        }
    }

    /** What happens elsewhere in a step was caused by the step. */
    private int causeFor(String lane) {
        return stepIndex < 0 || story.get(stepIndex).lane().equals(lane) ? -1 : stepIndex;
    }

    /**
     * An event of the world.
     *
     * @param isAsked whether a replay has to ask for it; if not, it follows from those that it asks for
     */
    void event(String name, boolean isAsked) {
        stepIndex = story.size();
        system.mark(stepIndex);
        var plain = Simulation.plainWorld(name);
        story.add(new StoryEvent(isAsked ? name : Simulation.NOTE + stepIndex, laneOf(plain),
                kindOf(plain), name, -1, new TreeMap<>()));
    }

    /**
     * A message is about to be handled, caused by the event that sent it.
     *
     * @param message null for one of Pekko's own
     * @param name as the schedule asks for it; null for a detail of another event
     * @param isShown whether anybody wants to see it; if not, what follows counts as caused by the sender
     */
    void delivery(Ready one, @Nullable Object message, String lane, @Nullable String name,
            boolean isShown) {
        coreStates.clear();
        int cause = system.markOf(one) instanceof Integer index ? index : -1;
        if (!isShown) {
            stepIndex = cause;
        } else {
            stepIndex = story.size();
            story.add(new StoryEvent(name == null ? Simulation.NOTE + story.size() : name, lane,
                    Kind.DELIVER,
                    "handles " + (message == null
                            ? "a system message"
                            : message.getClass().getSimpleName()),
                    cause, new TreeMap<>()));
        }
        system.mark(stepIndex);
    }

    /** That message was handled. */
    void handled() {
        if (!coreStates.isEmpty()) {
            story.set(stepIndex, story.get(stepIndex).with(coreStates));
        }
    }

    private static String laneOf(String name) {
        var words = name.split(" ", -1);
        return switch (words[0]) {
            case "guest" -> words[1];
            case "begin", "snapshot", "close", "rollback", "cancel", "delete", "clone", "flatten",
                    "stop-flatten", "retain", "gc" ->
                "operator";
            case "finish", "hang", "run", "save", "timer" ->
                words[1].equals("rollback") ? words[2] : words[1];
            case "fail" -> words[1].equals("hung") ? words[2] : words[1];
            case "fail," -> words[3];
            default -> "storage";
        };
    }

    private static Kind kindOf(String name) {
        int space = name.indexOf(' ');
        return switch (space < 0 ? name : name.substring(0, space)) {
            case "guest" -> Kind.ISSUE;
            case "fail", "fail,", "hang", "limit" -> Kind.FAULT;
            case "crash" -> Kind.CRASH;
            case "timer" -> Kind.TIMER;
            case "finish" -> Kind.LAND;
            case "save" -> Kind.SAVE;
            case "cancel" -> Kind.ABORT;
            default -> Kind.DELIVER;
        };
    }
}
