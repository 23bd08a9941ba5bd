package io.tintype.vm;

/** When the memory of a restored VM is read. */
public enum RestoreMode {
    /**
     * The guest runs at once; what it touches is read then, the rest in the background. Damage in the memory is found when it is
     * read: then the VM ends, and says why.
     */
    LAZY,

    /** All of it before the VM is there. Damage fails the restore. */
    EAGER
}
