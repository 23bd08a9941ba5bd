package io.tintype.simulations.simulate;

import io.tintype.scheduler.IoKind;
import io.tintype.vm.guest.GuestLayout;
import java.util.ArrayList;
import java.util.List;

/** What guests and operators do in a run, and when: drawn from the seed before it begins. */
final class Workload {
    private static final int SECTORS_A_GROUP = 8;
    private static final int GENERATIONS_MAX = 3;

    /** An action at its virtual time, counted from the start of the run. */
    record Timed(long atNs, Action action) {}

    private final Knobs knobs;
    private final Dice dice;
    private final List<Timed> actions = new ArrayList<>();
    private final List<List<String>> reads = new ArrayList<>();
    private long nowNs;
    private int number;
    private int checkpoints;
    private int clones;

    private Workload(Knobs knobs) {
        this.knobs = knobs;
        this.dice = new Dice(Dice.of(knobs.seed(), "workload", 0));
        for (int vm = 0; vm < knobs.vms(); vm++) {
            reads.add(new ArrayList<>());
        }
    }

    static List<Timed> of(Knobs knobs) {
        return new Workload(knobs).draw();
    }

    private List<Timed> draw() {
        int weights = knobs.readWeight() + knobs.writeWeight() + knobs.flushWeight()
                + knobs.eraseWeight() + knobs.touchWeight() + knobs.heapWeight()
                + knobs.bellWeight() + knobs.resetWeight();
        for (int i = 0; i < knobs.actions(); i++) {
            if (i == knobs.fullAt()) {
                add(new Action.Limit("", "storage", dice.below(64) * 1024L));
            }
            // Checkpoints evenly over the run, after some requests.
            int checkpointsDue =
                    knobs.checkpoints() * (i + 1) / (knobs.actions() + 1) + (i > 2 ? 1 : 0);
            if (checkpoints < Math.min(knobs.checkpoints(), checkpointsDue)) {
                checkpoint();
            }
            guest(dice.below(weights));
        }
        while (checkpoints < knobs.checkpoints()) {
            checkpoint();
        }
        destroyAll();
        return actions;
    }

    /** Some VMs end, clones before what they stand on or after, their checkpoints deleted before or not; garbage goes meanwhile. */
    private void destroyAll() {
        if (knobs.destroyPercent() == 0) {
            return;
        }
        var begun = List.copyOf(actions);
        var own = new Dice(Dice.of(knobs.seed(), "destroy", 0));
        int soonNs = (int) Math.min(Integer.MAX_VALUE / 8,
                knobs.latencyMaxNs() + 4 * knobs.taskMaxNs() + 8 * knobs.gapNs());
        for (int i = 1; i <= knobs.vms() + clones; i++) {
            if (!own.percent(knobs.destroyPercent())) {
                continue;
            }
            var vm = "vm-" + i;
            // Clones are there some time after the checkpoint that they are made of.
            long atNs = nowNs / 2 + own.below(8 * (soonNs / 2 + 1));
            if (own.percent(75)) {
                for (var timed : begun) {
                    if (timed.action() instanceof Action.Begin(var of, var label, _)
                            && of.equals(vm)) {
                        actions.add(new Timed(atNs, new Action.Delete(vm, label)));
                    }
                }
            }
            actions.add(new Timed(atNs + 1 + own.below(soonNs), new Action.Destroy(vm, "d" + i)));
            if (own.percent(knobs.gcPercent())) {
                actions.add(new Timed(atNs + 1 + own.below(2 * soonNs),
                        new Action.Gc("", "gd" + i)));
            }
        }
    }

    private void add(Action action) {
        if (!dice.percent(knobs.burstPercent())) {
            nowNs += 1 + dice.below((int) (2 * knobs.gapNs()));
        }
        actions.add(new Timed(nowNs, action));
    }

    /** A consequence some time later, while other things go on. */
    private void later(Action action, long maxNs) {
        actions.add(new Timed(nowNs + 1 + dice.below((int) maxNs), action));
    }

    private String vm(int index) {
        return "vm-" + (index + 1);
    }

