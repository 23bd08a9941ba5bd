package io.tintype.actors.strand;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.LocalActorRef;
import org.apache.pekko.actor.WrappedMessage;
import org.apache.pekko.actor.typed.internal.AdaptMessage;
import org.apache.pekko.actor.typed.internal.AdaptWithRegisteredMessageAdapter;
import org.apache.pekko.dispatch.AbstractNodeQueue;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.MessageQueue;
import org.apache.pekko.dispatch.UnboundedMessageQueueSemantics;
import org.jspecify.annotations.Nullable;

/**
 * The messages of one actor, urgent ones first, and what its strand runs of it: Pekko's mailbox, which handles one message a
 * run. Unbounded: whoever sends much bounds it by credit.
 *
 * <p>Its strand is settled when the actor is created and never changes: that of its parent, if the parent is on a VM's
 * strand, and one of its own otherwise.
 */
final class StrandMailbox extends StrandEntry
        implements
            MessageQueue,
            UnboundedMessageQueueSemantics {
    /** For many senders and one receiver. */
    private static final class Queue extends AbstractNodeQueue<Envelope> {}

    private static final VarHandle URGENT;

    static {
        try {
            URGENT = MethodHandles.lookup()
                    .findVarHandle(StrandMailbox.class, "urgent", Queue.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Strand strand;
    private final @Nullable ActorPath path;
    private final @Nullable SenderGuard guard;
    private @Nullable String actor;
    private final Queue ordinary = new Queue();
    /** Null until the first urgent message, since most actors never see one. */
    private volatile @Nullable Queue urgent;

    /** Pekko's mailbox while it waits for a run. Pekko sees to it that it waits at most once. */
    private volatile @Nullable Runnable due;
    /** Written before {@link #due} and read after it. */
    private @Nullable StrandExecutor executor;

    /**
     * @param path of the actor; null for none
     * @param guard is told of each message that arrives; null where any thread may send
     */
    StrandMailbox(Strand strand, @Nullable ActorPath path, @Nullable SenderGuard guard) {
        this.strand = strand;
        this.path = path;
        this.guard = guard;
    }

    @Override
    Strand strand() {
        return strand;
    }

    @Override
    public String actor() {
        var name = actor;
        if (name == null) {
            name = path == null ? "" : path.toStringWithoutAddress();
            actor = name;
        }
        return name;
    }

    /** The message that the next run handles; null if that handles only what Pekko tells its actors. */
    @Override
    public @Nullable Object message() {
        // An adapter is a pure function of ours, so it may be asked twice.
        return sentMessage() instanceof AdaptMessage<?, ?> adapted
                ? adapted.adapt()
                : sentMessage();
    }

    @Override
    public String name() {
        return path == null ? "" : path.name();
    }

    @Override
    public @Nullable Object sentMessage() {
        var overtaking = urgent;
        var next = overtaking == null ? null : overtaking.peek();
        if (next == null) {
            next = ordinary.peek();
        }
        return next == null ? null : next.message();
    }

    /** For a new actor, while its parent creates it. */
    static StrandMailbox of(ActorRef owner, boolean isRoot, @Nullable SenderGuard guard) {
        var inherited = isRoot ? null : strandOfParent(owner);
        return new StrandMailbox(inherited != null && inherited.isRoot()
                ? inherited
                : new Strand(owner.path(), isRoot), owner.path(), guard);
    }

    /** The strand of a living actor of this process that has a mailbox of this kind; null for any other. */
    static @Nullable Strand strandOf(ActorRef actor) {
        if (!(actor instanceof LocalActorRef local)) {
            return null;
        }
        // Null while the actor is created, and Pekko's first actor is its own parent.
        var mailbox = local.underlying().mailbox();
        return mailbox != null && mailbox.messageQueue() instanceof StrandMailbox messages
                ? messages.strand
                : null;
    }

    private static @Nullable Strand strandOfParent(ActorRef owner) {
        return owner instanceof LocalActorRef local ? strandOf(local.getParent()) : null;
    }

    /** By the executor, when Pekko wants {@code mailbox} run. */
    void becomeDue(Runnable mailbox, StrandExecutor by) {
        executor = by;
        due = mailbox;
        by.offer(strand, this);
    }

    @Override
    boolean isDue() {
        return due != null;
    }

    @Override
    boolean isUrgent() {
        var queue = urgent;
        return queue != null && !queue.isEmpty();
    }

    @Override
    @Nullable
    Runnable take() {
        var taken = due;
        due = null;
        return taken;
    }

    @Override
    public void enqueue(ActorRef receiver, Envelope handle) {
        if (guard != null) {
            guard.sent(handle.message());
        }
        if (!isUrgent(handle.message())) {
            ordinary.add(handle);
            return;
        }
        urgent().add(handle);
        // If it waits for a run already, Pekko does not ask for one again, and it must overtake. Whoever makes it due
        // only now looks for urgent messages afterwards.
        if (due != null && executor != null) {
            executor.offer(strand, this);
        }
    }

    private static boolean isUrgent(Object message) {
        if (message instanceof WrappedMessage wrapped) {
            return wrapped.message() instanceof Urgent;
        }
        if (message instanceof AdaptWithRegisteredMessageAdapter<?> adapted) {
            return adapted.msg() instanceof Urgent;
        }
        return message instanceof Urgent;
    }

    private Queue urgent() {
        var present = urgent;
        if (present != null) {
            return present;
        }
        var created = new Queue();
        var other = (Queue) URGENT.compareAndExchange(this, null, created);
        return other == null ? created : other;
    }

    @Override
    @SuppressWarnings("NullAway") // Pekko asks for null when there is none.
    public Envelope dequeue() {
        var queue = urgent;
        var overtaking = queue == null ? null : queue.poll();
        return overtaking == null ? ordinary.poll() : overtaking;
    }

    @Override
    public int numberOfMessages() {
        var queue = urgent;
        return ordinary.count() + (queue == null ? 0 : queue.count());
    }

    @Override
    public boolean hasMessages() {
        return !ordinary.isEmpty() || isUrgent();
    }

    @Override
    public void cleanUp(ActorRef owner, MessageQueue deadLetters) {
        for (var left = dequeue(); left != null; left = dequeue()) {
            deadLetters.enqueue(owner, left);
        }
    }

    @Override
    public String toString() {
        return "mailbox on " + strand;
    }
}
