package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.cow.memory.FramePool;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;

/**
 * What a host runs in beside its storage: time, memory and an actor system. Programs get that of this machine; a simulator
 * brings one without threads, whose time is virtual and whose actors run when it says so.
 */
public interface HostWorld {
    /** Time for stuns, guests and deadlines. */
    Clock clock();

    /** Time for people: what a manifest says of when a checkpoint was taken. */
    InstantSource wall();

    /** Bits that nobody can foretell, for the identities of VMs; on any thread. */
    LongSupplier random();

    /** Where the memory of restored VMs is loaded ahead: one task after another, and others before them. */
    Executor loading();

    /**
     * Where a strand leaves what is to run on {@code threads} a moment later. To wake a thread takes a strand longer than the rest of
     * such a turn, and the thread may take its core; here somebody else does it.
     */
    default Executor later(Executor threads) {
        return threads;
    }

    /** How many pages are loaded ahead in one of these tasks. */
    default int pagesLoadedAtOnce() {
        return 256;
    }

    /** The host's frames. */
    FramePool frames();

    /** The parent of the host's VMs, alive as long as the host; the behavior is {@link HostActor#create}. */
    ActorRef<HostActor.Command> host();

    /** For the time limits of those who ask actors from outside. */
    Scheduler scheduler();

    /** Where callers' reactions to answers run; never on a strand, except in a simulation, which has no other thread. */
    Executor answers();

    /** The host is closed: no VM of it is left. Gives back what was made for it. */
    void end();
}
