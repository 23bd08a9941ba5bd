package io.tintype.actors.strand;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import org.apache.pekko.actor.ActorPath;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.LocalActorRef;
import org.apache.pekko.actor.WrappedMessage;
import org.apache.pekko.actor.typed.internal.AdaptMessage;
import org.apache.pekko.actor.typed.internal.AdaptWithRegisteredMessageAdapter;
import org.apache.pekko.dispatch.AbstractNodeQueue;
import org.apache.pekko.dispatch.Envelope;
import org.apache.pekko.dispatch.Mailbox;
import org.apache.pekko.dispatch.MessageQueue;
import org.apache.pekko.dispatch.UnboundedMessageQueueSemantics;
import org.apache.pekko.dispatch.sysmsg.Unwatch;
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
    private static final VarHandle ORDINARY;
    private static final VarHandle DUE;

    static {
        try {
            URGENT = MethodHandles.lookup()
                    .findVarHandle(StrandMailbox.class, "urgent", Queue.class);
            ORDINARY = MethodHandles.lookup()
                    .findVarHandle(StrandMailbox.class, "ordinary", Queue.class);
            DUE = MethodHandles.lookup()
                    .findVarHandle(StrandMailbox.class, "due", Runnable.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // Few actors ever have more than that waiting.
    private static final int OWN_MESSAGES = 4;

    private final Strand strand;
    private final @Nullable ActorPath path;
    private final @Nullable SenderGuard guard;
    private @Nullable String actor;
    /** Null where {@link #own} takes its place, until another thread sends nevertheless. */
    private volatile @Nullable Queue ordinary;
    /** What the only thread of a simulated system sends: no other has to see it. Null where any thread may send. */
    private final @Nullable ArrayDeque<Envelope> own;
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
        if (guard == null) {
            own = null;
            ordinary = new Queue();
        } else {
            own = new ArrayDeque<>(OWN_MESSAGES);
        }
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
        if (next == null && own != null) {
            next = own.peek();
        }
        if (next == null) {
            var shared = ordinary;
            next = shared == null ? null : shared.peek();
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
    void becomeDue(Mailbox mailbox, StrandExecutor by) {
        executor = by;
        if (by.isSteppedHere()) {
            DUE.setRelease(this, mailbox);
            // An actor that ends tells those that it watched in the order of a hash of random numbers.
            by.offerHere(strand, this, mailbox.systemQueueGet() instanceof Unwatch);
        } else {
            due = mailbox;
            by.offer(strand, this);
        }
    }

    /** Where one thread sends and runs, none has to see at once what it writes; to wait until all do costs as much as a message. */
    private void setDue(@Nullable Runnable mailbox, @Nullable StrandExecutor by) {
        if (by != null && by.isSteppedHere()) {
            DUE.setRelease(this, mailbox);
        } else {
            due = mailbox;
        }
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
        setDue(null, executor);
        return taken;
    }

    @Override
    public void enqueue(ActorRef receiver, Envelope handle) {
        boolean isForeign = guard != null && !guard.sent(handle.message());
        if (!isUrgent(handle.message())) {
            if (own == null || isForeign) {
                ordinary().add(handle);
            } else {
                own.add(handle);
            }
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

    private Queue ordinary() {
        var present = ordinary;
        return present == null ? made(ORDINARY) : present;
    }

    private Queue urgent() {
        var present = urgent;
        return present == null ? made(URGENT) : present;
    }

    /** Of several threads that find no queue, one makes it. */
    private Queue made(VarHandle place) {
        var created = new Queue();
        var other = (Queue) place.compareAndExchange(this, null, created);
        return other == null ? created : other;
    }

    @Override
    @SuppressWarnings("NullAway") // Pekko asks for null when there is none.
    public Envelope dequeue() {
        var queue = urgent;
        var overtaking = queue == null ? null : queue.poll();
        if (overtaking != null) {
            return overtaking;
        }
        var next = own == null ? null : own.poll();
        if (next != null) {
            return next;
        }
        var shared = ordinary;
        return shared == null ? null : shared.poll();
    }

    @Override
    public int numberOfMessages() {
        return count(urgent) + count(ordinary) + (own == null ? 0 : own.size());
    }

    private static int count(@Nullable Queue queue) {
        return queue == null ? 0 : queue.count();
    }

    @Override
    public boolean hasMessages() {
        var shared = ordinary;
        return (own != null && !own.isEmpty()) || (shared != null && !shared.isEmpty())
                || isUrgent();
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
