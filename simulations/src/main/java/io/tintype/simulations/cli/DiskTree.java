package io.tintype.simulations.cli;

import io.tintype.cow.disk.DiskInspector.ChainInfo;
import io.tintype.cow.disk.DiskInspector.FileInfo;
import io.tintype.simulations.report.Units;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A disk as a picture: its files from the top down, what each has, and which checkpoints point to them.
 *
 * <pre>
 * ● layer-7.img    layer 7         3 groups     192 KiB   writes go here
 * ● layer-2.img    layers 2 to 6   41 groups    2.6 MiB   sealed   ◀ vm-1/3
 * ● flat-1.img     layers 0 to 1   900 groups   56 MiB    sealed, holds everything
 * </pre>
 */
final class DiskTree {
    private DiskTree() {}

    static List<String> of(ChainInfo chain, List<DiskFinder.Pointer> pointers) {
        var lines = new ArrayList<String>();
        lines.add(chain.file() == null ? chain.location() : chain.location() + "/" + chain.file());
        lines.add("  " + OptionChecks.written(chain.sizeBytes()) + " in block groups of "
                + OptionChecks.written(chain.groupBytes()) + ", format " + chain.formatVersion()
                + ", id " + chain.id());
        lines.add("  depth " + chain.depth() + ", " + Units.bytes(chain.bytesOnDisk())
                + " on disk"
                + (chain.file() == null ? ", changed " + chain.generation() + " times" : ""));
        add(chain, pointers, "  ", Integer.MAX_VALUE, lines);
        return lines;
    }

    private static void add(ChainInfo chain, List<DiskFinder.Pointer> pointers, String indent,
            int view, List<String> lines) {
        for (var file : chain.files().reversed()) {
            boolean isSeen = file.firstLayer() <= view;
            lines.add(indent + (isSeen ? "● " : "○ ") + line(chain, file, view)
                    + pointing(chain, file, pointers));
            if (chain.unfinishedCommit() == file.lastLayer()) {
                lines.add(indent + "│   its commit into the file below has begun and not ended");
            }
        }
        for (var stray : chain.strays()) {
            lines.add(indent + "? " + stray
                    + "   not part of the chain: left by a crash, or being made");
        }
        var parent = chain.parent();
        if (parent != null) {
            lines.add(indent + "└─ on " + parent.location() + " as of layer " + parent.view());
            if (parent.chain() != null) {
                add(parent.chain(), pointers, indent + "   ", parent.view(), lines);
            } else {
                lines.add(indent + "   ✗ " + parent.problem());
            }
        }
    }

    private static String line(ChainInfo chain, FileInfo file, int view) {
        var layers = file.firstLayer() == file.lastLayer()
                ? "layer " + file.firstLayer()
                : "layers " + file.firstLayer() + " to " + file.lastLayer();
        var notes = new ArrayList<String>();
        if (file.lastLayer() == chain.top() && chain.file() == null && view == Integer.MAX_VALUE) {
            notes.add("writes go here");
        }
        if (file.groups() > 0 && file.sealedGroups() == file.groups()) {
            notes.add("sealed");
        } else if (file.sealedGroups() > 0) {
            notes.add(file.sealedGroups() + " groups sealed");
        }
        if (file.flat()) {
            notes.add("holds everything");
        }
        return "%-14s %-16s %8d groups %6d zero %10s   %s".formatted(file.name(), layers,
                file.groups(), file.zeroGroups(), Units.bytes(file.bytesOnDisk()),
                String.join(", ", notes)).stripTrailing();
    }

    private static String pointing(ChainInfo chain, FileInfo file,
            List<DiskFinder.Pointer> pointers) {
        var at = Path.of(chain.location());
        var names = new ArrayList<String>();
        for (var pointer : pointers) {
            var copy = pointer.copy();
            boolean points = chain.file() == null
                    ? copy == null && pointer.images().equals(at)
                            && file.firstLayer() <= pointer.view()
                            && pointer.view() <= file.lastLayer()
                    : copy != null && copy.equals(at.resolve(chain.file()));
            if (points) {
                names.add(pointer.checkpoint());
            }
        }
        return names.isEmpty() ? "" : "   ◀ " + String.join(", ", names);
    }
}
