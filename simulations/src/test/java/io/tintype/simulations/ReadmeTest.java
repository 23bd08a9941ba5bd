package io.tintype.simulations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program in the README compiles as it stands there, and does what the README says. */
class ReadmeTest {
    private static final Path ROOT =
            Path.of(Objects.requireNonNullElse(System.getProperty("tintype.root"), ".."));
    private static final Pattern JAVA_BLOCK = Pattern.compile("(?ms)^```java\\R(.*?)^```$");

    @TempDir
    private Path directory;

    @Test
    void shouldCompileAndRunTheProgramInTheReadme() throws Exception {
        var blocks = JAVA_BLOCK.matcher(Files.readString(ROOT.resolve("README.md"))).results()
                .map(block -> block.group(1)).toList();
        assertEquals(1, blocks.size(), "programs in the README");
        compile(blocks.getFirst());

        var printed = run(directory.resolve("store").toString());

        var lines = printed.lines().toList();
        assertEquals(4, lines.size(), printed);
        assertTrue(lines.getFirst().matches("web-1/1 is sealed: \\d+ requests were in flight"),
                printed);
        for (int i = 1; i <= 3; i++) {
            assertTrue(lines.get(i).matches("web-" + i + " completed [1-9]\\d* requests"), printed);
        }
        // The checkpoint that was asked for, and the one that the clone was made from.
        assertTrue(Files.exists(directory.resolve("store/checkpoints/web-1/1/manifest")));
        assertTrue(Files.exists(directory.resolve("store/checkpoints/web-1/2/manifest")));
    }

    private void compile(String source) throws Exception {
        var compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
        var file = new SimpleJavaFileObject(URI.create("string:///Example.java"),
                SimpleJavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return source;
            }
        };
        var errors = new StringWriter();
        boolean isCompiled = compiler.getTask(errors, null, null,
                List.of("-d", directory.toString(), "-Xlint:all,-classfile,-path,-processing",
                        "-Werror",
                        "-proc:none", "-classpath", System.getProperty("java.class.path", "")),
                null, List.of(file)).call();
        assertTrue(isCompiled, errors.toString());
    }

    /** Runs the program as the launcher of single-file programs does; returns what it printed. */
    private String run(String argument) throws Exception {
        var out = System.out;
        var printed = new ByteArrayOutputStream();
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try (var loader = new URLClassLoader(new URL[] {directory.toUri().toURL()})) {
            var program = loader.loadClass("Example");
            var constructor = program.getDeclaredConstructor();
            constructor.setAccessible(true);
            var main = program.getDeclaredMethod("main", String[].class);
            main.setAccessible(true);
            main.invoke(constructor.newInstance(), (Object) new String[] {argument});
        } finally {
            System.setOut(out);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
