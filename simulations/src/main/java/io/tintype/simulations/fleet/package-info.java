/**
 * The main job: hosts a fleet of VMs under load, checkpoints them live, verifies each checkpoint with an oracle, and sums up.
 * All that it learns about a VM comes from the VM's probe, its counters and its guest's recorder.
 */
@NullMarked
package io.tintype.simulations.fleet;

import org.jspecify.annotations.NullMarked;
