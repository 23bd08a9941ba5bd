/**
 * What a failure looks like to a person: named events on lanes, who did what to which page or block, as text, as a trace file
 * that replays, and as a space-time diagram. Knows neither the simulator nor the explorer, which both tell their findings
 * this way.
 */
@NullMarked
package io.tintype.simulations.story;

import org.jspecify.annotations.NullMarked;
