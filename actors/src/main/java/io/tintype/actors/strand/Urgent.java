package io.tintype.actors.strand;

/**
 * Marks messages that overtake: within a mailbox they are handled before all messages that are not urgent, and a mailbox
 * that holds one runs before the other mailboxes of its strand. Urgent messages keep their order among themselves. They do
 * not overtake other strands, since every strand gets its turn anyway.
 *
 * <p>A message that goes through a message adapter is as urgent as the message that was sent to the adapter.
 */
public interface Urgent {}
