package io.tintype.simulations.explore;

/** One choice of a search, in 15 bits: {@code vm (2) | what (5) | arguments (8)}. */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Act {
    static final int ARGUMENT_BITS = 8;
    static final int WHAT_BITS = 5;
    static final int VM_SHIFT = ARGUMENT_BITS + WHAT_BITS;

    // Choices of the guest and of its host's operator: nobody has to make them.
    static final int ISSUE = 1;
    static final int STORE = 2;
    static final int RESET = 3;
    static final int BEGIN = 4;
    static final int COMMIT = 5;
    static final int DEADLINE = 6;
    static final int ROLL_BACK = 24;
    // Faults.
    static final int FAIL = 7;
    static final int OVERLAY_FAILED = 8;
    static final int SAVE_FAILED = 9;
    static final int SYNC_FAILED = 10;
    static final int MANIFEST_FAILED = 11;
    // What happens sooner or later.
    static final int MOVE = 12;
    static final int REPORT = 13;
    static final int OVERLAY = 14;
    static final int STUN = 15;
    static final int ANSWER = 16;
    static final int SETTLED = 17;
    static final int SAVE = 18;
    static final int SAVED = 19;
    static final int SYNCED = 20;
    static final int MANIFEST = 21;
    static final int CONFLICT_OVER = 22;
    static final int DROP = 23;

    private Act() {}

    static int of(int what, int arguments) {
        return what << ARGUMENT_BITS | arguments;
    }

    static int what(int act) {
        return act >>> ARGUMENT_BITS & (1 << WHAT_BITS) - 1;
    }

    static int arguments(int act) {
        return act & (1 << ARGUMENT_BITS) - 1;
    }

    static int vm(int act) {
        return act >>> VM_SHIFT;
    }

    static int inVm(int vm, int act) {
        return vm << VM_SHIFT | act;
    }

    /** Whether a run cannot end before it is done. */
    static boolean isDue(int act) {
        return what(act) >= MOVE && what(act) < ROLL_BACK;
    }
}
