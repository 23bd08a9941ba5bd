/**
 * The actors of a VM and of its disks, memory regions, pending I/O and checkpoints. They are thin shells: what they decide is
 * a pure step, here or in the modules below. Programs that use Tintype as a library begin with {@link
 * io.tintype.vm.TintypeHost}; {@code docs/checkpoint-protocol.md} tells who sends what to whom.
 */
@NullMarked
package io.tintype.vm;

import org.jspecify.annotations.NullMarked;
