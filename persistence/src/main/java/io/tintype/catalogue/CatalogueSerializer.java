package io.tintype.catalogue;

import java.io.NotSerializableException;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/** Lets Pekko store events and snapshots as {@link EventJson} writes them. Pekko makes it, by its name in the configuration. */
public final class CatalogueSerializer extends SerializerWithStringManifest {
    // In every stored event: never to be changed, nor used by another serializer. Pekko's own end at 40.
    private static final int IDENTIFIER = 84_001;

    private final EventJson json = new EventJson(EventJson.Upcasters.NONE);

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    @Override
    public String manifest(Object stored) {
        return json.manifest(stored);
    }

    @Override
    public byte[] toBinary(Object stored) {
        return json.write(stored);
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        try {
            return json.read(manifest, bytes);
        } catch (IllegalArgumentException e) {
            var failure = new NotSerializableException(e.getMessage());
            failure.initCause(e);
            throw failure;
        }
    }
}
