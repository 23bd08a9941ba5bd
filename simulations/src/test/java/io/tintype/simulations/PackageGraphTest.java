package io.tintype.simulations;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Dependencies between packages point down only. It sees what compiled code refers to: not the constants that the compiler
 * copied, nor names in strings and comments.
 */
class PackageGraphTest {
    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.tintype");

    @Test
    void shouldSeeOurClasses() {
        assertTrue(OURS.contain(Main.class), "only " + OURS.size() + " classes were read");
    }

    @ParameterizedTest
    @CsvSource({
        "cow,         scheduler actors store catalogue vm simulations",
        "scheduler,   cow actors store catalogue vm simulations",
        "actors,      store catalogue vm simulations",
        "store,       catalogue vm simulations",
        "catalogue,   vm simulations",
        "vm,          simulations"
    })
    void shouldKnowNothingAbove(String name, String above) {
        noClasses()
                .that().resideInAPackage("io.tintype." + name + "..")
                .should().dependOnClassesThat().resideInAnyPackage(packages(above))
                .allowEmptyShould(true)
                .check(OURS);
    }

    @Test
    void shouldKeepPekkoOutOfThePureModules() {
        noClasses()
                .that().resideInAnyPackage(packages("cow scheduler"))
                .should().dependOnClassesThat().resideInAPackage("org.apache.pekko..")
                .allowEmptyShould(true)
                .check(OURS);
    }

    @Test
    void shouldHaveNoPackageOutsideTheModules() {
        classes()
                .should().resideInAnyPackage(packages(
                        "cow scheduler actors store catalogue vm simulations"))
                .check(OURS);
    }

    @Test
    void shouldHaveNoCycles() {
        slices()
                .matching("io.tintype.(**)")
                .should().beFreeOfCycles()
                .allowEmptyShould(true)
                .check(OURS);
    }

    private static String[] packages(String names) {
        return Stream.of(names.split(" "))
                .map(name -> "io.tintype." + name + "..")
                .toArray(String[]::new);
    }
}
