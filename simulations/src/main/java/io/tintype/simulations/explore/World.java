package io.tintype.simulations.explore;

/**
 * All VMs of a configuration: the state that a search has at hand. VMs share nothing but the bounds of the configuration, and which
 * is which does not matter, so they stand in an order that follows from their states.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class World {
    final VmMachine machine;
    final int vms;
    final int vmWords;
    private final ExploreConfig config;
    /** The state. */
    final long[] w;
    /** Where the VM went whose act was applied last; only with several. */
    final int[] places;
    private final int[] vmActs = new int[256];

    World(ExploreConfig config) {
        this.config = config;
        machine = new VmMachine(config, new Cores(config));
        vms = config.vms();
        vmWords = machine.words();
        w = vms == 1 ? machine.state.w : new long[vms * vmWords];
        places = new int[vms];
    }

    World(ExploreConfig config, Cores cores) {
        this.config = config;
        machine = new VmMachine(config, cores);
        vms = config.vms();
        vmWords = machine.words();
        w = vms == 1 ? machine.state.w : new long[vms * vmWords];
        places = new int[vms];
    }

    void start(ExploreConfig.Policy policy) {
        machine.start(policy);
        for (int vm = 0; vm < vms; vm++) {
            System.arraycopy(machine.state.w, 0, w, vm * vmWords, vmWords);
        }
    }

    void load(long[] state) {
        System.arraycopy(state, 0, w, 0, w.length);
    }

    int enumerate(int[] acts) {
        if (vms == 1) {
            return machine.enumerate(acts, machine.issuedCount(),
                    machine.begunCount() < config.checkpoints());
        }
        int issued = 0;
        int begun = 0;
        for (int vm = 0; vm < vms; vm++) {
            issued += Layout.get(w[vm * vmWords], Layout.ISSUED);
            begun += Layout.get(w[vm * vmWords], Layout.BEGUN);
        }
        int n = 0;
        for (int vm = 0; vm < vms; vm++) {
            if (isLikeTheOneBefore(vm)) {
                continue;
            }
            System.arraycopy(w, vm * vmWords, machine.state.w, 0, vmWords);
            int count = machine.enumerate(vmActs, issued,
                    begun < config.checkpoints());
            for (int i = 0; i < count; i++) {
                acts[n++] = Act.inVm(vm, vmActs[i]);
            }
        }
        return n;
    }

    private boolean isLikeTheOneBefore(int vm) {
        return vm > 0 && compare(vm - 1, vm) == 0;
    }

    void apply(int act) {
        if (vms == 1) {
            machine.apply(act);
            return;
        }
        int vm = Act.vm(act);
        System.arraycopy(w, vm * vmWords, machine.state.w, 0, vmWords);
        machine.apply(act & (1 << Act.VM_SHIFT) - 1);
        System.arraycopy(machine.state.w, 0, w, vm * vmWords, vmWords);
        sort();
    }

    /** Called where nothing is due. */
    void verifyDone() {
        if (vms == 1) {
            machine.verifyDone();
            return;
        }
        for (int vm = 0; vm < vms; vm++) {
            System.arraycopy(w, vm * vmWords, machine.state.w, 0, vmWords);
            machine.verifyDone();
        }
    }

    private void sort() {
        for (int vm = 0; vm < vms; vm++) {
            places[vm] = vm;
        }
        for (int i = 1; i < vms; i++) {
            for (int j = i; j > 0 && compare(j - 1, j) > 0; j--) {
                for (int word = 0; word < vmWords; word++) {
                    long other = w[(j - 1) * vmWords + word];
                    w[(j - 1) * vmWords + word] = w[j * vmWords + word];
                    w[j * vmWords + word] = other;
                }
                int place = places[j - 1];
                places[j - 1] = places[j];
                places[j] = place;
            }
        }
    }

    private int compare(int vm, int other) {
        for (int word = 0; word < vmWords; word++) {
            int order = Long.compare(w[vm * vmWords + word], w[other * vmWords + word]);
            if (order != 0) {
                return order;
            }
        }
        return 0;
    }
}
