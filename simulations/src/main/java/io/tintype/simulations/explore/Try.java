package io.tintype.simulations.explore;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import java.util.Arrays;
import java.util.List;

final class Try {
    public static void main(String[] a) {
        int r = Integer.parseInt(a[0]);
        int c = Integer.parseInt(a[1]);
        int f = Integer.parseInt(a[2]);
        int re = Integer.parseInt(a[3]);
        int co = Integer.parseInt(a[4]);
        var config = ExploreConfig.of(r, c).withBudgets(f, re, co);
        if (a.length > 5 && !a[5].isEmpty()) config = config.withKinds(Arrays.stream(a[5].split(",")).map(ExploreConfig.Kind::valueOf).toArray(ExploreConfig.Kind[]::new));
        if (a.length > 6 && !a[6].isEmpty()) config = config.with(List.of(ExploreConfig.Policy.valueOf(a[6])));
        if (a.length > 7) config = config.with(Rules.without(Rule.valueOf(a[7])));
        for (int i = 0; i < Integer.getInteger("times", 1); i++) {
        long[] last = {System.nanoTime()};
        var o = new Search(config, Long.getLong("max", 50_000_000), s -> { if (System.nanoTime() - last[0] > 5_000_000_000L) { last[0] = System.nanoTime(); System.out.println(s + " " + s.distinct() * 1000000000L / Math.max(1, s.elapsedNs())); } }, () -> false).run();
        var s = o.standing();
        System.out.println(s + " /s " + s.distinct() * 1000000000L / Math.max(1, s.elapsedNs()) + " gen/dist " + (double) s.generated() / s.distinct() + " B/state " + (double) s.bytes() / s.distinct() + " exhausted " + o.isExhausted() + " " + o.cores());
        if (o.found() != null) {
            System.out.println(o.found().rule() + " " + o.found().finding() + " " + o.found().path().length);
            for (int act : o.found().path()) System.out.print(Act.what(act) + ":" + Act.arguments(act) + " ");
            System.out.println();
        }
        }
    }
}