    private void checkpoint() {
        var vm = vm(dice.below(knobs.vms()));
        var label = "c" + ++checkpoints;
        // Of its own, so that these knobs change nothing else of a seed's workload.
        var disks = new Dice(Dice.of(knobs.seed(), "disks of " + label, 0));
        add(new Action.Begin(vm, label, disks.percent(knobs.copyPercent())));
        long soon = Math.min(Integer.MAX_VALUE,
                knobs.latencyMaxNs() + 4 * knobs.taskMaxNs() + 8 * knobs.gapNs());
        if (dice.percent(knobs.cancelPercent())) {
            later(new Action.Cancel(vm, label), soon);
        }
        if (dice.percent(knobs.clonePercent())) {
            var clone = "vm-" + (knobs.vms() + ++clones);
            later(new Action.Clone(vm, label, clone), 3 * soon);
            busy(clone, 3 * soon);
            var own = new Dice(Dice.of(knobs.seed(), clone, 1));
            if (own.percent(60)) {
                // A second one, which shares what the first one reads.
                var twin = "vm-" + (knobs.vms() + ++clones);
                actions.add(new Timed(nowNs + 1 + own.below((int) Math.min(Integer.MAX_VALUE,
                        3 * soon)), new Action.Clone(vm, label, twin)));
                busy(twin, 3 * soon);
            }
        }
        if (dice.percent(knobs.deletePercent())) {
            later(new Action.Delete(vm, label), 4 * soon);
        }
        if (disks.percent(knobs.flattenPercent())) {
            int disk = disks.below(knobs.disks());
            long atNs = nowNs + 1 + disks.below((int) (2 * soon));
            actions.add(new Timed(atNs, new Action.Flatten(vm, "l" + checkpoints, disk)));
            if (disks.percent(25)) {
                actions.add(new Timed(atNs + 1 + disks.below((int) soon),
                        new Action.StopFlatten(vm, "l" + checkpoints, disk)));
            }
        }
        housekeeping(vm, (int) soon);
        goingBack(vm, label, (int) soon);
    }

    /** Rollbacks and snapshots, of dice of their own. */
    private void goingBack(String vm, String label, int soonNs) {
        var own = new Dice(Dice.of(knobs.seed(), "going back " + vm + " " + label, 0));
        if (own.percent(knobs.rollbackPercent())) {
            // Mostly when it is sealed, and sometimes while the next ones are under way.
            long atNs = nowNs + soonNs / 2 + own.below(3 * (soonNs / 2 + 1));
            actions.add(new Timed(atNs, new Action.RollBack(vm, "z" + label, label)));
            if (own.percent(30)) {
                actions.add(new Timed(atNs + 1 + own.below(soonNs),
                        new Action.RollBack(vm, "y" + label, label)));
            }
            afterwards(vm, "a" + label, atNs, own, soonNs);
        }
        if (!own.percent(knobs.snapshotPercent())) {
            return;
        }
        var snapshot = "s" + label;
        long atNs = nowNs + 1 + own.below(soonNs);
        actions.add(new Timed(atNs, new Action.Snapshot(vm, snapshot)));
        if (own.percent(knobs.cancelPercent())) {
            actions.add(new Timed(atNs + 1 + own.below(soonNs), new Action.Cancel(vm, snapshot)));
        }
        if (own.percent(knobs.rollbackPercent())) {
            actions.add(new Timed(atNs + 1 + own.below(2 * (soonNs / 2 + 1)),
                    new Action.RollBack(vm, "z" + snapshot, snapshot)));
            afterwards(vm, "a" + snapshot, atNs, own, soonNs);
        }
        if (own.percent(knobs.clonePercent())) {
            var clone = "vm-" + (knobs.vms() + ++clones);
            actions.add(new Timed(atNs + 1 + own.below(2 * (soonNs / 2 + 1)),
                    new Action.Clone(vm, snapshot, clone)));
            busy(clone, soonNs);
        }
        if (own.percent(70)) {
            actions.add(new Timed(atNs + 1 + own.below(3 * (soonNs / 2 + 1)),
                    new Action.Close(vm, snapshot)));
        }
    }

    /** What a guest does that was taken back: else most of them would end there. */
    private void afterwards(String vm, String label, long atNs, Dice own, int soonNs) {
        for (int i = 0; i < 4; i++) {
            long thenNs = atNs + 1 + own.below(soonNs);
            var name = label + (char) ('a' + i);
            int what = own.below(5);
            int sectors = Math.min(SECTORS_A_GROUP, knobs.requestSectorsMax());
            long sector = own.below(knobs.hotGroups()) * (long) SECTORS_A_GROUP
                    % ((long) knobs.groups() * SECTORS_A_GROUP);
            actions.add(new Timed(thenNs, switch (what) {
                case 0 -> new Action.Heap(vm, name);
                case 1 -> new Action.Submit(vm, name, IoKind.FLUSH, 0, 0, 0, 0, false);
                case 2 -> new Action.Submit(vm, name, IoKind.READ, 0, sector, sectors, 0, false);
                default -> new Action.Submit(vm, name, IoKind.WRITE, 0, sector, sectors, 0,
                        own.percent(knobs.fuaPercent()));
            }));
        }
    }

    private void housekeeping(String vm, int soonNs) {
        var own = new Dice(Dice.of(knobs.seed(), "housekeeping " + checkpoints, 0));
        if (own.percent(knobs.retainPercent())) {
            actions.add(new Timed(nowNs + 1 + own.below(soonNs),
                    new Action.Retain(vm, "n" + checkpoints, own.between(1, 2))));
        }
        if (own.percent(knobs.gcPercent())) {
            actions.add(new Timed(nowNs + 1 + own.below(soonNs),
                    new Action.Gc("", "g" + checkpoints)));
        }
    }

    /** What a clone does, if it is there by then: while its memory is still being read, with luck. */
    private void busy(String clone, long soon) {
        busy(clone, soon, nowNs, 1);
    }

