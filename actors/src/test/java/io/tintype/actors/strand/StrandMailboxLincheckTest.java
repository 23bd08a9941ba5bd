package io.tintype.actors.strand;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.dispatch.Envelope;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Several threads send to one mailbox that one thread empties: every message comes out once, and those of one sender that are equally
 * urgent in the order in which they were sent. That an urgent message overtakes all that came before it is not verified: one
 * that arrives while the mailbox is looked into may just miss that.
 */
@Param(name = "sender", gen = ThreadIdGen.class)
public class StrandMailboxLincheckTest {
    private record Ordinary(int sender, int number) {}

    private record Pressing(int sender, int number) implements Urgent {}

    private final StrandMailbox mailbox = new StrandMailbox(new Strand(null, true), null, null);
    private final int[] sentBy = new int[8];
    private final AtomicInteger sent = new AtomicInteger();
    private final List<Object> received = new ArrayList<>();

    @Operation
    public void send(@Param(name = "sender") int sender) {
        enqueue(new Ordinary(sender, sentBy[sender]++));
    }

    @Operation
    public void sendUrgently(@Param(name = "sender") int sender) {
        enqueue(new Pressing(sender, sentBy[sender]++));
    }

    private void enqueue(Object message) {
        mailbox.enqueue(ActorRef.noSender(), new Envelope(message, ActorRef.noSender()));
        sent.incrementAndGet();
    }

    @Operation(nonParallelGroup = "receiver")
    public void receive() {
        var envelope = mailbox.dequeue();
        if (envelope != null) {
            received.add(envelope.message());
        }
    }

    @Validate
    public void shouldReceiveEverythingInOrder() {
        while (mailbox.hasMessages()) {
            receive();
        }
        if (received.size() != sent.get()) {
            throw new IllegalStateException(received.size() + " of " + sent.get() + " received");
        }
        var ordinary = new int[sentBy.length];
        var urgent = new int[sentBy.length];
        for (var message : received) {
            switch (message) {
                case Ordinary(var sender, var number) -> follow(ordinary, sender, number);
                case Pressing(var sender, var number) -> follow(urgent, sender, number);
                default -> throw new IllegalStateException("received " + message);
            }
        }
    }

    private void follow(int[] last, int sender, int number) {
        if (number < last[sender]) {
            throw new IllegalStateException("out of order: " + received);
        }
        last[sender] = number + 1;
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().threads(3).actorsPerThread(2).actorsBefore(1).actorsAfter(0)
                .iterations(4).invocationsPerIteration(400).check(StrandMailboxLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(4).actorsBefore(1).actorsAfter(0)
                .iterations(30).invocationsPerIteration(1_000)
                .check(StrandMailboxLincheckTest.class);
    }
}
