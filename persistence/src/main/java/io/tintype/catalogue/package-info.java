/**
 * What a host knows of its VMs, their checkpoints and what is in progress, as a journal of events that survives the process.
 *
 * <p>{@code CatalogueState} with {@code Decisions} and {@code Reconciliation} is the pure core; {@code CatalogueActor} persists
 * what they decide, and {@code Catalogue} is what the host sees of it. For what is sealed the store's manifests are the truth, and
 * the catalogue follows them: see docs/catalogue.md.
 */
@NullMarked
package io.tintype.catalogue;

import org.jspecify.annotations.NullMarked;
