/**
 * What all actors share: ids and the clock. The strands on which a VM and everything that belongs to it take turns with other
 * VMs are in the package below.
 */
@NullMarked
package io.tintype.actors;

import org.jspecify.annotations.NullMarked;
