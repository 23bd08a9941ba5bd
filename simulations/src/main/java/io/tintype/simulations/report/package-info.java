/**
 * How the result of a run is shown: as a table on a terminal, as JSON for programs, as one HTML file for people. All of it is made
 * from a {@link io.tintype.simulations.run.RunResult} alone, so that a result read back gives the same report.
 */
@NullMarked
package io.tintype.simulations.report;

import org.jspecify.annotations.NullMarked;
