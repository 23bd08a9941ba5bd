/**
 * What a run is, seen from outside: the options it is started with, the interface of whoever runs it, the progress it shows
 * meanwhile, and the result it ends with. The command line and the reports know a run only through this package, and so does
 * the fleet that carries it out.
 */
@NullMarked
package io.tintype.simulations.run;

import org.jspecify.annotations.NullMarked;
