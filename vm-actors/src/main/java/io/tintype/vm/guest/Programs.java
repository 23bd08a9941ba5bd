package io.tintype.vm.guest;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;

/** Profiles of guests as text, JSON, and back. */
final class Programs {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Programs() {}

    static String write(Record profile) {
        try {
            return JSON.writeValueAsString(profile);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a profile is plain", e);
        }
    }

    /** @throws IllegalArgumentException if it is no such profile */
    static <T extends Record> T read(String program, Class<T> type) {
        try {
            return JSON.readValue(program, type);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "no program of a guest: " + e.getOriginalMessage(), e);
        }
    }
}
