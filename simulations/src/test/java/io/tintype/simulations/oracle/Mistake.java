package io.tintype.simulations.oracle;

import io.tintype.scheduler.Rule;
import org.jspecify.annotations.Nullable;

/** What a {@link SimulatedVm} can do wrong, and the rule that it breaks. */
enum Mistake {
    HEAP_STORE_AFTER_THE_STUN_IN_THE_CHECKPOINT(Rule.R2),
    COMPLETION_AFTER_THE_STUN_IN_THE_CHECKPOINT(Rule.R3),
    REQUEST_MISSING_FROM_THE_PENDING_LIST(Rule.R3),
    REGISTERS_OF_LATER(Rule.R3),
    PENDING_WRITE_NOT_IN_THE_CHECKPOINT(Rule.R4),
    PENDING_WRITE_NOT_IN_THE_RUNNING_VM(Rule.R4, Rule.R8, 8),
    NEW_WRITE_IN_THE_CHECKPOINT(Rule.R5),
    DISCARD_FORGOTTEN(Rule.R5),
    PENDING_READ_NOT_IN_THE_RUNNING_VM(Rule.R6),
    NEW_READ_IN_THE_CHECKPOINT(Rule.R7),
    PENDING_WRITE_LANDS_HALF(Rule.R8),
    FAULT_BEFORE_A_PENDING_WRITE(Rule.R8, Rule.R8, 2),
    PENDING_READ_TORN_BY_A_WRITE(Rule.R9, Rule.R9, 1),
    PENDING_READ_NOT_IN_THE_CHECKPOINT(Rule.R10),
    COMPLETED_TWICE(Rule.R11),
    ANOTHER_STATUS_IN_THE_CHECKPOINT(Rule.R11),
    RESTORED_VM_NEVER_GETS_A_COMPLETION(Rule.R11),
    RESTORED_VM_GETS_ANOTHER_STATUS(Rule.R11),
    SEALED_BEFORE_THE_PENDING_WERE_DONE(Rule.R12),
    CHECKPOINT_CHANGED_AFTERWARDS(Rule.R16),
    COMPLETION_AFTER_A_RESET(Rule.R17),
    READ_LANDS_AFTER_A_RESET(Rule.R17, Rule.R17, 2),
    COMPLETED_WRITE_LOST(null);

    final @Nullable Rule rule;
    /** Another rule that may be named, where from outside it can be either. */
    final @Nullable Rule alternative;
    /** Made in one of so many occasions. */
    final int oneIn;

    Mistake(@Nullable Rule rule) {
        this(rule, rule, 8);
    }

    Mistake(@Nullable Rule rule, @Nullable Rule alternative, int oneIn) {
        this.oneIn = oneIn;
        this.rule = rule;
        this.alternative = alternative;
    }
}