    private void busy(String clone, long soon, long fromNs, int generation) {
        // Dice of its own, so that runs without clones stay as they are.
        var own = new Dice(Dice.of(knobs.seed(), clone, 0));
        for (int i = 0; i < 6; i++) {
            var label = clone.replace("vm-", "k") + (char) ('a' + i);
            long atNs = fromNs + soon / 2 + 1 + own.below((int) Math.min(Integer.MAX_VALUE, soon));
            int what = own.below(4);
            actions.add(new Timed(atNs, switch (what) {
                case 0 -> new Action.Begin(clone, label,
                        own.percent(knobs.copyPercent()));
                case 1 -> new Action.Heap(clone, label);
                default -> new Action.Submit(clone, label,
                        what == 2 ? IoKind.READ : IoKind.WRITE, 0,
                        own.below(knobs.groups()) * (long) SECTORS_A_GROUP,
                        Math.min(SECTORS_A_GROUP, knobs.requestSectorsMax()), 0, false);
            }));
            if (what == 0) {
                offspring(clone, label, (int) Math.min(Integer.MAX_VALUE / 4, soon), atNs,
                        generation);
            }
        }
    }

    /** What becomes of a checkpoint of a clone. */
    private void offspring(String clone, String label, int soonNs, long fromNs, int generation) {
        var own = new Dice(Dice.of(knobs.seed(), "offspring " + clone + " " + label, 0));
        if (generation < GENERATIONS_MAX && own.percent(knobs.grandClonePercent())) {
            var next = "vm-" + (knobs.vms() + ++clones);
            actions.add(new Timed(fromNs + soonNs / 4 + own.below(soonNs),
                    new Action.Clone(clone, label, next)));
            busy(next, soonNs, fromNs, generation + 1);
        }
        if (own.percent(knobs.rollbackPercent())) {
            actions.add(new Timed(fromNs + soonNs / 4 + own.below(soonNs),
                    new Action.RollBack(clone, "z" + label, label)));
        }
        if (own.percent(knobs.snapshotPercent())) {
            actions.add(new Timed(fromNs + 1 + own.below(soonNs),
                    new Action.Snapshot(clone, "s" + label)));
            if (own.percent(knobs.rollbackPercent())) {
                actions.add(new Timed(fromNs + soonNs / 2 + own.below(soonNs),
                        new Action.RollBack(clone, "y" + label, "s" + label)));
            }
        }
    }

    private void guest(int choice) {
        int index = dice.below(knobs.vms());
        var vm = vm(index);
        int disk = dice.below(knobs.disks());
        int rest = choice;
        if ((rest -= knobs.readWeight()) < 0) {
            var label = "r" + ++number;
            reads.get(index).add(label);
            submit(vm, label, IoKind.READ, disk);
        } else if ((rest -= knobs.writeWeight()) < 0) {
            submit(vm, "w" + ++number, IoKind.WRITE, disk);
        } else if ((rest -= knobs.flushWeight()) < 0) {
            add(new Action.Submit(vm, "f" + ++number, IoKind.FLUSH, disk, 0, 0, 0, false));
        } else if ((rest -= knobs.eraseWeight()) < 0) {
            submit(vm, "e" + ++number,
                    dice.percent(50) ? IoKind.DISCARD : IoKind.WRITE_ZEROES, disk);
        } else if ((rest -= knobs.touchWeight()) < 0) {
            var of = reads.get(index);
            if (!of.isEmpty()) {
                // Mostly one of the last, which may be in flight still.
                int back = Math.min(of.size(), 1 + dice.below(4));
                add(new Action.Touch(vm, "t" + ++number, of.get(of.size() - back), dice.below(2)));
            }
        } else if ((rest -= knobs.heapWeight()) < 0) {
            add(new Action.Heap(vm, "h" + ++number));
        } else if ((rest -= knobs.bellWeight()) < 0) {
            add(new Action.Bell(vm, "b" + ++number, dice.percent(50)));
        } else {
            add(new Action.Reset(vm, "x" + ++number, disk));
        }
    }

    private void submit(String vm, String label, IoKind kind, int disk) {
        int sectors = knobs.groups() * SECTORS_A_GROUP;
        int count = dice.percent(50)
                ? Math.min(SECTORS_A_GROUP, knobs.requestSectorsMax())
                : dice.between(1, knobs.requestSectorsMax());
        count = Math.min(count, sectors);
        int hot = Math.min(sectors, Math.max(count, knobs.hotGroups() * SECTORS_A_GROUP));
        int range = dice.percent(85) ? hot : sectors;
        int sector = dice.below(range - count + 1);
        if (dice.percent(50)) {
            sector = sector / SECTORS_A_GROUP * SECTORS_A_GROUP;
        }
        int shape = dice.percent(knobs.straddlePercent())
                ? GuestLayout.SHAPE_STRADDLING
                : GuestLayout.SHAPE_PLAIN;
        add(new Action.Submit(vm, label, kind, disk, sector, count, shape,
                kind != IoKind.READ && dice.percent(knobs.fuaPercent())));
    }
}
