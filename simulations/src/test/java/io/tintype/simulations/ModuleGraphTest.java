package io.tintype.simulations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** The poms say what the design says: which module may use which, and that the two pure ones stay pure. */
class ModuleGraphTest {
    private static final Path ROOT =
            Path.of(Objects.requireNonNullElse(System.getProperty("tintype.root"), ".."));

    /** From the bottom up; what each may use. */
    private static final Map<String, Set<String>> MAY_USE = mayUse();

    private static Map<String, Set<String>> mayUse() {
        var mayUse = new LinkedHashMap<String, Set<String>>();
        mayUse.put("cow-engine", Set.of());
        mayUse.put("io-scheduler", Set.of());
        mayUse.put("actors", Set.of("cow-engine", "io-scheduler"));
        mayUse.put("persistence", Set.of("cow-engine", "io-scheduler", "actors"));
        mayUse.put("vm-actors", Set.of("cow-engine", "io-scheduler", "actors", "persistence"));
        mayUse.put("simulations",
                Set.of("cow-engine", "io-scheduler", "actors", "persistence", "vm-actors"));
        return mayUse;
    }

    @Test
    void shouldListTheModulesFromTheBottomUp() throws Exception {
        var listed = texts(pom("").getElementsByTagName("module"));

        assertEquals(List.copyOf(MAY_USE.keySet()), listed);
    }

    @Test
    void shouldUseOnlyModulesBelow() throws Exception {
        for (var module : MAY_USE.keySet()) {
            var used = dependencies(module, "io.tintype");

            assertTrue(Objects.requireNonNull(MAY_USE.get(module)).containsAll(used),
                    module + " uses " + used);
        }
    }

    @Test
    void shouldKeepLibrariesOutOfThePureModules() throws Exception {
        assertEquals(Set.of("org.agrona:agrona"), dependencies("cow-engine", ""));
        assertEquals(Set.of(), dependencies("io-scheduler", ""));
    }

    /** All but test dependencies whose group starts with {@code group}: {@code group:artifact}, or the artifact if ours. */
    private static Set<String> dependencies(String module, String group) throws Exception {
        var found = new TreeSet<String>();
        var nodes = pom(module).getElementsByTagName("dependency");
        for (int i = 0; i < nodes.getLength(); i++) {
            var dependency = (Element) nodes.item(i);
            var groupId = texts(dependency.getElementsByTagName("groupId")).getFirst();
            var artifactId = texts(dependency.getElementsByTagName("artifactId")).getFirst();
            var isForTests = texts(dependency.getElementsByTagName("scope")).contains("test");
            if (!isForTests && groupId.startsWith(group)) {
                found.add(groupId.equals("io.tintype") ? artifactId : groupId + ":" + artifactId);
            }
        }
        return found;
    }

    private static Element pom(String module) throws Exception {
        var file = ROOT.resolve(module).resolve("pom.xml").toFile();
        return DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(file)
                .getDocumentElement();
    }

    private static List<String> texts(NodeList nodes) {
        return IntStream.range(0, nodes.getLength())
                .mapToObj(i -> nodes.item(i).getTextContent().strip())
                .toList();
    }
}
