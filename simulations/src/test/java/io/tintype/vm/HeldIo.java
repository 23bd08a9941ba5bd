package io.tintype.vm;

import io.tintype.scheduler.IoStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Storage that holds operations back as a test says, and performs or fails them on command, in any order. Thread-safe. */
final class HeldIo implements DiskIo {
    private record Held(Operation operation, Consumer<IoStatus> done) {}

    static final Predicate<Operation> ALL = _ -> true;
    static final Predicate<Operation> NOTHING = _ -> false;

    private final List<Held> held = new ArrayList<>();
    private final List<Operation> submitted = new ArrayList<>();
    private Predicate<Operation> hold = NOTHING;

    static Predicate<Operation> of(Operation.Kind kind) {
        return operation -> operation.kind() == kind;
    }

    static Predicate<Operation> of(long ioId) {
        return operation -> operation.ioId() == ioId;
    }

    /** From now on operations that {@code which} accepts are held; those held before stay held. */
    synchronized void hold(Predicate<Operation> which) {
        hold = which;
    }

    @Override
    public synchronized @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
        submitted.add(operation);
        if (!hold.test(operation)) {
            return operation.body().perform();
        }
        held.add(new Held(operation, done));
        return null;
    }

    /** Performs what is held of {@code which}, in the order submitted; returns how many that were. */
    int release(Predicate<Operation> which) {
        var taken = take(which);
        taken.forEach(each -> each.done().accept(each.operation().body().perform()));
        return taken.size();
    }

    /** Ends what is held of {@code which} with an error, without having done anything. */
    int fail(Predicate<Operation> which) {
        var taken = take(which);
        taken.forEach(each -> each.done().accept(IoStatus.ERROR));
        return taken.size();
    }

    private synchronized List<Held> take(Predicate<Operation> which) {
        var taken = held.stream().filter(each -> which.test(each.operation())).toList();
        held.removeAll(taken);
        return taken;
    }

    /** How many operations of {@code which} were ever submitted, held or not. */
    synchronized long submitted(Predicate<Operation> which) {
        return submitted.stream().filter(which).count();
    }

    synchronized int heldCount() {
        return held.size();
    }

    @Override
    public void close() {}
}
