package io.tintype.simulations.cli;

import io.tintype.cow.disk.DamagedImageException;
import io.tintype.cow.disk.DiskInspector;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype disk}: looks into disks, or proves every byte of them. Never writes. */
@Command(
        name = "disk",
        sortOptions = false,
        description = "Looks into the files of virtual disks and changes nothing, also while another process uses them.",
        optionListHeading = "%nOptions, all of them optional:%n",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:all is as it was written",
            "  1:something is damaged; each damage has a line with file and offset",
            "  2:what was asked for cannot be done: no disk there, or one of a newer format"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype disk info checkpoints/images/vm-1/disk-0",
            "      the layers of one disk as a picture, and which checkpoints point to them",
            "  ./tintype disk check checkpoints",
            "      every disk in a store, copies in checkpoints too, read and proved",
            "",
            "More in docs/disk-images.md."})
final class DiskCommand implements Callable<Integer> {
    /** What to do. */
    enum What {
        INFO, CHECK
    }

    private static final long SHOWN_EVERY_NS = 200_000_000;
    private static final int DAMAGES_SHOWN_MAX = 100;

    @Parameters(index = "0", paramLabel = "info|check",
            description = "info: what there is; check: whether every structure and checksum is right")
    private What what = What.INFO;

    @Parameters(index = "1", paramLabel = "PATH",
            description = "a disk's directory, a single image file, or a store: all its disks")
    private Path path = Path.of("");

