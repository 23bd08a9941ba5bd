package io.tintype.simulations.simulate;

import java.util.List;

/**
 * Named events to do in this order, each if it is possible then; after the last one everything that is left happens by itself, first
 * come first served.
 *
 * @param events their names
 * @param settles whether all messages are handled before each event, but for those that are to happen {@link Simulation#AT_ONCE at
 *     once}; if not, their deliveries are events, too
 */
record Schedule(List<String> events, boolean settles) {}
