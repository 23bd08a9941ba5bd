package io.tintype.simulations.story;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.WholeFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * A {@link Story} as a file that {@code ./tintype replay} reads: JSON whose first lines always are
 *
 * <pre>
 * {
 *   "format" : "tintype-story",
 *   "version" : 1,
 *   "checksum" : "89abcdef",
 *   "story" : {
 * </pre>
 *
 * <p>The checksum is the CRC-32C, in eight lower-case hexadecimal digits, of all bytes of the file, with {@code 00000000} in its own
 * place. So a changed, missing or additional byte anywhere is noticed, white space included: what is replayed is what was recorded.
 *
 * <p>A change of what a story holds is a new version. Older programs refuse it; this one reads all versions up to its own.
 */
public final class TraceFile {
    private static final String FORMAT = "tintype-story";
    private static final int VERSION = 1;
    /** A story is shrunk: a thousand events are some 300 KB. More is no story. */
    private static final long SIZE_BYTES_MAX = 64L << 20;

    private static final String NO_CHECKSUM = "00000000";
    private static final String OPENING = "{\n  \"format\" : \"" + FORMAT + "\",";
    private static final Pattern HEAD = Pattern.compile("\\A" + Pattern.quote(OPENING)
            + "\n  \"version\" : ([0-9]{1,9}),\n  \"checksum\" : \"([0-9a-f]{8})\",\n");
    private static final Pattern VERSION_ALONE =
            Pattern.compile("\\A" + Pattern.quote(OPENING) + "\n  \"version\" : ([0-9]{1,9}),\n");

    private static final Pattern CHECKSUM = Pattern.compile("(\"checksum\" : \")[0-9a-f]{8}");

    private static final ObjectMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private TraceFile() {}

    @JsonPropertyOrder({"format", "version", "checksum", "story"})
    record Content(String format, int version, String checksum, Story story) {}

    /** Writes {@code file}, whole or not at all. */
    public static void write(Path file, Story story) throws IOException {
        WholeFile.write(file, render(story));
    }

    static String render(Story story) {
        return sealed(ResultJson.pretty(new Content(FORMAT, VERSION, NO_CHECKSUM, story)));
    }

    /** With the checksum that belongs to it. */
    static String sealed(String text) {
        var blank = CHECKSUM.matcher(text).replaceFirst("$1" + NO_CHECKSUM);
        return CHECKSUM.matcher(blank).replaceFirst("$1" + checksum(blank));
    }

    /**
     * What was written.
     *
     * @throws TraceFileException if the file cannot be read, is not one of ours, is damaged or is newer than this program
     */
    public static Story read(Path file) throws TraceFileException {
        return read(file, bytes(file));
    }

    /** The story in {@code bytes}, which are those of {@code file}. */
    static Story read(Path file, byte[] bytes) throws TraceFileException {
        // Latin-1, so that each byte is a character and none can be lost on the way.
        var text = new String(bytes, StandardCharsets.ISO_8859_1);
        if (!text.startsWith(OPENING)) {
            throw foreign(file, text);
        }
        var version = VERSION_ALONE.matcher(text);
        if (version.find() && Integer.parseInt(version.group(1)) > VERSION) {
            throw new TraceFileException(file, "is a story of version " + version.group(1)
                    + ", this program reads up to version " + VERSION,
                    "replay it with the version of Tintype that wrote it");
        }
        var head = HEAD.matcher(text);
        if (!head.find() || Integer.parseInt(head.group(1)) < 1) {
            throw damaged(file, "its first lines are not those of a story");
        }
        var blank = text.substring(0, head.start(2)) + NO_CHECKSUM + text.substring(head.end(2));
        var sum = checksum(blank.getBytes(StandardCharsets.ISO_8859_1));
        if (!sum.equals(head.group(2))) {
            throw damaged(file, "its checksum is " + sum + ", not " + head.group(2));
        }
        return parse(file, bytes);
    }

    private static Story parse(Path file, byte[] bytes) throws TraceFileException {
        try {
            var story = MAPPER.readValue(bytes, Content.class).story();
            for (int i = 0; i < story.events().size(); i++) {
                int cause = story.events().get(i).cause();
                if (cause < -1 || cause >= i) {
                    throw damaged(file, "event " + i + " is caused by event " + cause);
                }
            }
            return story;
        } catch (JsonProcessingException e) {
            throw damaged(file, e.getOriginalMessage());
        } catch (IOException | NullPointerException e) {
            // A value that must not be missing is null.
            throw damaged(file, "it is incomplete");
        }
    }

    private static byte[] bytes(Path file) throws TraceFileException {
        try {
            if (Files.isDirectory(file)) {
                throw unreadable(file, "is a folder");
            }
            if (Files.size(file) > SIZE_BYTES_MAX) {
                throw unreadable(file, "has " + Files.size(file) + " bytes, too many for a story");
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw unreadable(file, "does not exist");
        } catch (AccessDeniedException e) {
            throw unreadable(file, "may not be read by you");
        } catch (IOException e) {
            throw unreadable(file, "cannot be read (" + e.getMessage() + ")");
        }
    }

    private static TraceFileException unreadable(Path file, String wrong) {
        return new TraceFileException(file, wrong,
                "give the file that 'simulate' or 'explore' wrote");
    }

    private static TraceFileException foreign(Path file, String text) {
        if (text.isEmpty()) {
            return damaged(file, "it is empty");
        }
        if (OPENING.startsWith(text)) {
            return damaged(file, "it ends after " + text.length() + " bytes");
        }
        return new TraceFileException(file, "is not a story of Tintype",
                "give the file that 'simulate' or 'explore' wrote");
    }

    private static TraceFileException damaged(Path file, String wrong) {
        return new TraceFileException(file, "is damaged: " + oneLine(wrong),
                "find the failure again from its seed, or take another copy of the file");
    }

    private static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static String checksum(String text) {
        return checksum(text.getBytes(StandardCharsets.UTF_8));
    }

    private static String checksum(byte[] bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return HexFormat.of().toHexDigits(crc.getValue(), 8);
    }
}
