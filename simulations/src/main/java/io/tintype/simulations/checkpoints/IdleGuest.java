package io.tintype.simulations.checkpoints;

import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;

/** Stands for a guest whose program is not known: keeps its registers and does nothing. A checkpoint of it is one of the other. */
final class IdleGuest implements Guest {
    private final String kind;
    private final byte[] registers;

    private IdleGuest(String kind, byte[] registers) {
        this.kind = kind;
        this.registers = registers;
    }

    static GuestFactory factory() {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                throw new IllegalArgumentException("an idle guest stands for another one");
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                return new IdleGuest(kind, registers.clone());
            }
        };
    }

    @Override
    public Outcome run(GuestContext context) {
        return Outcome.WAIT_FOR_INTERRUPT;
    }

    @Override
    public String kind() {
        return kind;
    }

    @Override
    public byte[] saveRegisters() {
        return registers.clone();
    }

    @Override
    public long steps() {
        return 0;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        return 1;
    }
}
