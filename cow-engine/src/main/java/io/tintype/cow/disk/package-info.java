/**
 * Virtual disks as chains of image files: a base and overlays that hold only changed block groups. {@link
 * io.tintype.cow.disk.DiskChain} is the disk; {@link io.tintype.cow.disk.ImageDirectory} is where its files live, with
 * adapters for real files and for memory. Everything here is synchronous and may be called from any thread; who may write
 * what at which moment (the ordering rules) is decided above. The formats and the order of writes are in
 * {@code docs/disk-images.md}.
 */
@NullMarked
package io.tintype.cow.disk;

import org.jspecify.annotations.NullMarked;
