package io.tintype.simulations.simulate;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.oracle.OracleScratch;
import io.tintype.simulations.oracle.Violation;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.DrivenGuest;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestRecorder;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The guest of one small schedule: its program, and what its oracle hears of it. */
final class SmallVm implements VmProbe, GuestRecorder, DrivenGuest.Script {
    /** How far into its first page a straddling buffer begins, see GuestLayout. */
    private static final int STRADDLE_BYTES = 256;

    final Oracle oracle;
    final EventLog log = new EventLog();
    private final ArrayDeque<Action> script = new ArrayDeque<>();
    /** By slot, what is in flight by the guest's account. */
    private final Action.@Nullable Submit[] open;
    private Action.@Nullable Submit submitting;
    private int openCount;

    SmallVm(String name, GuestBlueprint blueprint, OracleScratch scratch,
            Consumer<Violation> onViolation) {
        // On storage that performs one operation after another a block never tears.
        oracle = new Oracle(name, blueprint, log,
                OracleOptions.COMPLETE.withTearsAreViolations(true), onViolation, scratch);
        open = new Action.Submit[blueprint.layout().slotCount()];
    }

    /** The guest's next step, when it runs. */
    void tell(Action action) {
        script.add(action);
    }

    /** Requests that the guest waits for. */
    int openCount() {
        return openCount;
    }

    @Override
    public boolean step(DrivenGuest.Cpu cpu) {
        var action = script.poll();
        switch (action) {
            case null -> {
                return false;
            }
            case Action.Submit submit -> {
                if (cpu.maySubmit()) {
                    submitting = submit;
                    cpu.submit(submit.kind(), submit.disk(), submit.sector(),
                            submit.sectorCount(), submit.fua(), submit.shape());
                }
            }
            case Action.Touch touch -> touch(cpu, touch);
            case Action.Heap _ -> cpu.storeIntoHeap();
            default -> throw new IllegalStateException("no guest does " + action.name());
        }
        return true;
    }

    /** Only while the read is in flight, and beside its data. */
    private void touch(DrivenGuest.Cpu cpu, Action.Touch touch) {
        for (int slot = 0; slot < open.length; slot++) {
            var read = open[slot];
            if (read != null && read.label().equals(touch.of())) {
                int end = STRADDLE_BYTES + read.sectorCount() * 512;
                if (end % 4096 != 0) {
                    cpu.touch(slot, touch.page() == 0 ? 0 : end / 4096);
                }
            }
        }
    }

    @Override
    public void submitted(long event, int slot, IoKind kind, int disk, long sector,
            int sectorCount, boolean fua, int version, int shape) {
        open[slot] = submitting;
        openCount++;
        log.submitted(event, slot, kind, disk, sector, sectorCount, fua, version, shape);
    }

    @Override
    public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
            int versionCount) {
        open[slot] = null;
        openCount--;
        log.completed(event, slot, disk, status, versions, versionCount);
    }

    @Override
    public void unexpected(long event, int disk, int tag, int status) {
        log.unexpected(event, disk, tag, status);
    }

    @Override
    public void reset(long event, int disk) {
        log.reset(event, disk);
    }

    @Override
    public void overwritten(long event, int slot, int disk) {
        log.overwritten(event, slot, disk);
    }

    @Override
    public void stunned(long checkpoint, Guest guest) {
        log.stunned(checkpoint, guest.saveRegisters());
    }
}
