/**
 * The device side of a virtual disk: fetches requests from the queue pair in guest memory, checks them, and writes
 * completions. It moves no data and decides no order.
 */
@NullMarked
package io.tintype.vm.device;

import org.jspecify.annotations.NullMarked;
