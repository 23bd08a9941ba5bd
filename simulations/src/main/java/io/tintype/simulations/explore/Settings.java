package io.tintype.simulations.explore;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.ExploreConfig.Policy;
import io.tintype.simulations.story.Story.Setting;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** A configuration in the words of the command's options, for stories. */
final class Settings {
    private Settings() {}

    static List<Setting> of(ExploreConfig config, Policy policy) {
        var settings = new ArrayList<Setting>();
        settings.add(new Setting("vms", "" + config.vms()));
        settings.add(new Setting("disks", "" + config.disks()));
        settings.add(new Setting("pages", "" + config.pages()));
        settings.add(new Setting("requests", "" + config.requests()));
        settings.add(new Setting("checkpoints", "" + config.checkpoints()));
        settings.add(new Setting("faults", "" + config.faults()));
        settings.add(new Setting("resets", "" + config.resets()));
        settings.add(new Setting("commits", "" + config.commits()));
        settings.add(new Setting("rollbacks", "" + config.rollbacks()));
        if (!config.program().isEmpty()) {
            settings.add(new Setting("program", Program.words(config.program())));
        }
        settings.add(new Setting("kinds", config.kinds().stream()
                .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(","))));
        settings.add(new Setting("policy", nameOf(policy)));
        if (config.ordered()) {
            settings.add(new Setting("ordered", "true"));
        }
        if (!config.rules().off().isEmpty()) {
            settings.add(new Setting("break", config.rules().off().stream().map(Rule::name)
                    .collect(Collectors.joining(","))));
        }
        return settings;
    }

    static String nameOf(Policy policy) {
        return policy.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Throws {@link IllegalArgumentException} for what no configuration has. */
    static ExploreConfig from(List<Setting> settings) {
        int[] sizes = {1, 1, 1, 0, 0, 0, 0, 0, 0};
        var names = List.of("vms", "disks", "pages", "requests", "checkpoints", "faults", "resets",
                "commits", "rollbacks");
        List<Kind> kinds = ExploreConfig.KINDS_USUAL;
        List<Policy> policies = List.of(Policy.LANDED);
        List<Program.Request> program = List.of();
        boolean ordered = false;
        var rules = Rules.ALL_ON;
        for (var setting : settings) {
            var value = setting.value();
            int size = names.indexOf(setting.name());
            if (size >= 0) {
                sizes[size] = Integer.parseInt(value);
                continue;
            }
            switch (setting.name()) {
                case "kinds" -> kinds = Arrays.stream(value.split(",", -1))
                        .map(kind -> Kind.valueOf(kind.toUpperCase(Locale.ROOT))).toList();
                case "program" -> program = Program.parse(value).requests();
                case "policy" -> policies = List.of(
                        Policy.valueOf(value.toUpperCase(Locale.ROOT).replace('-', '_')));
                case "ordered" -> ordered = Boolean.parseBoolean(value);
                case "break" -> rules = Rules.without(Arrays.stream(value.split(",", -1))
                        .map(Rule::valueOf).toArray(Rule[]::new));
                default -> throw new IllegalArgumentException(
                        "setting " + setting.name() + " means nothing to an exploration");
            }
        }
        return new ExploreConfig(sizes[0], sizes[1], sizes[2], sizes[3], sizes[4], sizes[5],
                sizes[6], sizes[7], sizes[8], policies, kinds, program, ordered, rules);
    }
}
