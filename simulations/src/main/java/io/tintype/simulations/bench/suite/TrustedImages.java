package io.tintype.simulations.bench.suite;

import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import io.tintype.vm.HostPorts;
import java.io.IOException;
import java.util.List;

/**
 * Image files that say of themselves that they are in memory, so that their data has no checksums before it is sealed: what
 * verified ones are compared with. As thread-safe as what it wraps.
 */
final class TrustedImages implements ImageDirectory {
    private final ImageDirectory directory;

    private TrustedImages(ImageDirectory directory) {
        this.directory = directory;
    }

    /** The same ports on such files. */
    static HostPorts ports(HostPorts ports) {
        return new HostPorts(ports.rules(), ports.diskIo(),
                key -> new TrustedImages(ports.images().apply(key)), ports.storeFiles(),
                ports.blocking(), ports.saving(), ports.orderedDisks(), ports.groupBytes(),
                ports.world(), ports.catalogue());
    }

    @Override
    public boolean isMemory() {
        return true;
    }

    @Override
    public String location() {
        return directory.location();
    }

    @Override
    public List<String> list() throws IOException {
        return directory.list();
    }

    @Override
    public ImageFile create(String name) throws IOException {
        return directory.create(name);
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        return directory.open(name, writable);
    }

    @Override
    public void delete(String name) throws IOException {
        directory.delete(name);
    }

    @Override
    public byte[] read(String name) throws IOException {
        return directory.read(name);
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        directory.replace(name, content);
    }

    @Override
    public void sync() throws IOException {
        directory.sync();
    }

    @Override
    public String locate(ImageDirectory other) {
        return directory
                .locate(other instanceof TrustedImages trusted ? trusted.directory : other);
    }

    @Override
    public ImageDirectory resolve(String locator) {
        return new TrustedImages(directory.resolve(locator));
    }
}
