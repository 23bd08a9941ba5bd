package io.tintype.simulations.explore;

import io.tintype.simulations.story.Shrinker;
import io.tintype.simulations.story.StoryEvent;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Random runs of the explorer's machine, and what the simulator's shrinker makes of those that fail. What the shortest failing run is,
 * is known here: breadth first the first one found.
 */
@SuppressWarnings("EnumOrdinal") // as a search keeps the policy
final class Walks {
    /** A run of that many acts is given up; none that a search exhausts is longer. */
    private static final int ACTS_MAX = 200;

    private final ExploreConfig config;
    private final Random random;
    private final World world;
    private final int[] acts = new int[1_024];

    Walks(ExploreConfig config, long seed) {
        this.config = config;
        random = new Random(seed);
        world = new World(config);
        world.machine.tryAll();
    }

    /** The names of all acts of the first run that fails, and there is one: null if none of so many did. */
    @Nullable
    List<String> failing(int runsMax) {
        for (int run = 0; run < runsMax; run++) {
            var path = failingPath();
            if (path != null) {
                return names(path);
            }
        }
        return null;
    }

    /** First the number of the policy. */
    private int @Nullable [] failingPath() {
        var policy = config.policies().get(random.nextInt(config.policies().size()));
        var path = new int[ACTS_MAX + 1];
        path[0] = policy.ordinal();
        world.start(policy);
        // Some runs hurry to end what goes on, others let much pile up.
        int hurry = 1 << random.nextInt(5);
        for (int length = 1; length <= ACTS_MAX; length++) {
            int count = world.enumerate(acts);
            if (count == 0) {
                break;
            }
            path[length] = chosen(count, hurry);
            try {
                world.apply(path[length]);
            } catch (Violation e) {
                return Arrays.copyOf(path, length + 1);
            }
        }
        return null;
    }

    /** Mostly what happens sooner or later, or is issued; a deadline, a reset, an error now and then. */
    private int chosen(int count, int hurry) {
        while (true) {
            int act = acts[random.nextInt(count)];
            int what = Act.what(act);
            boolean isRare = what == Act.DEADLINE || what == Act.RESET || what == Act.ROLL_BACK
                    || (what >= Act.FAIL && what <= Act.MANIFEST_FAILED);
            if (isRare ? random.nextInt(20) == 0 : !Act.isDue(act) || random.nextInt(hurry) < 2) {
                return act;
            }
        }
    }

    private List<String> names(int[] path) {
        var teller = new Teller(config, ExploreConfig.Policy.values()[path[0]]).tryAll();
        for (int i = 1; i < path.length; i++) {
            teller.tell(path[i]);
        }
        return teller.events().stream().map(StoryEvent::name).toList();
    }

    /** The run without what it does not need to fail, in whatever way: only one rule is off. */
    Shrinker.Result<String> shrunk(List<String> names, ExploreConfig.Policy policy) {
        return Shrinker.shrink(names, fewer -> violation(fewer, policy) != null,
                Shrinker.TRIES_MAX);
    }

    /** What a run of these acts shows, each done if it is possible then. */
    private @Nullable Violation violation(List<String> names, ExploreConfig.Policy policy) {
        var teller = new Teller(config, policy).tryAll();
        for (var name : names) {
            int act = teller.find(name);
            if (act >= 0) {
                teller.tell(act);
                if (teller.violation() != null) {
                    return teller.violation();
                }
            }
        }
        return null;
    }
}
