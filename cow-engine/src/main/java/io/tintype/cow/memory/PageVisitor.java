package io.tintype.cow.memory;

/** Is shown the pages of a frozen memory, see {@link FrozenMemory#forEachPresent}. */
@FunctionalInterface
public interface PageVisitor {
    /**
     * @param page index within the region
     * @param frame never 0; its bytes lie at {@code frame * 4096L} in the pool's segment
     */
    void visit(int page, int frame);
}
