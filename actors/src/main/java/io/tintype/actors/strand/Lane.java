package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/**
 * A queue whose links lie in its elements, so that adding costs no memory and any element can be taken out at once.
 * An element is in at most one lane. For one thread at a time.
 */
final class Lane<E extends Lane.Node<E>> {
    /** What can stand in a lane. The links are the lane's own. */
    abstract static class Node<E extends Node<E>> {
        @Nullable
        Lane<E> lane;
        @Nullable
        E previous;
        @Nullable
        E next;
    }

    private @Nullable E first;
    private @Nullable E last;
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return first == null;
    }

    /** Leads to the others by its link; null if the lane is empty. */
    @Nullable
    E first() {
        return first;
    }

    /** Leads to the others by its link to the one before; null if the lane is empty. */
    @Nullable
    E last() {
        return last;
    }

    void addLast(E element) {
        addBefore(null, element);
    }

    /** Before {@code after}, which stands here; at the end if that is null. */
    void addBefore(@Nullable E after, E element) {
        if (element.lane != null) {
            throw new IllegalStateException(element + " stands in a lane already");
        }
        var before = after == null ? last : after.previous;
        element.lane = this;
        element.previous = before;
        element.next = after;
        if (before == null) {
            first = element;
        } else {
            before.next = element;
        }
        if (after == null) {
            last = element;
        } else {
            after.previous = element;
        }
        size++;
    }

    void remove(E element) {
        if (element.lane != this) {
            throw new IllegalStateException(element + " does not stand in this lane");
        }
        var before = element.previous;
        var after = element.next;
        if (before == null) {
            first = after;
        } else {
            before.next = after;
        }
        if (after == null) {
            last = before;
        } else {
            after.previous = before;
        }
        element.lane = null;
        element.previous = null;
        element.next = null;
        size--;
    }

    /** Takes out what {@code chooser} picks; null if the lane is empty. */
    @Nullable
    E take(Chooser chooser) {
        if (first == null) {
            return null;
        }
        int index = chooser.choose(size);
        if (index < 0 || index >= size) {
            throw new IllegalArgumentException("chose " + index + " of " + size);
        }
        var taken = first;
        for (int i = 0; i < index && taken.next != null; i++) {
            taken = taken.next;
        }
        remove(taken);
        return taken;
    }
}
