package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Listing;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint ls}: the tree of each VM's checkpoints. */
@Command(
        name = "ls",
        sortOptions = false,
        description = {"Shows the tree of each VM's checkpoints.", CheckpointCommand.LOOKS_ONLY},
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:all of them can be read", "  1:some are damaged",
            "  2:what was asked for cannot be done"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint ls --store checkpoints",
            "  ./tintype checkpoint ls vm-1 --store checkpoints --json"})
final class CheckpointLs implements Callable<Integer> {
    private static final String RED = "\u001b[1;31m";
    private static final String BOLD = "\u001b[1m";
    private static final String PLAIN = "\u001b[0m";

    @Parameters(paramLabel = "VM", arity = "0..*", description = "only of these VMs")
    private List<String> only = List.of();

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;
    /** All there are, of whatever VM. */
    private Set<String> known = Set.of();

    CheckpointLs(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        List<Listing.OfVm> vms;
        try (var store = CheckpointStore.openReadOnly(common.store())) {
            vms = Listing.of(store);
        }
        known = vms.stream().flatMap(vm -> vm.checkpoints().stream()).map(Listing.Entry::ref)
                .collect(Collectors.toSet());
        for (var name : only) {
            if (vms.stream().noneMatch(vm -> vm.name().equals(name))) {
                throw UserErrorException.of("VM", name,
                        "there is no checkpoint of it in " + common.store(),
                        "leave it away to see those that are there");
            }
        }
        if (!only.isEmpty()) {
            vms = vms.stream().filter(vm -> only.contains(vm.name())).toList();
        }
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(vms, out)) {
            out.print(text(vms));
            out.flush();
        }
        return vms.stream().flatMap(vm -> vm.checkpoints().stream())
                .allMatch(entry -> entry.problem() == null)
                        ? Commands.EXIT_FINE
                        : Commands.EXIT_FAILED;
    }

    private String text(List<Listing.OfVm> vms) {
        if (vms.isEmpty()) {
            return "no checkpoints\n";
        }
        var text = new StringBuilder();
        long bytes = 0;
        long count = 0;
        for (var vm : vms) {
            text.append(text.isEmpty() ? "" : "\n").append(paint(BOLD, vm.name()));
            if (vm.from() != null) {
                text.append("  from ").append(vm.from());
            }
            text.append('\n');
            tree(vm, text);
            bytes += vm.checkpoints().stream().mapToLong(Listing.Entry::bytes).sum();
            count += vm.checkpoints().size();
        }
        return text.append('\n').append(Units.whole(count))
                .append(count == 1 ? " checkpoint of " : " checkpoints of ")
                .append(Units.whole(vms.size())).append(vms.size() == 1 ? " VM, " : " VMs, ")
                .append(Units.bytes(bytes)).append(" in files of their own\n").toString();
    }

    private void tree(Listing.OfVm vm, StringBuilder text) {
        Map<String, List<Listing.Entry>> children = new LinkedHashMap<>();
        var names = vm.checkpoints().stream().map(Listing.Entry::ref).toList();
        for (var entry : vm.checkpoints()) {
            var parent = entry.parent();
            // A parent that was deleted, or is another VM's, is no place to stand at here.
            children.computeIfAbsent(parent != null && names.contains(parent) ? parent : "",
                    _ -> new ArrayList<>()).add(entry);
        }
        branch(children, "", "  ", false, text);
    }

    /** One level deeper only where it forks: a hundred increments in a row are a column, not a staircase. */
    private void branch(Map<String, List<Listing.Entry>> children, String of, String indent,
            boolean isFork, StringBuilder text) {
        var siblings = children.getOrDefault(of, List.of());
        boolean forks = siblings.size() > 1 && !of.isEmpty();
        for (int i = 0; i < siblings.size(); i++) {
            var entry = siblings.get(i);
            boolean last = i == siblings.size() - 1;
            var mark = !forks ? (of.isEmpty() ? "* " : "| ") : last ? "└─" : "├─";
            line(entry, indent + mark, text);
            branch(children, entry.ref(), indent + (forks ? last ? "  " : "│ " : ""),
                    isFork || forks, text);
        }
    }

    private void line(Listing.Entry entry, String indent, StringBuilder text) {
        var name = indent + entry.ref().substring(entry.ref().indexOf('/') + 1);
        if (entry.createdAt() == null) {
            text.append(String.format("%-14s", name)).append("  ")
                    .append(paint(RED, Objects.requireNonNullElse(entry.problem(), "damaged")))
                    .append('\n');
            return;
        }
        text.append(String.format("%-14s  %s  %-11s  %9s  stun %8s  %3d in flight", name,
                when(entry.createdAt()), entry.kind(), Units.bytes(entry.bytes()),
                Units.micros(entry.stunMicros()), entry.inFlight()));
        if (entry.parent() != null) {
            text.append("  parent ").append(entry.parent());
            if (!known.contains(entry.parent())) {
                // Retention does that; what is needed of its pages is still there.
                text.append(", deleted since");
            }
        }
        if (entry.problem() != null) {
            text.append("  ").append(paint(RED, entry.problem()));
        }
        text.append('\n');
    }

    /** To the millisecond, without the letters. */
    private static String when(@Nullable String iso) {
        if (iso == null) {
            return "";
        }
        var plain = iso.replace('T', ' ').replace("Z", "");
        return String.format("%-23s", plain.length() > 23 ? plain.substring(0, 23) : plain);
    }

    private String paint(String code, String words) {
        return surroundings.terminal().hasOutputColour() ? code + words + PLAIN : words;
    }
}
