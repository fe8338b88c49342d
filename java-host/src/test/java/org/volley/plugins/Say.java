package org.volley.plugins;

/** What the plug-ins of the tests tell the test by: lines of output. */
final class Say {
    private Say() {
    }

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** Says what is called, and when the thread's loader is not that of the plug-in. */
    static void called(Object plugin, String line) {
        if (Thread.currentThread().getContextClassLoader() != plugin.getClass().getClassLoader()) {
            say("WRONG LOADER in " + line);
        }
        say(line);
    }
}
