package io.tintype.scheduler;

import io.tintype.scheduler.CheckpointPhase.Plan;
import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/**
 * The words in which scenarios are told. A scenario may have one of each:
 *
 * <pre>
 * disk top=1 [group=8] [ordered] [without=R8]      a disk's order; group: sectors in a block group
 *   holds 1 0                                      from now on layer 1 holds group 0; "lacks" is the opposite
 *   submit 7 write layer=1 sectors=0+4 [fua]       request 7: four sectors from sector 0
 *   part-done 7 group=0 ok       done 7 ok         the device is done with a part, with a request
 *   switched 2       needed 0 1       reset-disk
 *   ask may-commit 1 into=0      ask incomplete-in 1
 *
 * vm reissue=landed|disk [without=R6]              a VM's pending set
 *   issue 7 read sectors=0+1 to=5@10 [disk=1]      to page 5, which is in frame 10; "5@10:512+1024" for a piece of it
 *   copied 5 10>20                                 a store copied page 5 from frame 10 to frame 20
 *   landed 7 ok      reissued 7 ok
 *   stunned 1        ended 1       reset-vm [disk=0]       rolled-back
 *   ask pending-of 1       ask blocked 1       ask conflict       ask requests       ask owed
 *
 * checkpoint disks=0,1 [conflict=delay-resume] [copies] [without=R12]
 *   begin     overlay-ready 0     overlay-failed 0     conflicted     conflict-over     resume-held 7,8
 *   resumed 7,8     settled 7 [error]     pages-saved     late-pages-saved     save-failed     chain-synced
 *   sync-failed     disks-copied     copy-failed     manifest-written     manifest-failed     deadline     cancel
 *   ask phase        ask over        ask owns-overlays
 *
 * upkeep
 *   look [layers=4] [commit=2] [flatten=3] [left=2] [top=20] [unseen] [pinned] [busy] [in-flight]     flatten-wanted
 *   copy-sealed     committed 12 [failed]     flattened [failed]     overlay-on-top [failed]     dropped [failed]     stop
 * </pre>
 */
final class Transcript {
    private DiskOrder disk = DiskOrder.of(0, 8, false, Rules.ALL_ON);
    private final Set<String> held = new TreeSet<>();
    private PendingSet vm = PendingSet.empty(Reissue.LANDED, Rules.ALL_ON);
    private DiskUpkeep upkeep = DiskUpkeep.IDLE;
    private CheckpointPhase checkpoint = CheckpointPhase
            .idle(new Plan(new TreeSet<>(List.of(0)), Conflict.PUT_OFF, Rules.ALL_ON));

    /** Says what one line led to. */
    List<String> play(List<String> line) {
        var word = line.getFirst();
        return switch (word) {
            case "disk" -> {
                disk = DiskOrder.of(Integer.parseInt(named(line, "top", "0")),
                        Integer.parseInt(named(line, "group", "8")), line.contains("ordered"),
                        rules(line));
                yield List.of();
            }
            case "holds" -> {
                held.add(line.get(1) + " " + line.get(2));
                yield List.of();
            }
            case "lacks" -> {
                held.remove(line.get(1) + " " + line.get(2));
                yield List.of();
            }
            case "submit", "part-done", "done", "switched", "needed", "reset-disk" -> {
                var step = disk.step(diskInput(line), (layer, group) -> layer == 0
                        || held.contains(layer + " " + group));
                disk = step.next();
                yield told(step.outputs());
            }
            case "vm" -> {
                vm = PendingSet.empty(constant(Reissue.class, named(line, "reissue", "landed")),
                        rules(line));
                yield List.of();
            }
            case "issue", "copied", "landed", "reissued", "stunned", "ended", "reset-vm",
                    "rolled-back" -> {
                var step = vm.step(vmInput(line));
                vm = step.next();
                yield told(step.outputs());
            }
            case "checkpoint" -> {
                checkpoint = CheckpointPhase.idle(new Plan(
                        new TreeSet<>(numbers(named(line, "disks", "0")).stream()
                                .map(Long::intValue).toList()),
                        constant(Conflict.class, named(line, "conflict", "put-off")),
                        line.contains("copies"), rules(line)));
                yield List.of();
            }
            case "ask" -> List.of(answer(line));
            case "upkeep" -> {
                upkeep = DiskUpkeep.IDLE;
                yield List.of();
            }
            case "look", "flatten-wanted", "copy-sealed", "committed", "flattened",
                    "overlay-on-top",
                    "dropped", "stop" -> {
                var step = upkeep.step(upkeepInput(line));
                upkeep = step.next();
                yield told(step.outputs());
            }
            default -> {
                var step = CheckpointPhase.step(checkpoint, checkpointInput(line));
                checkpoint = step.next();
                yield told(step.outputs());
            }
        };
    }

