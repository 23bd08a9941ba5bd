package io.tintype.simulations.fleet;

import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.oracle.OracleService;
import io.tintype.simulations.oracle.VerifyReport;
import io.tintype.simulations.oracle.Violation;
import io.tintype.vm.guest.GuestBlueprint;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** The oracles of a fleet on their one thread; whatever they find goes to one place. Any thread may ask. */
final class Auditor implements AutoCloseable {
    private final OracleService service = new OracleService();
    private final Consumer<Violation> onViolation;

    /** {@code onViolation} is called on the oracles' thread. */
    Auditor(Consumer<Violation> onViolation) {
        this.onViolation = onViolation;
    }

    /** An oracle for a VM that has not run yet. */
    Oracle open(String vm, GuestBlueprint blueprint, EventLog log) {
        var oracle = new Oracle(vm, blueprint, log, OracleOptions.DEFAULTS, onViolation);
        service.add(oracle);
        return oracle;
    }

    /** An oracle for a VM restored from {@code image}, which has not run yet. */
    CompletableFuture<Oracle> fork(Oracle of, CheckpointImage image, String vm, EventLog log) {
        return service.ask(() -> {
            var oracle = of.fork(image, vm, log, onViolation);
            service.add(oracle);
            return oracle;
        });
    }

    /** Compares a stored checkpoint; what is found is told, too. */
    CompletableFuture<VerifyReport> verify(Oracle oracle, CheckpointImage image, boolean full) {
        return service.ask(() -> told(oracle.verify(image, full)));
    }

    /** Compares a VM that stands still; what is found is told, too. */
    CompletableFuture<VerifyReport> verifyOngoing(Oracle oracle, CheckpointImage image) {
        return service.ask(() -> told(oracle.verifyOngoing(image)));
    }

    /** The checkpoint will not be looked at again. */
    CompletableFuture<Boolean> release(Oracle oracle, long checkpoint) {
        return service.ask(() -> {
            oracle.release(checkpoint);
            return true;
        });
    }

    /** The VM is gone: nobody follows its log any more. */
    void forget(Oracle oracle) {
        service.remove(oracle);
    }

    private VerifyReport told(VerifyReport report) {
        report.violations().forEach(onViolation);
        return report;
    }

    @Override
    public void close() {
        service.close();
    }
}
