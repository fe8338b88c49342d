package org.volley.plugins;

import java.io.File;
import org.apache.kafka.connect.runtime.isolation.PluginClassLoader;

/** What the plug-ins of the tests tell the test by: lines of output. */
final class Say {
    private Say() {
    }

    static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** Says which location of the plug-in path the plug-in is from. */
    static void where(Object plugin, String what) {
        say(what + " from " + new File(((PluginClassLoader) plugin.getClass().getClassLoader()).location()).getName());
    }

    /** Says what is called, and when the thread's loader is not that of the plug-in. */
    static void called(Object plugin, String line) {
        if (Thread.currentThread().getContextClassLoader() != plugin.getClass().getClassLoader()) {
            say("WRONG LOADER in " + line);
        }
        say(line);
    }
}
