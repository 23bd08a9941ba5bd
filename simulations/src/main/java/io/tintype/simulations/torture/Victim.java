package io.tintype.simulations.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.torture.Tape.Fate;
import io.tintype.store.StoreException;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.HostOptions;
import io.tintype.vm.HostPorts;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.VmSpec;
import io.tintype.vm.guest.Guest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The process that is killed. It says {@link #STANDBY} when it has started, takes its {@link Orders} from the standard input, says
 * {@link #READY} when all of its VMs run, and then takes and deletes checkpoints until it is killed. Each VM has a {@link Tape}, the
 * fleet another one for what became of checkpoints.
 *
 * <p>It ends by itself when its standard input does, so that it does not outlive the process that started it.
 */
public final class Victim {
    static final String STANDBY = "standby";
    static final String READY = "ready";

    /** One of so many keeps its catalogue on disk. */
    private static final int VICTIMS_A_JOURNAL = 5;
    /** Begins a line that tells what a correct program would not have run into. */
    static final String FAILED = "failed ";
    static final String FATES_TAPE = "fates.tape";

    private static final int EXIT_ORPHANED = 3;
    static final int EXIT_TAPE_FULL = 4;
    private static final int EXIT_FAILED = 5;
    private static final int EXIT_UNWANTED = 6;

    private static final long FRAMES_BYTES = 192L << 20;
    private static final long HELD_BYTES = 96L << 20;
    private static final int IN_PROGRESS_MAX = 2;
    private static final int KEPT_MIN = 2;
    private static final int KEPT_MAX = 5;
    /** Longest pauses between two checkpoints of a VM; a sealed one makes its disks durable, so that where they are rare flushes are put to the test. */
    private static final long[] PAUSES_MS_MAX = {20, 60, 300, 3_000};

    /** One VM of the fleet; the main thread's, but for its tape. */
    private static final class Hosted {
        final int index;
        final Vm vm;
        final ArrayDeque<CheckpointRef> kept = new ArrayDeque<>();
        long dueNs;
        int inProgress;

        Hosted(int index, Vm vm) {
            this.index = index;
            this.vm = vm;
        }
    }

    private final Orders orders;
    private final Random random;
    private final long pauseMsMax;
    private final Tape.Writer fates;
    private final List<Hosted> fleet = new ArrayList<>();
    private final LinkedBlockingQueue<Runnable> mail = new LinkedBlockingQueue<>();
    private final ExecutorService remover =
            Executors.newSingleThreadExecutor(Thread.ofPlatform().daemon().factory());
    private final TintypeHost host;

    private Victim(Orders orders) throws IOException {
        this.orders = orders;
        this.random = new Random(orders.seed());
        this.pauseMsMax = PAUSES_MS_MAX[random.nextInt(PAUSES_MS_MAX.length)];
        var tapes = Path.of(orders.tapes());
        this.fates = new Tape.Writer(tapes.resolve(FATES_TAPE), Victim::tapeIsFull);
        var options = HostOptions.defaults(Path.of(orders.store()))
                .withMemory(FRAMES_BYTES, HELD_BYTES)
                .withDeadline(Duration.ofSeconds(20))
                // Opening a journal takes a new process seconds, and no checkpoint is sealed before.
                .withCatalogue(new Random(orders.seed() + 1).nextInt(VICTIMS_A_JOURNAL) == 0
                        ? new JournalPlace.Embedded()
                        : new JournalPlace.Memory());
        this.host = TintypeHost.start(options, Defects.in(HostPorts.of(options), orders.defect()));
    }

    /** Takes no arguments; see the class. */
    public static void main(String[] args) {
        ignoreInterrupt();
        try {
            var in = new BufferedReader(
                    new InputStreamReader(System.in, StandardCharsets.UTF_8));
            var json = new ObjectMapper();
            warmUp(json);
            say(STANDBY);
            var line = in.readLine();
            if (line == null) {
                Runtime.getRuntime().halt(EXIT_UNWANTED);
                return;
            }
            Thread.ofPlatform().daemon().name("parent").start(() -> endWith(in));
            new Victim(json.readValue(line, Orders.class)).run();
        } catch (IOException | RuntimeException | Error failure) {
            fail(failure);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /** Loads what takes longest, while another victim has its turn. */
    private static void warmUp(ObjectMapper json) throws IOException {
        var orders = new Orders("", "", 0, List.of(), List.of(), Defect.NONE);
        json.readValue(json.writeValueAsBytes(orders), Orders.class);
        Load.blueprint(1);
    }

    /** A Ctrl-C in a terminal goes to all of its processes; it is the parent's to say what happens. */
    private static void ignoreInterrupt() {
        try {
            // By reflection, since the compiler warns of this class and warnings are errors.
            var signalType = Class.forName("sun.misc.Signal");
            var handlerType = Class.forName("sun.misc.SignalHandler");
            var nothing = Proxy.newProxyInstance(Victim.class.getClassLoader(),
                    new Class<?>[] {handlerType}, (_, _, _) -> null);
            signalType.getMethod("handle", signalType, handlerType)
                    .invoke(null, signalType.getConstructor(String.class).newInstance("INT"),
                            nothing);
        } catch (ReflectiveOperationException | RuntimeException _) {
            // Then it ends with a Ctrl-C, which is one more instant to end at.
            return;
        }
    }

    private static void endWith(BufferedReader in) {
        try {
            while (in.readLine() != null) {
                // Nothing more is said; what counts is the end.
            }
        } catch (IOException _) {
            // The same as the end.
        }
        Runtime.getRuntime().halt(EXIT_ORPHANED);
    }

    private static void tapeIsFull() {
        Runtime.getRuntime().halt(EXIT_TAPE_FULL);
    }

    private static void fail(Throwable failure) {
        var words = failure instanceof StoreException
                ? String.valueOf(failure.getMessage())
                : failure.toString();
        say(FAILED + words.replace('\n', ' '));
        failure.printStackTrace();
        Runtime.getRuntime().halt(EXIT_FAILED);
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    private void run() throws IOException, InterruptedException {
        for (int i = 0; i < orders.doomed().size(); i++) {
            var doomed = orders.doomed().get(i);
            delete(Orders.DOOMED + i,
                    new CheckpointRef(new VmId(doomed.vm()), new CheckpointId(doomed.id())));
        }
        for (int i = 0; i < orders.members().size(); i++) {
            fleet.add(begin(i, orders.members().get(i)));
        }
        // Until the journal is open nothing is sealed: killed within two seconds of that, a busy machine would never seal anything.
        host.catalogue().ready().join();
        long now = System.nanoTime();
        for (var hosted : fleet) {
            hosted.dueNs = now + pauseNs();
            hosted.vm.start();
        }
        say(READY);
        while (true) {
            for (var hosted : fleet) {
                if (System.nanoTime() >= hosted.dueNs && hosted.inProgress < IN_PROGRESS_MAX) {
                    hosted.dueNs = System.nanoTime() + pauseNs();
                    checkpoint(hosted);
                }
            }
            var letter = mail.poll(1, TimeUnit.MILLISECONDS);
            if (letter != null) {
                letter.run();
            }
        }
    }

    private long pauseNs() {
        return TimeUnit.MILLISECONDS.toNanos(random.nextLong(1, pauseMsMax));
    }

    private Hosted begin(int index, Orders.Member member) throws IOException {
        var tape = new Tape.Writer(Path.of(orders.tapes()).resolve(tapeName(member.name())),
                Victim::tapeIsFull);
        var guests = Load.guest(member.seed(), member.life(), tape);
        var probe = new VmProbe() {
            @Override
            public void stunned(long checkpoint, Guest guest) {
                tape.stunned(checkpoint, guest.saveRegisters());
            }
        };
        var from = member.fromVm();
        var vm = from == null
                ? host.create(new VmSpec(new VmId(member.name()), List.of(Load.MEMORY_BYTES),
                        Load.DISK_BYTES, guests), probe)
                : host.restore(
                        new CheckpointRef(new VmId(from), new CheckpointId(member.fromId())),
                        member.name(), guests, probe);
        var _ = vm.ended().whenComplete((_, failure) -> fail(
                failure == null ? new IllegalStateException(vm.id() + " ended") : failure));
        return new Hosted(index, vm);
    }

    static String tapeName(String vm) {
        return vm + ".tape";
    }

    private void checkpoint(Hosted hosted) {
        hosted.inProgress++;
        var _ = hosted.vm.checkpoint().whenComplete((outcome, failure) -> {
            if (failure != null) {
                fail(failure);
                return;
            }
            // On the tape before anything else happens to it: from here on it is a promise.
            fates.fate(hosted.index, outcome.ref().id().value(),
                    outcome.sealed() ? Fate.SEALED : Fate.ABORTED);
            mail.add(() -> ended(hosted, outcome));
        });
    }

    private void ended(Hosted hosted, CheckpointOutcome outcome) {
        hosted.inProgress--;
        if (!outcome.sealed()) {
            say("aborted " + outcome.reason());
            return;
        }
        hosted.kept.add(outcome.ref());
        while (hosted.kept.size() > random.nextInt(KEPT_MIN, KEPT_MAX + 1)) {
            var oldest = hosted.kept.removeFirst();
            remover.execute(() -> {
                try {
                    delete(hosted.index, oldest);
                } catch (IOException failure) {
                    fail(failure);
                }
            });
        }
    }

    private void delete(int member, CheckpointRef ref) throws StoreException {
        fates.fate(member, ref.id().value(), Fate.DELETING);
        host.delete(ref);
        fates.fate(member, ref.id().value(), Fate.DELETED);
    }
}