    private static DiskOrder.Input diskInput(List<String> line) {
        return switch (line.getFirst()) {
            case "submit" -> {
                var sectors = numbers(named(line, "sectors", "0+0"));
                yield new DiskOrder.Input.Submit(number(line), constant(IoKind.class, line.get(2)),
                        Integer.parseInt(named(line, "layer", "0")), sectors.get(0),
                        sectors.get(1).intValue(), line.contains("fua"));
            }
            case "part-done" -> new DiskOrder.Input.PartDone(number(line),
                    Long.parseLong(named(line, "group", "0")), status(line));
            case "done" -> new DiskOrder.Input.Done(number(line), status(line));
            case "switched" -> new DiskOrder.Input.Switched((int) number(line));
            case "needed" -> new DiskOrder.Input.Needed(new TreeSet<>(
                    line.stream().skip(1).map(Integer::valueOf).toList()));
            default -> new DiskOrder.Input.Detached();
        };
    }

    private static PendingSet.Input vmInput(List<String> line) {
        return switch (line.getFirst()) {
            case "issue" -> {
                var sectors = numbers(named(line, "sectors", "0+0"));
                yield new PendingSet.Input.Issued(new Request(number(line), 0,
                        constant(IoKind.class, line.get(2)),
                        Integer.parseInt(named(line, "disk", "0")), sectors.get(0),
                        sectors.get(1).intValue(), targets(named(line, "to", ""))));
            }
            case "copied" -> {
                var frames = numbers(line.get(2));
                yield new PendingSet.Input.Copied(0, (int) number(line),
                        frames.get(0).intValue(), frames.get(1).intValue());
            }
            case "landed" -> new PendingSet.Input.Landed(number(line), status(line));
            case "reissued" -> new PendingSet.Input.Reissued(number(line), status(line));
            case "stunned" -> new PendingSet.Input.Stunned(number(line));
            case "ended" -> new PendingSet.Input.Ended(number(line));
            case "reset-vm" -> new PendingSet.Input.Detached(
                    Integer.parseInt(named(line, "disk", "-1")));
            default -> new PendingSet.Input.RolledBack();
        };
    }

    /** For example {@code 5@10,6@11:0+512}; offsets in the request follow from the sizes. */
    private static List<Target> targets(String told) {
        var targets = new ArrayList<Target>();
        long offset = 0;
        for (var each : told.isEmpty() ? new String[0] : told.split(",")) {
            var parts = numbers(each);
            int bytes = parts.size() > 2 ? parts.get(3).intValue() : 4096;
            targets.add(new Target(0, parts.get(0).intValue(), parts.get(1).intValue(),
                    parts.size() > 2 ? parts.get(2).intValue() : 0, bytes, offset));
            offset += bytes;
        }
        return targets;
    }

    private static CheckpointPhase.Input checkpointInput(List<String> line) {
        return switch (line.getFirst()) {
            case "begin" -> new CheckpointPhase.Input.Begin();
            case "overlay-ready" -> new CheckpointPhase.Input.OverlayReady((int) number(line));
            case "overlay-failed" ->
                new CheckpointPhase.Input.OverlayFailed((int) number(line), "no space");
            case "conflicted" -> new CheckpointPhase.Input.Conflicted();
            case "conflict-over" -> new CheckpointPhase.Input.ConflictOver();
            case "resume-held" -> new CheckpointPhase.Input.ResumeHeld(ids(line));
            case "resumed" -> new CheckpointPhase.Input.Resumed(9_000, ids(line));
            case "settled" -> new CheckpointPhase.Input.IoSettled(number(line),
                    line.contains("error") ? IoStatus.ERROR : IoStatus.OK);
            case "pages-saved" -> new CheckpointPhase.Input.PagesSaved();
            case "late-pages-saved" -> new CheckpointPhase.Input.LatePagesSaved();
            case "save-failed" -> new CheckpointPhase.Input.SaveFailed("no space");
            case "chain-synced" -> new CheckpointPhase.Input.ChainSynced();
            case "sync-failed" -> new CheckpointPhase.Input.SyncFailed("I/O error");
            case "disks-copied" -> new CheckpointPhase.Input.DisksCopied();
            case "copy-failed" -> new CheckpointPhase.Input.CopyFailed("no space");
            case "manifest-written" -> new CheckpointPhase.Input.ManifestWritten();
            case "manifest-failed" -> new CheckpointPhase.Input.ManifestFailed("no space");
            case "deadline" -> new CheckpointPhase.Input.Deadline();
            case "cancel" -> new CheckpointPhase.Input.Cancel("nobody wants it");
            default -> throw new IllegalArgumentException("no such word: " + line.getFirst());
        };
    }

