//! The keys of a worker for Java plug-ins.

use volley_api::{ConfigDef, ConfigKey, ConfigType, Importance, Validator};

use crate::connector_config::java_heap_size;

use ConfigType::{List, String as Text};
use Importance::{Low, Medium};

/// `def` with the keys for Java plug-ins.
pub(super) fn java_keys(def: ConfigDef) -> ConfigDef {
    def.key(ConfigKey::optional(
        "plugin.path",
        List,
        Low,
        "Locations of Java plug-ins, comma separated: directories that have plug-ins, each a directory of jars or one jar. They are \
         looked for only when a class is named that the worker itself does not have, and when plug-ins are listed.",
    ))
    .key(
        ConfigKey::with_default(
            "plugin.discovery",
            Text,
            "hybrid_warn",
            Low,
            "How Java plug-ins are found: only_scan, by reflection; service_load, by their service files, which is faster; \
             hybrid_warn, by both, with a warning for those without service files; hybrid_fail, by both, where those are an error.",
        )
        .validated(Validator::one_of_ignore_case(["ONLY_SCAN", "SERVICE_LOAD", "HYBRID_WARN", "HYBRID_FAIL"])),
    )
    .key(
        ConfigKey::with_default(
            "volley.java",
            Text,
            "auto",
            Medium,
            "Which plug-ins run in Java: auto, those that the worker itself does not have; always, all that plugin.path has; \
             never, none, so that no Java process is started.",
        )
        .validated(Validator::one_of(["auto", "always", "never"])),
    )
    .key(ConfigKey::optional(
        "volley.java.home",
        Text,
        Medium,
        "Directory of the Java installation, 17 or newer; default: that of JAVA_HOME, or java of PATH.",
    ))
    .key(ConfigKey::optional(
        "volley.java.host.dir",
        Text,
        Low,
        "Directory of the jars that run Java plug-ins; default: ../lib/volley-java beside the binary.",
    ))
    .key(
        ConfigKey::with_default(
            "volley.java.heap",
            Text,
            "512m",
            Medium,
            "Heap of a Java process, of which each connector with Java plug-ins has one. A connector may set it for itself.",
        )
        .validated(java_heap_size()),
    )
    .key(ConfigKey::optional(
        "volley.java.options",
        Text,
        Low,
        "Further options of Java for all its processes, separated by spaces. Connectors cannot set them.",
    ))
}
