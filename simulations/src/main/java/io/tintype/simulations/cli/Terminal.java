package io.tintype.simulations.cli;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.invoke.MethodHandle;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the program's output goes to; a port, so that tests can have another one. */
interface Terminal {
    /** Whether standard error goes to a terminal that lines can be redrawn on. */
    boolean isErrorTerminal();

    /** Whether standard output goes to a terminal that understands colours, and its user wants them. */
    boolean hasOutputColour();

    /** As {@link #hasOutputColour()}, of standard error. */
    boolean hasErrorColour();

    /** Columns at this moment. */
    int width();

    /** The terminal this program was started from. */
    static Terminal local() {
        return new Local(System.getenv());
    }

    /** Nothing but files and pipes. */
    static Terminal none() {
        return new Terminal() {
            @Override
            public boolean isErrorTerminal() {
                return false;
            }

            @Override
            public boolean hasOutputColour() {
                return false;
            }

            @Override
            public boolean hasErrorColour() {
                return false;
            }

            @Override
            public int width() {
                return Local.WIDTH_UNKNOWN;
            }
        };
    }

    /**
     * Asks the C library, since Java tells only whether input and output <em>both</em> are a terminal, and nothing of its width. Where
     * that cannot be asked, it is no terminal.
     */
    final class Local implements Terminal {
        static final int WIDTH_UNKNOWN = 80;
        private static final int STANDARD_OUTPUT = 1;
        private static final int STANDARD_ERROR = 2;
        // TIOCGWINSZ of Linux and of macOS and BSD; answers with rows and columns as two unsigned shorts.
        private static final long ASK_SIZE_LINUX = 0x5413;
        private static final long ASK_SIZE_BSD = 0x40087468;
        private static final long SIZE_BYTES = 8;

        private final Map<String, String> environment;
        private final @Nullable MethodHandle isatty = function("isatty",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT));
        private final @Nullable MethodHandle ioctl = function("ioctl",
                FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS),
                Linker.Option.firstVariadicArg(2));

        Local(Map<String, String> environment) {
            this.environment = environment;
        }

        @Override
        public boolean isErrorTerminal() {
            return isTerminal(STANDARD_ERROR);
        }

        @Override
        public boolean hasOutputColour() {
            return wantsColour() && isTerminal(STANDARD_OUTPUT);
        }

        @Override
        public boolean hasErrorColour() {
            return wantsColour() && isTerminal(STANDARD_ERROR);
        }

        /** See no-color.org: any value but an empty one. */
        private boolean wantsColour() {
            return environment.getOrDefault("NO_COLOR", "").isEmpty();
        }

        private boolean isTerminal(int descriptor) {
            if (isatty == null || environment.getOrDefault("TERM", "dumb").equals("dumb")) {
                return false;
            }
            try {
                return (int) isatty.invokeExact(descriptor) == 1;
            } catch (Throwable e) {
                return false;
            }
        }

        @Override
        public int width() {
            if (ioctl == null) {
                return WIDTH_UNKNOWN;
            }
            var isLinux = System.getProperty("os.name", "").startsWith("Linux");
            try (var arena = Arena.ofConfined()) {
                var size = arena.allocate(SIZE_BYTES);
                var answer = (int) ioctl.invokeExact(
                        STANDARD_ERROR, isLinux ? ASK_SIZE_LINUX : ASK_SIZE_BSD, size);
                var columns = Short.toUnsignedInt(size.get(JAVA_SHORT, 2));
                return answer == 0 && columns > 0 ? columns : WIDTH_UNKNOWN;
            } catch (Throwable e) {
                return WIDTH_UNKNOWN;
            }
        }

        @SuppressWarnings("restricted")
        private static @Nullable MethodHandle function(
                String name, FunctionDescriptor descriptor, Linker.Option... options) {
            try {
                var linker = Linker.nativeLinker();
                return linker.defaultLookup().find(name)
                        .map(address -> linker.downcallHandle(address, descriptor, options))
                        .orElse(null);
            } catch (RuntimeException | LinkageError e) {
                return null;
            }
        }
    }
}