    private static DiskUpkeep.Input upkeepInput(List<String> line) {
        boolean done = !line.contains("failed");
        return switch (line.getFirst()) {
            case "look" -> new DiskUpkeep.Input.Looked(new DiskUpkeep.Facts(
                    Integer.parseInt(named(line, "layers", "2")), 16,
                    Integer.parseInt(named(line, "commit", "-1")),
                    Integer.parseInt(named(line, "flatten", "-1")),
                    Integer.parseInt(named(line, "left", "2")),
                    Integer.parseInt(named(line, "top", "0")), DiskUpkeep.TOP_GROUPS_MIN,
                    line.contains("unseen"),
                    !line.contains("pinned"), line.contains("busy"), !line.contains("in-flight")));
            case "flatten-wanted" -> new DiskUpkeep.Input.FlattenWanted();
            case "copy-sealed" -> new DiskUpkeep.Input.Copied();
            case "committed" -> new DiskUpkeep.Input.Committed(done, (int) number(line));
            case "flattened" -> new DiskUpkeep.Input.Flattened(done);
            case "overlay-on-top" -> new DiskUpkeep.Input.OverlayOnTop(done);
            case "dropped" -> new DiskUpkeep.Input.Dropped(done);
            default -> new DiskUpkeep.Input.Stop();
        };
    }

    private String answer(List<String> line) {
        return switch (line.get(1)) {
            case "may-commit" -> disk.mayCommit(Integer.parseInt(line.get(2)),
                    Integer.parseInt(named(line, "into", "0"))) ? "yes" : "no";
            case "incomplete-in" -> "" + disk.incompleteIn(Integer.parseInt(line.get(2)));
            case "pending-of" -> "requests " + vm.pendingOf(Long.parseLong(line.get(2)));
            case "blocked" -> "frames "
                    + Arrays.toString(vm.blockedFrames(Long.parseLong(line.get(2))));
            case "conflict" -> vm.readWriteConflict() ? "yes" : "no";
            case "requests" -> "requests " + vm.requests().stream().map(Request::ioId).toList();
            case "owed" -> vm.owedFrames() + " frames";
            case "phase" -> checkpoint.getClass().getSimpleName();
            case "over" -> checkpoint.isOver() ? "yes" : "no";
            case "owns-overlays" -> checkpoint.ownsOverlays() ? "yes" : "no";
            default -> throw new IllegalArgumentException("no such question: " + line.get(1));
        };
    }

    private static List<String> told(List<?> outputs) {
        return outputs.stream().map(Object::toString).toList();
    }

    private static long number(List<String> line) {
        return Long.parseLong(line.get(1));
    }

    /** All numbers in a text, whatever is between them. */
    private static List<Long> numbers(String text) {
        return Arrays.stream(text.split("\\D+")).filter(each -> !each.isEmpty())
                .map(Long::valueOf).toList();
    }

    private static IoIds ids(List<String> line) {
        return line.size() < 2 ? IoIds.NONE : IoIds.of(numbers(line.get(1)));
    }

    private static String named(List<String> line, String name, String otherwise) {
        for (var each : line) {
            if (each.startsWith(name + "=")) {
                return each.substring(name.length() + 1);
            }
        }
        return otherwise;
    }

    private static Rules rules(List<String> line) {
        var off = named(line, "without", "");
        return off.isEmpty() ? Rules.ALL_ON : Rules.without(Rule.valueOf(off));
    }

    private static IoStatus status(List<String> line) {
        return constant(IoStatus.class, line.getLast());
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        return Enum.valueOf(type, name.toUpperCase(Locale.ROOT).replace('-', '_'));
    }
}
