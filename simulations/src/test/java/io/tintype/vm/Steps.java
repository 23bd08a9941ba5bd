package io.tintype.vm;

import io.tintype.vm.guest.DrivenGuest.Cpu;
import io.tintype.vm.guest.DrivenGuest.Script;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a test tells a guest to do, one step after another. The test's thread adds steps, and the guest is woken for each; the VM's
 * strand takes them.
 */
final class Steps implements Script {
    private final ConcurrentLinkedQueue<Consumer<Cpu>> waiting = new ConcurrentLinkedQueue<>();
    private volatile @Nullable Vm vm;

    /** From now on {@code of} is woken; it finds what was added before when it starts. */
    void wake(Vm of) {
        vm = of;
        of.interrupt();
    }

    void add(Consumer<Cpu> step) {
        waiting.add(step);
        var woken = vm;
        if (woken != null) {
            woken.interrupt();
        }
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    @Override
    public boolean step(Cpu cpu) {
        var next = waiting.poll();
        if (next == null) {
            return false;
        }
        next.accept(cpu);
        return true;
    }
}
