package io.tintype.vm;

import io.tintype.scheduler.IoKind;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A request in flight with the pins it holds; used by the strand of its VM only. */
final class Flight {
    private record Debt(int region, int page, int frame) {}

    final IoRequest request;
    final Machine machine;
    final ActorRef<PendingIoActor.Command> actor;
    private final int[] pieceRegions;
    // Copies that the read owes its bytes to, pinned beside its targets (R6). Null for nearly all.
    private @Nullable List<Debt> debts;

    /** Takes over the pins that {@link RequestBinder} took for {@code bound}. */
    Flight(
            IoRequest request,
            Machine machine,
            ActorRef<PendingIoActor.Command> actor,
            RequestBinder.Bound bound) {
        this.request = request;
        this.machine = machine;
        this.actor = actor;
        this.pieceRegions = bound.pieceRegions();
    }

    /** Pins a copy until the read has paid it. */
    void owe(int region, int page, int frame) {
        machine.region(region).pinTarget(frame);
        if (debts == null) {
            debts = new ArrayList<>(1);
        }
        debts.add(new Debt(region, page, frame));
    }

    /** Returns the page whose copy {@code frame} is, or -1 when nothing is owed to it. */
    int pageOfCopy(int frame) {
        if (debts != null) {
            for (var debt : debts) {
                if (debt.frame() == frame) {
                    return debt.page();
                }
            }
        }
        return -1;
    }

    /** Takes the pin of {@link #owe} back: nobody shows that frame any more. */
    void forgive(int frame) {
        if (debts == null) {
            return;
        }
        for (var each = debts.iterator(); each.hasNext();) {
            var debt = each.next();
            if (debt.frame() == frame) {
                each.remove();
                machine.region(debt.region()).unpinTarget(frame);
                return;
            }
        }
    }

    /** Gives every pin back; the request is over. */
    void unpin() {
        var buffer = request.buffer();
        for (int i = 0; i < buffer.count(); i++) {
            var region = machine.region(pieceRegions[i]);
            if (request.kind() == IoKind.READ) {
                region.unpinTarget(buffer.frame(i));
            } else {
                region.unpinSource(buffer.frame(i));
            }
        }
        if (debts != null) {
            for (var debt : debts) {
                machine.region(debt.region()).unpinTarget(debt.frame());
            }
        }
    }
}
