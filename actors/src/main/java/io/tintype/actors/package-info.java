/**
 * What all actors share: ids, the vocabulary of the protocols, and the strands on which a VM and everything that belongs to
 * it take turns with other VMs.
 */
@NullMarked
package io.tintype.actors;

import org.jspecify.annotations.NullMarked;
