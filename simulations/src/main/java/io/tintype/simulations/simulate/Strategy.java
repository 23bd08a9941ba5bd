package io.tintype.simulations.simulate;

import io.tintype.actors.strand.Ready;
import java.util.List;

/** How the next actor is chosen among those that have something to handle. */
public enum Strategy {
    /** Each is as likely as the others. */
    RANDOM,
    /**
     * Each actor has a random priority and the highest runs; at a few random steps the one that would run falls behind all others.
     * Finds what needs few, but well placed, preemptions.
     */
    PCT,
    /** Each message has a random priority, drawn when its actor becomes ready. Samples orders more evenly than random does. */
    POS;

    /** The choices of one run. */
    static final class Picker {
        private final Strategy strategy;
        private final Dice dice;
        private final long changePerMille;
        private long lowest = Long.MAX_VALUE / 2;

        Picker(Strategy strategy, Dice dice) {
            this.strategy = strategy;
            this.dice = dice;
            this.changePerMille = 5L + dice.below(30);
        }

        Ready pick(List<Ready> ready) {
            int count = ready.size();
            if (count == 1) {
                return ready.getFirst();
            }
            return switch (strategy) {
                case RANDOM -> ready.get(dice.below(count));
                case PCT -> {
                    var one = highest(ready);
                    if (dice.below(1000) < changePerMille) {
                        one.rank(--lowest);
                        one = highest(ready);
                    }
                    yield one;
                }
                case POS -> {
                    var one = highest(ready);
                    // Drawn anew when it is ready again.
                    one.rank(0);
                    yield one;
                }
            };
        }

        private Ready highest(List<Ready> ready) {
            Ready best = ready.getFirst();
            for (var each : ready) {
                if (each.rank() == 0) {
                    each.rank((dice.next() >>> 2) + Long.MAX_VALUE / 2);
                }
                if (each.rank() > best.rank()) {
                    best = each;
                }
            }
            return best;
        }
    }
}
