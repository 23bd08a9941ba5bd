package io.tintype.vm;

import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A disk whose description is durable one change late: how R1 looks when it is switched off. The overlay that a VM switches to
 * is then not in its chain yet as far as a crash is concerned. Thread-safe as what it wraps is.
 */
final class LateDirectory implements ImageDirectory {
    private final ImageDirectory directory;
    // Guarded by this. What the last replace of each file was to write.
    private final Map<String, byte[]> late = new HashMap<>();

    LateDirectory(ImageDirectory directory) {
        this.directory = directory;
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
    public synchronized byte[] read(String name) throws IOException {
        var content = late.get(name);
        return content == null ? directory.read(name) : content.clone();
    }

    @Override
    public synchronized void replace(String name, byte[] content) throws IOException {
        var before = late.put(name, content.clone());
        if (before != null) {
            directory.replace(name, before);
        }
    }

    @Override
    public void sync() throws IOException {
        directory.sync();
    }

    @Override
    public String locate(ImageDirectory other) {
        return directory.locate(other instanceof LateDirectory wrapped ? wrapped.directory : other);
    }

    @Override
    public boolean isMemory() {
        return directory.isMemory();
    }

    @Override
    public ImageDirectory resolve(String locator) {
        return directory.resolve(locator);
    }
}
