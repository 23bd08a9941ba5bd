/**
 * The oracle: knows from the guest's side alone what a VM must look like at any instant, and compares stored checkpoints, the
 * running VM and restored VMs with that. It shares nothing with the engine's bookkeeping: not the pending set, not the page
 * tables, not the layers.
 */
@NullMarked
package io.tintype.simulations.oracle;

import org.jspecify.annotations.NullMarked;
