package io.tintype.actors.strand;

import com.typesafe.config.Config;
import org.apache.pekko.actor.ActorRef;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.dispatch.MailboxType;
import org.apache.pekko.dispatch.MessageQueue;
import org.apache.pekko.dispatch.ProducesMessageQueue;
import org.jspecify.annotations.Nullable;
import scala.Option;

/** Named in the configuration; Pekko creates it, and through it every mailbox. */
public final class StrandMailboxType implements MailboxType, ProducesMessageQueue<MessageQueue> {
    private final boolean isRoot;
    private final @Nullable SenderGuard guard;

    /**
     * @param config {@code strand-root} says whether the actors that get this mailbox each root a strand; absent means no
     */
    public StrandMailboxType(ActorSystem.Settings settings, Config config) {
        this.isRoot = config.hasPath("strand-root") && config.getBoolean("strand-root");
        this.guard = settings.config().hasPath(SimulatedSystem.NUMBER)
                ? SimulatedSystem.parts(settings.config()).guard()
                : null;
    }

    @Override
    public MessageQueue create(Option<ActorRef> owner, Option<ActorSystem> system) {
        return owner.isDefined()
                ? StrandMailbox.of(owner.get(), isRoot, guard)
                : new StrandMailbox(new Strand(null, isRoot), null, guard);
    }
}
