package io.tintype.simulations.torture;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageException;
import io.tintype.simulations.fleet.CheckpointFiles;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.torture.Tape.Fate;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import io.tintype.vm.guest.Mix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Starts a victim, kills it, compares what is on disk with what it had acknowledged, and starts the next one on it.
 *
 * <p>The comparison reads files only, and for the store as the kill left it: nothing is recovered before it is done. What is right is known
 * from the {@linkplain Tape tapes}, by an {@link Oracle} and a {@link Ledger} that know guests and no engine. One thread runs it; any
 * thread may ask for {@link #progress()} or {@link #cancel()}.
 */
public final class Torture implements AutoCloseable {
    /** Where it stands. */
    public record Progress(double seconds, long kills, long verified, long acknowledged,
            long violations, String phase) {}

    private static final long READY_NS_MAX = TimeUnit.SECONDS.toNanos(120);
    private static final long READY_NS_FIRST = TimeUnit.MILLISECONDS.toNanos(700);
    /** What a victim works before it is killed, in its own processor time: a busy machine makes lives longer, not emptier. */
    private static final long WORK_NS_MIN = TimeUnit.MILLISECONDS.toNanos(60);
    private static final long WORK_NS_MAX = TimeUnit.MILLISECONDS.toNanos(2_500);
    /** Processor time goes on in steps of so much; the instant within one is drawn. */
    private static final long WORK_STEP_NS = TimeUnit.MILLISECONDS.toNanos(10);
    /** One that waits for a disk all the time is killed after this, whatever it did. */
    private static final long LIFE_NS_MAX = TimeUnit.SECONDS.toNanos(30);
    private static final int BEFORE_READY_PERCENT = 25;
    private static final int LIVES_MIN = 2;
    private static final int LIVES_MAX = 7;
    private static final int PROVEN_KEPT = 3;
    private static final int COMPARED_A_KILL = 2;
    private static final int VIOLATIONS_MAX = 100;

    private final TortureOptions options;
    private final ObjectMapper json = new ObjectMapper();
    private final List<Lineage> lineages = new ArrayList<>();
    private final List<Lineage> retired = new ArrayList<>();
    private final List<String> violations = new ArrayList<>();
    private final TreeMap<String, Long> aborted = new TreeMap<>();
    private final Path errors;
    private final Path tapes;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory = arena.allocate(Load.MEMORY_BYTES, 4096);
    private final long beginNs = System.nanoTime();
    private Orders orders;
    private @Nullable VictimProcess victim;
    private @Nullable VictimProcess standby;
    private @Nullable String evidence;
    private long usualReadyNs = READY_NS_FIRST;

    private long kills;
    private long killsBeforeReady;
    private long killsInCheckpoint;
    private long killsInFlush;
    private long killsInDelete;
    private long sealed;
    private long unreported;
    private long verified;
    private long compared;
    private long restored;
    private long acknowledged;
    private long sectors;
    private long requests;
    private volatile boolean cancelled;
    private volatile Progress progress = new Progress(0, 0, 0, 0, 0, "starting");

    /** Makes one; {@link #run} starts it. */
    public Torture(TortureOptions options) {
        this.options = options;
        this.errors = options.work().resolve("victims.err");
        this.tapes = options.work().resolve("tapes");
        this.orders = new Orders("", "", 0, List.of(), List.of(), options.defect());
    }

    /** Where it stands at this moment. */
    public Progress progress() {
        return progress;
    }

    /** Has it end after the comparison in progress, or at once when a victim is running. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Kills until it is time to end, or something is lost.
     *
     * @throws IOException if the world does not let it: no room, no process
     */
    public TortureResult run() throws IOException, InterruptedException {
        for (int i = 0; i < options.vms(); i++) {
            lineages.add(lineage(i, 0));
        }
        while (!isOver()) {
            round();
        }
        return new TortureResult(options.seed(), seconds(), kills, killsBeforeReady,
                killsInCheckpoint, killsInFlush, killsInDelete, sealed, unreported, verified,
                compared, restored, aborted, acknowledged, sectors, requests, cancelled,
                violations, evidence);
    }

    private double seconds() {
        return (System.nanoTime() - beginNs) / 1e9;
    }

    private boolean isOver() {
        var runFor = options.runFor();
        return cancelled || !violations.isEmpty()
                || (options.kills() > 0 && kills >= options.kills())
                || (runFor != null && System.nanoTime() - beginNs >= runFor.toNanos());
    }

    private Lineage lineage(int member, long round) {
        var random = new Random(mixed(member + 1_000, round));
        return new Lineage(member, random.nextLong(), random.nextInt(LIVES_MIN, LIVES_MAX + 1));
    }

    private long mixed(long what, long round) {
        return Mix.at(Mix.at(options.seed(), what), round);
    }

    // ---- a round ----

    private void round() throws IOException, InterruptedException {
        long round = kills + 1;
        var random = new Random(mixed(1, round));
        if (Files.exists(tapes)) {
            deleteTree(tapes);
        }
        Files.createDirectories(tapes);
        say("starting");
        var running = standby == null ? VictimProcess.start(errors) : standby;
        standby = null;
        victim = running;
        prepare(round);
        boolean ready = live(running, random);
        if (cancelled) {
            var _ = running.kill();
            return;
        }
        boolean wasAlive = running.kill();
        say("comparing");
        // While it is compared, the next one starts its JVM.
        standby = VictimProcess.start(errors);
        kills++;
        killsBeforeReady += ready ? 0 : 1;
        if (!wasAlive) {
            diedByItself(running);
        }
        running.aborted().forEach(reason -> aborted.merge(reason, 1L, Long::sum));
        compare(random, ready);
        if (!violations.isEmpty()) {
            keepEvidence();
            return;
        }
        if (random.nextInt(3) == 0) {
            recover();
        }
        say("comparing");
    }

    /** Lets it live as long as the seed says; answers whether it became ready. */
    private boolean live(VictimProcess running, Random random) throws InterruptedException {
        boolean early = random.nextInt(100) < BEFORE_READY_PERCENT;
        double skewed = Math.pow(random.nextDouble(), 3);
        if (!running.awaits(Victim.STANDBY, READY_NS_MAX)) {
            return false;
        }
        long startNs = System.nanoTime();
        running.order(line(orders));
        if (early) {
            return sleeps(running, Victim.READY, (long) (1.2 * skewed * usualReadyNs));
        }
        if (!sleeps(running, Victim.READY, READY_NS_MAX)) {
            if (running.isAlive() && !cancelled) {
                violation("the victim was not ready within " + READY_NS_MAX / 1_000_000_000 + " s");
            }
            return false;
        }
        usualReadyNs = (3 * usualReadyNs + System.nanoTime() - startNs) / 4;
        say("running");
        works(running, WORK_NS_MIN + (long) (skewed * (WORK_NS_MAX - WORK_NS_MIN)),
                random.nextLong(WORK_STEP_NS));
        return true;
    }

    /** Waits until it has used so much processor time, and a moment longer; or until it ends. */
    private void works(VictimProcess running, long cpuNs, long momentNs)
            throws InterruptedException {
        long beginCpuNs = running.cpuNs();
        long endNs = System.nanoTime() + LIFE_NS_MAX;
        // Nothing that it says from now on ends the wait, but its end does.
        while (!cancelled && running.isAlive() && System.nanoTime() < endNs
                && running.cpuNs() - beginCpuNs < cpuNs) {
            var _ = running.awaits("", WORK_STEP_NS / 2);
        }
        var _ = running.awaits("", momentNs);
    }

    /** As {@link VictimProcess#awaits}, and ends early when cancelled. */
    private boolean sleeps(VictimProcess running, String wanted, long ns)
            throws InterruptedException {
        long step = TimeUnit.MILLISECONDS.toNanos(100);
        long until = System.nanoTime() + ns;
        for (long left = ns; left > 0 && !cancelled; left = until - System.nanoTime()) {
            if (running.awaits(wanted, Math.min(left, step))) {
                return true;
            }
            if (!running.isAlive()) {
                return false;
            }
        }
        return false;
    }

    private String line(Orders all) {
        try {
            return json.writeValueAsString(all);
        } catch (IOException e) {
            throw new IllegalStateException("orders are plain", e);
        }
    }

    private void diedByItself(VictimProcess dead) throws IOException {
        var failure = dead.failure();
        if (failure != null) {
            violation("the victim failed: " + failure);
        } else if (dead.exitValue() != Victim.EXIT_TAPE_FULL) {
            violation("the victim ended by itself with status " + dead.exitValue()
                    + "; what it printed: " + tail(Files.readString(errors)));
        }
    }

    private static String tail(String text) {
        var words = text.strip().replace('\n', ' ');
        return words.substring(Math.max(0, words.length() - 300));
    }

    // ---- orders ----

    /** Decides what the next victim hosts, and makes the oracles of its VMs. */
    private void prepare(long round) throws IOException {
        var members = new ArrayList<Orders.Member>();
        for (int i = 0; i < lineages.size(); i++) {
            if (lineages.get(i).lives >= lineages.get(i).livesMax) {
                retired.add(lineages.get(i));
                lineages.set(i, lineage(i, round));
            }
            members.add(nextLife(lineages.get(i), round));
        }
        orders = new Orders(options.store().toString(), tapes.toString(), mixed(2, round), members,
                doomed(), options.defect());
    }

    private Orders.Member nextLife(Lineage lineage, long round) throws IOException {
        var name = "vm-" + lineage.member + "-" + round;
        lineage.names.add(name);
        lineage.lives++;
        var log = new EventLog();
        var blueprint = Load.blueprint(lineage.seed);
        var from = lineage.next;
        var before = lineage.before;
        var versions = lineage.nextVersions;
        if (from == null || before == null || versions == null) {
            var oracle = new Oracle(name, blueprint, log, OracleOptions.COMPLETE,
                    found -> violation(found.toString()));
            lineage.life = new Life(name, log, oracle, new Ledger(blueprint), null);
            return new Orders.Member(name, lineage.seed, lineage.lives, null, 0);
        }
        try (var store = CheckpointStore.openReadOnly(options.store());
                var files = files(store, from)) {
            var oracle = before.oracle.fork(files.image(), name, log,
                    found -> violation(found.toString()));
            lineage.life = new Life(name, log, oracle,
                    before.ledger.restored(blueprint, from.id().value(), versions), from);
        }
        return new Orders.Member(name, lineage.seed, lineage.lives, from.vm().value(),
                from.id().value());
    }

    private List<Orders.Doomed> doomed() {
        var doomed = new ArrayList<Orders.Doomed>();
        for (var lineage : retired) {
            lineage.proven.keySet().forEach(ref -> doomed.add(doomed(ref)));
        }
        for (var lineage : lineages) {
            var old = lineage.proven.keySet().stream().filter(ref -> !ref.equals(lineage.next))
                    .toList();
            old.stream().limit(Math.max(0, old.size() - PROVEN_KEPT))
                    .forEach(ref -> doomed.add(doomed(ref)));
        }
        return doomed;
    }

    private static Orders.Doomed doomed(CheckpointRef ref) {
        return new Orders.Doomed(ref.vm().value(), ref.id().value());
    }

    // ---- comparing ----

    private void compare(Random random, boolean ready) throws IOException {
        var doomedFates = readTapes();
        if (!Files.exists(options.store().resolve(CheckpointStore.MARKER))) {
            // Killed before there was a store.
            if (ready || sealed > 0) {
                violation("there is no store any more in " + options.store());
            }
            return;
        }
        try (var store = CheckpointStore.openReadOnly(options.store())) {
            var listed = new TreeSet<>(store.list());
            compareListed(store, listed, doomedFates, random);
            compareStaging(ready);
        } catch (StoreException failure) {
            violation("the store cannot be opened: " + failure.getMessage());
        }
        compareRunning(false);
        for (var lineage : lineages) {
            chooseNext(lineage);
        }
    }

    private Map<CheckpointRef, EnumSet<Fate>> readTapes() throws IOException {
        var doomedFates = new HashMap<CheckpointRef, EnumSet<Fate>>();
        var fates = tapes.resolve(Victim.FATES_TAPE);
        if (Files.exists(fates)) {
            Tape.read(fates, new Tape.Listener() {
                @Override
                public void fate(int vm, long checkpoint, Fate fate) {
                    if (vm >= Orders.DOOMED) {
                        var doomed = orders.doomed().get(vm - Orders.DOOMED);
                        doomedFates.computeIfAbsent(ref(doomed.vm(), doomed.id()),
                                _ -> EnumSet.noneOf(Fate.class)).add(fate);
                    } else {
                        life(lineages.get(vm)).fate(checkpoint, fate);
                    }
                }
            });
        }
        boolean inCheckpoint = false;
        boolean inFlush = false;
        boolean inDelete = doomedFates.values().stream().anyMatch(Torture::isDeleting);
        for (var lineage : lineages) {
            var life = life(lineage);
            life.follow(tapes.resolve(Victim.tapeName(life.name)));
            inCheckpoint |= life.cuts.stream().anyMatch(cut -> !life.fates.containsKey(cut));
            inFlush |= life.ledger.isFlushing();
            inDelete |= life.fates.values().stream().anyMatch(Torture::isDeleting);
            restored += life.origin != null && life.ledger.submittedCount() > 0 ? 1 : 0;
            acknowledged += life.ledger.durableCount();
            requests += life.ledger.submittedCount();
            sealed += life.fates.values().stream().filter(all -> all.contains(Fate.SEALED)).count();
        }
        killsInCheckpoint += inCheckpoint ? 1 : 0;
        killsInFlush += inFlush ? 1 : 0;
        killsInDelete += inDelete ? 1 : 0;
        return doomedFates;
    }

    private static boolean isDeleting(EnumSet<Fate> fates) {
        return fates.contains(Fate.DELETING) && !fates.contains(Fate.DELETED);
    }

    private static Life life(Lineage lineage) {
        return Objects.requireNonNull(lineage.life, "a lineage that was ordered has a life");
    }

    private static CheckpointRef ref(String vm, long id) {
        return new CheckpointRef(new VmId(vm), new CheckpointId(id));
    }

    /** Which checkpoints there are, and that each of them is what it should be. */
    private void compareListed(CheckpointStore store, Set<CheckpointRef> listed,
            Map<CheckpointRef, EnumSet<Fate>> doomedFates, Random random) {
        var known = new TreeSet<CheckpointRef>();
        for (var lineage : lineages) {
            var life = life(lineage);
            for (var entry : life.fates.entrySet()) {
                var ref = ref(life.name, entry.getKey());
                var fates = entry.getValue();
                if (fates.contains(Fate.SEALED) && !fates.contains(Fate.DELETING)
                        && !listed.contains(ref)) {
                    violation("checkpoint " + ref + " was reported sealed and is gone");
                }
                if (listed.contains(ref)
                        && (fates.contains(Fate.DELETED) || fates.contains(Fate.ABORTED))) {
                    violation("checkpoint " + ref + " was reported "
                            + (fates.contains(Fate.DELETED) ? "deleted" : "aborted")
                            + " and is listed");
                }
            }
            for (var ref : listed) {
                if (ref.vm().value().equals(life.name)) {
                    known.add(ref);
                    unreported += life.fates.containsKey(ref.id().value()) ? 0 : 1;
                    prove(store, lineage, life, ref);
                }
            }
        }
        var old = new ArrayList<CheckpointRef>();
        var digests = new HashMap<CheckpointRef, Digest>();
        var all = new ArrayList<>(lineages);
        all.addAll(retired);
        for (var lineage : all) {
            lineage.proven.entrySet().removeIf(entry -> {
                var ref = entry.getKey();
                var fates = doomedFates.getOrDefault(ref, EnumSet.noneOf(Fate.class));
                if (listed.contains(ref) && fates.contains(Fate.DELETED)) {
                    violation("checkpoint " + ref + " was reported deleted and is listed");
                }
                if (!listed.contains(ref) && !isCurrent(ref) && !fates.contains(Fate.DELETING)) {
                    violation("checkpoint " + ref + " of an earlier life is gone");
                }
                if (listed.contains(ref) && known.add(ref)) {
                    old.add(ref);
                    digests.put(ref, entry.getValue());
                }
                return !listed.contains(ref);
            });
        }
        for (int i = 0; i < COMPARED_A_KILL && !old.isEmpty(); i++) {
            var ref = old.remove(random.nextInt(old.size()));
            compareOld(store, ref, Objects.requireNonNull(digests.get(ref)));
        }
        listed.stream().filter(ref -> !known.contains(ref)).forEach(
                ref -> violation("checkpoint " + ref + " is listed, and nobody took it"));
    }

    private boolean isCurrent(CheckpointRef ref) {
        return lineages.stream().anyMatch(
                lineage -> ref.vm().value().equals(life(lineage).name));
    }

    /** Reads all of a checkpoint and compares it with what its guest knew. */
    private void prove(CheckpointStore store, Lineage lineage, Life life, CheckpointRef ref) {
        if (!life.cuts.contains(ref.id().value())) {
            violation("checkpoint " + ref + " is listed, and its VM was never stunned for it");
            return;
        }
        try (var files = files(store, ref)) {
            var stored = store.open(ref);
            stored.verify();
            life.oracle.verify(files.image(), true).violations()
                    .forEach(found -> violation(found.toString()));
            var versions = life.ledger.versions(files.image().disks());
            for (int disk = 0; disk < versions.length; disk++) {
                for (int sector = 0; sector < versions[disk].length; sector++) {
                    if (versions[disk][sector] != 0 && !life.ledger.wasWritten(disk, sector)) {
                        violation("checkpoint " + ref + ", disk " + disk + " sector " + sector
                                + ": there is data, and nothing was ever written there");
                        break;
                    }
                }
            }
            lineage.proven.put(ref, Digest.of(options.store(), stored));
            verified++;
            var newest = lineage.candidate;
            if (!life.was(ref.id().value(), Fate.DELETING)
                    && (newest == null || !newest.vm().equals(ref.vm())
                            || newest.compareTo(ref) < 0)) {
                lineage.candidate = ref;
                lineage.candidateVersions = versions;
            }
        } catch (StoreException | ImageException | FileSystemException damaged) {
            violation("checkpoint " + ref + " is listed and cannot be read: " + damaged);
        } catch (IOException | IllegalArgumentException damaged) {
            violation("checkpoint " + ref + " is listed and makes no sense: " + damaged);
        }
    }

    private CheckpointFiles files(CheckpointStore store, CheckpointRef ref) throws IOException {
        return new CheckpointFiles(store, ref, memory,
                key -> new FileImageDirectory(options.store().resolve(key)));
    }

    private void compareOld(CheckpointStore store, CheckpointRef ref, Digest digest) {
        try {
            if (!Digest.of(options.store(), store.open(ref)).equals(digest)) {
                violation("checkpoint " + ref + " changed since it was found right");
            }
            compared++;
        } catch (IOException damaged) {
            violation("checkpoint " + ref + " was found right and cannot be read any more: "
                    + damaged);
        }
    }

    /** A victim that was ready had opened the store, and so cleared away what those before it left half-written. */
    private void compareStaging(boolean ready) throws IOException {
        if (!ready) {
            return;
        }
        try (var staging = Files.newDirectoryStream(options.store().resolve("staging"))) {
            for (var left : staging) {
                var name = String.valueOf(left.getFileName());
                boolean ours = orders.members().stream()
                        .anyMatch(member -> name.startsWith(member.name() + "."))
                        || orders.doomed().stream().anyMatch(doomed -> name
                                .startsWith(doomed.vm() + "." + doomed.id() + "."));
                if (!ours) {
                    violation("staging/" + name + " is of an earlier life and was not reclaimed");
                }
            }
        }
    }

    /** @param recovered whether the disks are opened as for going on with them, which deletes strays */
    private void compareRunning(boolean recovered) {
        for (var lineage : lineages) {
            var life = life(lineage);
            if (life.ledger.submittedCount() == 0) {
                continue; // its guest may not have had a disk yet
            }
            var chains = new ArrayList<DiskChain>();
            try {
                for (int disk = 0; disk < Load.DISK_BYTES.size(); disk++) {
                    chains.add(openDisk(life, disk, recovered));
                }
                var versions = life.ledger.versions((disk, sector, destination) -> {
                    var chain = chains.get(disk);
                    chain.read(chain.top(), sector * 512, destination);
                });
                life.ledger.check(life.name, versions, found -> violation(found.toString()));
                sectors += Load.DISK_BYTES.stream().mapToLong(bytes -> bytes / 512).sum();
            } catch (IOException damaged) {
                violation("the disks of " + life.name + " cannot be read: " + damaged);
            } finally {
                chains.forEach(DiskChain::close);
            }
        }
    }

    /** A restored VM's disk has files of its own once it was written to; until then it is what its checkpoint shows. */
    private DiskChain openDisk(Life life, int disk, boolean recovered) throws IOException {
        var place = options.store().resolve("images").resolve(life.name).resolve("disk-" + disk);
        var member = orders.members().stream().filter(each -> each.name().equals(life.name))
                .findFirst().orElseThrow();
        var from = member.fromVm();
        try (var store = CheckpointStore.openReadOnly(options.store())) {
            // A kill may come between the making of its description and the first byte in it: then it has no files yet, either.
            if (from == null || store.images().isDescribed(life.name + "/disk-" + disk)) {
                var images = new FileImageDirectory(place);
                return recovered ? DiskChain.open(images) : DiskChain.openReadOnly(images);
            }
            var shown = store.open(ref(from, member.fromId())).manifest().disks().get(disk);
            return DiskChain.openReadOnly(
                    new FileImageDirectory(options.store().resolve(shown.images())), shown.view());
        }
    }

    private static void chooseNext(Lineage lineage) {
        var life = life(lineage);
        var newest = lineage.candidate;
        if (newest != null && newest.vm().value().equals(life.name)) {
            lineage.before = life;
            lineage.next = newest;
            lineage.nextVersions = lineage.candidateVersions;
        }
    }

    // ---- between two victims ----

    /** Opens the store as a process does that goes on with it, and looks whether that reclaims what it should and nothing else. */
    private void recover() throws IOException {
        if (!Files.exists(options.store())) {
            return;
        }
        List<CheckpointRef> before;
        try (var store = CheckpointStore.openReadOnly(options.store())) {
            before = store.list();
        } catch (StoreException _) {
            return; // killed before it was one; the next victim makes it
        }
        try (var store = CheckpointStore.open(options.store())) {
            if (!store.list().equals(before)) {
                violation("recovery changed the list of checkpoints from " + before + " to "
                        + store.list());
            }
            try (var staging = Files.newDirectoryStream(options.store().resolve("staging"))) {
                staging.forEach(left -> violation("recovery left " + left));
            }
            compareRunning(true);
            dropImages(new TreeSet<>(before));
        }
    }

    /** Of lineages that ended and have no checkpoint any more: nothing names their disks. */
    private void dropImages(Set<CheckpointRef> listed) throws IOException {
        for (var each = retired.iterator(); each.hasNext();) {
            var lineage = each.next();
            if (listed.stream().noneMatch(ref -> lineage.names.contains(ref.vm().value()))) {
                each.remove();
                for (var name : lineage.names) {
                    var images = options.store().resolve("images").resolve(name);
                    if (Files.exists(images)) {
                        deleteTree(images);
                    }
                }
            }
        }
    }

    private void violation(String line) {
        if (violations.size() < VIOLATIONS_MAX) {
            violations.add(line);
        }
    }

    private void keepEvidence() throws IOException {
        say("keeping evidence");
        var kept = options.evidence()
                .resolve("tintype-torture-" + options.seed() + "-" + kills);
        if (Files.exists(kept)) {
            deleteTree(kept);
        }
        copyTree(options.store(), kept.resolve("store"));
        copyTree(tapes, kept.resolve("tapes"));
        if (Files.exists(errors)) {
            Files.copy(errors, kept.resolve("victims.err"));
        }
        Files.writeString(kept.resolve("orders.json"), line(orders) + "\n");
        Files.writeString(kept.resolve("violations.txt"), String.join("\n", violations) + "\n");
        evidence = kept.toString();
    }

    private static void copyTree(Path from, Path to) throws IOException {
        if (!Files.exists(from)) {
            return;
        }
        Files.createDirectories(to);
        try (var all = Files.walk(from)) {
            for (var path : all.toList()) {
                var target = to.resolve(from.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(target);
                } else {
                    Files.copy(path, target);
                }
            }
        }
    }

    private static void deleteTree(Path tree) throws IOException {
        try (var all = Files.walk(tree)) {
            for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private void say(String phase) {
        progress = new Progress(seconds(), kills, verified, acknowledged, violations.size(), phase);
    }

    /** Ends the victims that are left. */
    @Override
    public void close() {
        for (var process : new VictimProcess[] {victim, standby}) {
            if (process != null) {
                process.close();
            }
        }
        arena.close();
    }
}
