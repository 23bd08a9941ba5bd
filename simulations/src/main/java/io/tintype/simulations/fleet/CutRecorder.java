package io.tintype.simulations.fleet;

import io.tintype.actors.DiskId;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.run.CutStory;
import io.tintype.vm.IoRequest;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.Guest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Follows the requests of one VM and tells the story of each cut: which request was pending at T, and where it went. On the VM's
 * strand, but for what {@code told} does with a finished story.
 */
final class CutRecorder implements VmProbe {
    /** What is known of a request in flight. */
    private static final class Track {
        final IoRequest request;
        final long issuedNs;
        long landedNs = -1;
        long deliveredNs = -1;
        @Nullable
        IoStatus status;
        final List<Integer> reissued = new ArrayList<>(0);
        // Of a write that waited: since when, in which group, behind whom.
        long delayedNs = -1;
        long delayedGroup;
        long delayedBehind;
        long startedNs = -1;

        Track(IoRequest request, long issuedNs) {
            this.request = request;
            this.issuedNs = issuedNs;
        }
    }

    /** A cut whose requests are not all over yet. */
    private static final class Open {
        final long checkpoint;
        final long atNs;
        final List<Track> pending = new ArrayList<>();
        final List<Track> delayed = new ArrayList<>();
        long stunNs;

        Open(long checkpoint, long atNs) {
            this.checkpoint = checkpoint;
            this.atNs = atNs;
        }

        boolean isOver() {
            return pending.stream().allMatch(track -> track.status != null)
                    && delayed.stream()
                            .allMatch(track -> track.startedNs >= 0 || track.status != null);
        }
    }

    private final String vm;
    private final long beginNs;
    private final Consumer<CutStory> told;
    private final Long2ObjectHashMap<Track> flights = new Long2ObjectHashMap<>();
    private final List<Open> open = new ArrayList<>();
    private final TreeMap<Integer, Integer> tops = new TreeMap<>();

    /**
     * @param beginNs when the VMs began to run, on the clock of {@link System#nanoTime}
     * @param told hears each story once, on the strand
     */
    CutRecorder(String vm, long beginNs, Consumer<CutStory> told) {
        this.vm = vm;
        this.beginNs = beginNs;
        this.told = told;
    }

    private long now() {
        return System.nanoTime() - beginNs;
    }

    @Override
    public void issued(IoRequest request) {
        tops.put(request.disk(), request.layer());
        flights.put(request.ioId(), new Track(request, now()));
    }

    @Override
    public void stunned(long checkpoint, Guest guest) {
        // Who is part of the cut is looked up after the stun.
        open.add(new Open(checkpoint, now()));
    }

    @Override
    public void resumed(long checkpoint, long stunNs) {
        for (var cut : open) {
            if (cut.checkpoint == checkpoint) {
                cut.stunNs = stunNs;
                for (var track : flights.values()) {
                    if (track.issuedNs < cut.atNs
                            && (track.deliveredNs < 0 || track.deliveredNs > cut.atNs)) {
                        cut.pending.add(track);
                    }
                }
                cut.pending.sort((a, b) -> Long.compare(a.request.ioId(), b.request.ioId()));
            }
        }
        tellIfOver();
    }

    @Override
    public void delayed(DiskId disk, long ioId, long group) {
        var track = flights.get(ioId);
        if (track == null || open.isEmpty()) {
            return;
        }
        track.delayedNs = now();
        track.delayedGroup = group;
        track.delayedBehind = blocker(track, group);
        for (var cut : open) {
            if (track.request.layer() > layerAtCut(cut, track.request.disk())) {
                cut.delayed.add(track);
            }
        }
    }

    private static int layerAtCut(Open cut, int disk) {
        int layer = -1;
        for (var track : cut.pending) {
            if (track.request.disk() == disk) {
                layer = Math.max(layer, track.request.layer());
            }
        }
        return layer;
    }

    /** The last request issued before it that writes to the group and is still in flight. */
    private long blocker(Track waiting, long group) {
        long found = -1;
        for (var track : flights.values()) {
            var request = track.request;
            boolean writes = request.kind() != IoKind.READ && request.kind() != IoKind.FLUSH;
            if (writes
                    && request.disk() == waiting.request.disk()
                    && request.layer() < waiting.request.layer()
                    && request.sector() / 128 <= group
                    && (request.sector() + request.sectorCount() - 1) / 128 >= group
                    && track.status == null) {
                found = Math.max(found, request.ioId());
            }
        }
        return found;
    }

    @Override
    public void started(DiskId disk, long ioId, int layer, long group, boolean fault) {
        var track = flights.get(ioId);
        if (track != null && track.delayedNs >= 0 && track.startedNs < 0) {
            track.startedNs = now();
        }
    }

    @Override
    public void landed(long ioId, IoStatus status) {
        var track = flights.get(ioId);
        if (track != null) {
            track.landedNs = now();
            track.status = status;
        }
    }

    @Override
    public void reissued(long ioId, int page, int bytes) {
        var track = flights.get(ioId);
        if (track != null && !track.reissued.contains(page)) {
            track.reissued.add(page);
        }
    }

    @Override
    public void delivered(long ioId, IoStatus status) {
        var track = flights.remove(ioId);
        if (track != null) {
            track.deliveredNs = now();
            track.status = status;
            tellIfOver();
        }
    }

    @Override
    public void detached(long ioId) {
        flights.remove(ioId);
    }

    private void tellIfOver() {
        if (open.isEmpty()) {
            return;
        }
        for (var each = open.iterator(); each.hasNext();) {
            var cut = each.next();
            if (cut.stunNs > 0 && cut.isOver()) {
                each.remove();
                told.accept(story(cut));
            }
        }
        if (open.size() > 8) {
            // Cuts with a request that hangs: the oldest has no story.
            open.removeFirst();
        }
    }

    private CutStory story(Open cut) {
        return new CutStory(vm, cut.checkpoint, cut.atNs, cut.stunNs,
                cut.pending.stream().map(this::told).toList(),
                cut.delayed.stream().map(CutRecorder::waited).toList());
    }

    private CutStory.Request told(Track track) {
        var request = track.request;
        return new CutStory.Request(request.ioId(), name(request.kind()), request.disk(),
                request.sector(),
                request.sectorCount(), track.issuedNs, known(track.landedNs),
                known(track.deliveredNs),
                track.status == null ? "pending" : track.status.name().toLowerCase(Locale.ROOT),
                fate(track),
                List.copyOf(track.reissued));
    }

    private static CutStory.DelayedWrite waited(Track track) {
        var request = track.request;
        return new CutStory.DelayedWrite(request.ioId(), name(request.kind()), request.disk(),
                request.sector(),
                request.sectorCount(), track.delayedGroup, track.delayedBehind, track.delayedNs,
                known(track.startedNs));
    }

    private static @Nullable Long known(long ns) {
        return ns < 0 ? null : ns;
    }

    private String fate(Track track) {
        var request = track.request;
        if (track.status != null && track.status != IoStatus.OK) {
            return "failed on both sides: the running VM and the restored one get the same error";
        }
        return switch (request.kind()) {
            case READ -> CutStory.readFate(request.buffer().count(), track.reissued);
            case WRITE, DISCARD, WRITE_ZEROES ->
                CutStory.writeFate(request.layer(),
                        Math.max(request.layer() + 1, tops.getOrDefault(request.disk(), 0)));
            case FLUSH -> "made layers up to " + request.layer() + " durable: true for both sides";
        };
    }

    private static String name(IoKind kind) {
        return kind.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
