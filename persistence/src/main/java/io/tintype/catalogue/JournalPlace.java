package io.tintype.catalogue;

/** Where a host's journal is kept. */
public sealed interface JournalPlace {
    /** In the store's directory: nothing to install. */
    record Embedded() implements JournalPlace {}

    /**
     * In a PostgreSQL database, which may hold the journals of many stores.
     *
     * @param url {@code jdbc:postgresql://HOST[:PORT]/DATABASE[?user=…&password=…]}
     */
    record Postgres(String url) implements JournalPlace {
        /** Checks that it looks like one. */
        public Postgres {
            if (!url.startsWith(PREFIX)) {
                throw new IllegalArgumentException("\"" + withoutSecrets(url)
                        + "\" is no address of a PostgreSQL database; it looks like "
                        + PREFIX + "//HOST/DATABASE?user=NAME&password=…");
            }
        }

        @Override
        public String toString() {
            return withoutSecrets(url);
        }
    }

    /** In memory, and gone with the process. */
    record Memory() implements JournalPlace {}

    /** How an address of a PostgreSQL database begins. */
    String PREFIX = "jdbc:postgresql:";

    /**
     * Returns the place that {@code text} names: {@code embedded}, {@code memory} or an address.
     *
     * @throws IllegalArgumentException if it names none
     */
    static JournalPlace parse(String text) {
        return switch (text) {
            case "embedded" -> new Embedded();
            case "memory" -> new Memory();
            default -> new Postgres(text);
        };
    }

    private static String withoutSecrets(String url) {
        int query = url.indexOf('?');
        return query < 0 ? url : url.substring(0, query);
    }
}
