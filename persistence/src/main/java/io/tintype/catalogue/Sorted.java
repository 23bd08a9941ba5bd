package io.tintype.catalogue;

import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import scala.collection.immutable.TreeMap;
import scala.jdk.javaapi.CollectionConverters;
import scala.jdk.javaapi.OptionConverters;
import scala.math.Ordering;

/**
 * An immutable map in the order of its keys. A changed one shares what did not change, so that an event costs the logarithm of
 * what is in it, not a copy. Scala's tree, which comes with Pekko; the JDK has none.
 */
public final class Sorted<K extends Comparable<? super K>, V> {
    private final TreeMap<K, V> tree;

    private Sorted(TreeMap<K, V> tree) {
        this.tree = tree;
    }

    // One ordering for all: the library compares shared parts of two trees at once only if theirs is the same.
    private static final Sorted<String, ?> EMPTY = new Sorted<String, Object>(
            new TreeMap<>(Ordering.comparatorToOrdering(Comparator.<String>naturalOrder())));

    /** Returns the map with nothing in it. */
    @SuppressWarnings("unchecked") // Its ordering is that of any keys, and it has no values.
    public static <K extends Comparable<? super K>, V> Sorted<K, V> empty() {
        return (Sorted<K, V>) (Sorted<?, ?>) EMPTY;
    }

    /** Returns what {@code key} maps to; null if nothing. */
    public @Nullable V get(K key) {
        return OptionConverters.toJava(tree.get(key)).orElse(null);
    }

    /** Returns whether {@code key} is in it. */
    public boolean has(K key) {
        return tree.contains(key);
    }

    /** Returns how many keys are in it. */
    public int size() {
        return tree.size();
    }

    /** Returns this with {@code key} mapped to {@code value}. */
    public Sorted<K, V> with(K key, V value) {
        return new Sorted<K, V>(tree.updated(key, value));
    }

    /** Returns this without {@code key}. */
    public Sorted<K, V> without(K key) {
        return tree.contains(key) ? new Sorted<K, V>(tree.removed(key)) : this;
    }

    /** Returns the values in the order of their keys, as a view. */
    public Collection<V> values() {
        return asMap().values();
    }

    /** Returns a view that cannot be changed. */
    public Map<K, V> asMap() {
        return CollectionConverters.asJava(tree);
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Sorted<?, ?> sorted && tree.equals(sorted.tree);
    }

    @Override
    public int hashCode() {
        return tree.hashCode();
    }

    @Override
    public String toString() {
        return asMap().toString();
    }
}