    @Option(names = "--json", description = "write the answer as JSON")
    private boolean isJson;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    DiskCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        var disks = DiskFinder.find(path);
        return switch (what) {
            case INFO -> info(disks);
            case CHECK -> check(disks);
        };
    }

    private int info(List<DiskFinder.Found> disks) throws IOException {
        var problems = new ArrayList<String>();
        var pointers = DiskFinder.pointers(path, problems);
        var json = new ArrayList<Object>();
        var lines = new ArrayList<String>();
        for (var disk : disks) {
            try {
                var chain = chainOf(disk);
                lines.addAll(DiskTree.of(chain, pointers));
                json.add(json(chain, disk, pointers));
            } catch (DamagedImageException damaged) {
                problems.add(String.valueOf(damaged.getMessage()));
            }
        }
        var out = spec.commandLine().getOut();
        if (isJson) {
            var all = new LinkedHashMap<String, Object>();
            all.put("disks", json);
            all.put("problems", problems);
            out.print(ResultJson.pretty(all));
        } else {
            lines.forEach(out::println);
            if (disks.isEmpty()) {
                out.println("no disks");
            }
        }
        out.flush();
        problems.forEach(problem -> spec.commandLine().getErr().println("tintype: " + problem));
        return problems.isEmpty() ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    private static DiskInspector.ChainInfo chainOf(DiskFinder.Found disk) throws IOException {
        var directory = new FileImageDirectory(disk.directory());
        var file = disk.file();
        return file == null
                ? DiskInspector.chain(directory)
                : DiskInspector.copy(directory, file);
    }

    private static Map<String, Object> json(DiskInspector.ChainInfo chain, DiskFinder.Found disk,
            List<DiskFinder.Pointer> pointers) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("path", disk.path().toString());
        fields.put("kind", disk.file() == null ? "chain" : "file");
        fields.put("formatVersion", chain.formatVersion());
        fields.put("generation", chain.generation());
        fields.put("sizeBytes", chain.sizeBytes());
        fields.put("groupBytes", chain.groupBytes());
        fields.put("id", chain.id());
        fields.put("top", chain.top());
        fields.put("depth", chain.depth());
        fields.put("bytesOnDisk", chain.bytesOnDisk());
        fields.put("unfinishedCommit",
                chain.unfinishedCommit() < 0 ? null : chain.unfinishedCommit());
        fields.put("files", chain.files().stream().map(DiskCommand::json).toList());
        fields.put("strays", chain.strays());
        fields.put("parent", json(chain.parent()));
        var pointing = new ArrayList<Object>();
        for (var pointer : pointers) {
            var copy = pointer.copy();
            if (copy == null
                    ? disk.file() == null && pointer.images().equals(disk.directory())
                    : copy.equals(disk.path())) {
                var one = new LinkedHashMap<String, Object>();
                one.put("checkpoint", pointer.checkpoint());
                one.put("view", pointer.view());
                pointing.add(one);
            }
        }
        fields.put("checkpoints", pointing);
        return fields;
    }

    private static Map<String, Object> json(DiskInspector.FileInfo file) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("name", file.name());
        fields.put("formatVersion", file.formatVersion());
        fields.put("firstLayer", file.firstLayer());
        fields.put("lastLayer", file.lastLayer());
        fields.put("absorbing", file.absorbing());
        fields.put("flat", file.flat());
        fields.put("groups", file.groups());
        fields.put("zeroGroups", file.zeroGroups());
        fields.put("sealedGroups", file.sealedGroups());
        fields.put("bytesOnDisk", file.bytesOnDisk());
        return fields;
    }

    private static @Nullable Map<String, Object> json(DiskInspector.@Nullable ParentInfo parent) {
        if (parent == null) {
            return null;
        }
        var fields = new LinkedHashMap<String, Object>();
        fields.put("location", parent.location());
        fields.put("view", parent.view());
        fields.put("problem", parent.problem());
        return fields;
    }

    private int check(List<DiskFinder.Found> disks) throws IOException {
        var damages = new ArrayList<DamagedImageException>();
        long proved = 0;
        long unproved = 0;
        long hidden = 0;
        int number = 0;
        for (var disk : disks) {
            var checked = check(disk, "disk " + ++number + " of " + disks.size());
            damages.addAll(checked.damages());
            proved += checked.provedBytes();
            unproved += checked.unprovedBytes();
            hidden += checked.hiddenBytes();
        }
        show(disks.size(), damages, proved, unproved, hidden);
        return damages.isEmpty() ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    private DiskInspector.Checked check(DiskFinder.Found disk, String which) throws IOException {
        var directory = new FileImageDirectory(disk.directory());
        var progress = new Shown(which);
        var file = disk.file();
        var checked = file == null
                ? DiskInspector.check(directory, progress)
                : DiskInspector.checkFile(directory, file, progress);
        progress.clear();
        return checked;
    }

    private void show(int disks, List<DamagedImageException> damages, long proved, long unproved,
            long hidden) {
        var out = spec.commandLine().getOut();
        if (isJson) {
            var fields = new LinkedHashMap<String, Object>();
            fields.put("disks", disks);
            fields.put("provedBytes", proved);
            fields.put("unprovedBytes", unproved);
            fields.put("hiddenBytes", hidden);
            fields.put("damages", damages.stream().map(DiskCommand::json).toList());
            out.print(ResultJson.pretty(fields));
        } else {
            damages.stream().limit(DAMAGES_SHOWN_MAX)
                    .forEach(damage -> out.println(damage.getMessage()));
            if (damages.size() > DAMAGES_SHOWN_MAX) {
                out.println("… and " + (damages.size() - DAMAGES_SHOWN_MAX) + " more");
            }
            out.printf(Locale.ROOT, "%d %s: %s%n", disks, disks == 1 ? "disk" : "disks",
                    damages.isEmpty()
                            ? "all is as it was written"
                            : "damaged in " + damages.size()
                                    + (damages.size() == 1 ? " place" : " places"));
            if (damages.isEmpty()) {
                out.println("  " + Units.bytes(proved) + " of data fit their checksums; "
                        + Units.bytes(unproved)
                        + " have none: of a disk in use, or one whose process was killed"
                        + (hidden == 0
                                ? ""
                                : "; " + Units.bytes(hidden) + " are being committed anew"));
            }
        }
        out.flush();
    }

    private static Map<String, Object> json(DamagedImageException damage) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("file", damage.file());
        fields.put("offset", damage.offset());
        fields.put("what", damage.what());
        return fields;
    }

    /** Progress on a terminal, in one line that is drawn over. */
    private final class Shown implements LongConsumer {
        private final String which;
        private long bytes;
        private long lastNs = System.nanoTime();
        private boolean isShown;

        Shown(String which) {
            this.which = which;
        }

        @Override
        public void accept(long read) {
            bytes += read;
            long now = System.nanoTime();
            if (surroundings.terminal().isErrorTerminal() && now - lastNs > SHOWN_EVERY_NS) {
                lastNs = now;
                isShown = true;
                var err = spec.commandLine().getErr();
                err.print("\r" + which + ": " + Units.bytes(bytes) + " read \033[K");
                err.flush();
            }
        }

        void clear() {
            if (isShown) {
                spec.commandLine().getErr().print("\r\033[K");
                spec.commandLine().getErr().flush();
            }
        }
    }
}
