package io.tintype.scheduler;

import java.util.List;

/**
 * What one input led to. Keep {@code next} before carrying out an output: an output may cause the next input at once (a
 * completion written to guest memory can copy a page that another request targets).
 *
 * @param next the new state
 * @param outputs what to do, in this order; unmodifiable
 */
public record Step<S, O>(S next, List<O> outputs) {}
