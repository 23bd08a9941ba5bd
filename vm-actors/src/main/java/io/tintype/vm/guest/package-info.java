/**
 * What runs in a VM, and what it sees of the machine: its memory, and a driver for the queue pair of each disk. A guest is a
 * pure machine: all it knows lies in its registers and in its memory, so that both together restore it exactly. Every sector
 * that a guest writes can be recognised when it is read.
 */
@NullMarked
package io.tintype.vm.guest;

import org.jspecify.annotations.NullMarked;
