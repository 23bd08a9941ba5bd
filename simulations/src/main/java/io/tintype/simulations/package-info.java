/**
 * The programs that a user starts, and what they are made of: load generators, fault injection, the oracle, reports. Nothing
 * below knows this module.
 */
@NullMarked
package io.tintype.simulations;

import org.jspecify.annotations.NullMarked;
