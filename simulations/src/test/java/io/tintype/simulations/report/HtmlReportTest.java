package io.tintype.simulations.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.simulations.run.MadeUpRun;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HtmlReportTest {
    /** To be looked at in a browser after a build. */
    private static final Path SHOWN = Path.of("target", "reports-made-up");

    @Test
    void shouldLoadNothingFromAnywhere() {
        var html = HtmlReport.render(MadeUpRun.of(640, true, false));

        var ours = html.replaceAll("(?s)<script>.*?</script>", "");
        assertFalse(Pattern.compile("(?i)\\b(src|href|srcset|action)\\s*=").matcher(ours).find());
        assertFalse(Pattern.compile("(?i)@import|url\\(|<link|<iframe|<img").matcher(ours).find());
        assertTrue(html.contains(
                "content=\"default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline';"));
    }

    @Test
    void shouldCarryTheChartLibraryWithItsLicence() {
        var html = HtmlReport.render(MadeUpRun.of(10, false, false));

        assertTrue(html.contains("Licensed to the Apache Software Foundation"));
        assertTrue(html.contains("echarts"));
        assertFalse(html.contains("{{"), "a mark was not replaced");
    }

    @Test
    void shouldCarryTheWholeResultAsData() throws Exception {
        var result = MadeUpRun.of(640, true, true);

        var data = data(HtmlReport.render(result));

        assertEquals(new ObjectMapper().readTree(ResultJson.pretty(result)), data.get("run"));
        assertEquals(640, data.get("checkpointCount").asInt());
    }

    @Test
    void shouldNotLetDataEndTheScriptItStandsIn() {
        var json = HtmlParts
                .asData("{\"trace\":\"</script><script>alert(1)</script><!-- & \u2028\"}");

        assertEquals(
                "{\"trace\":\"\\u003c/script\\u003e\\u003cscript\\u003ealert(1)\\u003c/script\\u003e\\u003c!-- \\u0026 \\u2028\"}",
                json);
    }

    @Test
    void shouldLeaveOutUnremarkableCheckpointsWhenThereAreTooMany() throws Exception {
        var result = MadeUpRun.of(50_000, true, false);

        var data = data(HtmlReport.render(result));

        var shown = data.get("run").get("checkpointList");
        assertEquals(50_000, data.get("checkpointCount").asInt());
        assertTrue(shown.size() <= HtmlReport.CHECKPOINTS_MAX, shown.size() + " shown");
        assertTrue(shown.size() > HtmlReport.CHECKPOINTS_MAX * 3 / 4, shown.size() + " shown");
        int aborted = 0;
        int violated = 0;
        double last = 0;
        for (var checkpoint : shown) {
            aborted += checkpoint.get("state").asText().equals("aborted") ? 1 : 0;
            violated += checkpoint.get("violations").asInt() > 0 ? 1 : 0;
            assertTrue(checkpoint.get("atSeconds").asDouble() >= last, "in order");
            last = checkpoint.get("atSeconds").asDouble();
        }
        assertEquals(result.checkpoints().aborted(), aborted);
        assertEquals(1, violated);
    }

    @Test
    void shouldReplaceAnEarlierReportWholeAndLeaveNothingBesideIt(@TempDir Path folder)
            throws Exception {
        var file = folder.resolve("report.html");
        Files.writeString(file, "an earlier one");

        HtmlReport.write(MadeUpRun.of(3, false, false), file);

        assertTrue(Files.readString(file).endsWith("</html>\n"));
        try (var files = Files.list(folder)) {
            assertEquals(1, files.count());
        }
    }

    @Test
    void shouldShowEveryKindOfRun() throws Exception {
        Files.createDirectories(SHOWN);

        HtmlReport.write(MadeUpRun.of(640, false, false), SHOWN.resolve("fine.html"));
        HtmlReport.write(MadeUpRun.of(640, true, true), SHOWN.resolve("violated.html"));
        HtmlReport.write(MadeUpRun.of(0, false, true), SHOWN.resolve("empty.html"));

        assertTrue(Files.size(SHOWN.resolve("fine.html")) < 2_000_000,
                "one report is a small file");
    }

    private static JsonNode data(String html) throws Exception {
        var matcher =
                Pattern.compile("(?s)<script type=\"application/json\" id=\"data\">(.*?)</script>")
                        .matcher(html);
        assertTrue(matcher.find());
        return new ObjectMapper().readTree(matcher.group(1));
    }
}
