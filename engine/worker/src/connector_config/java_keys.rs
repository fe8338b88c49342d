//! The keys of a connector for Java, and what their values may be.

use volley_api::{ConfigDef, ConfigKey, ConfigType, ConfigValue, Importance, Validator, Width};

/// Which plug-ins of the connector run in Java.
pub(crate) const JAVA: &str = "volley.java";
/// How much memory a Java process may have for objects.
pub(crate) const JAVA_HEAP: &str = "volley.java.heap";
/// Which Java process the connector runs in.
pub(crate) const JAVA_PROCESS: &str = "volley.java.process";
/// Begins the value of [`JAVA_PROCESS`] that names a group.
pub(crate) const JAVA_GROUP: &str = "group:";

/// `def` with a connector's keys for Java, which come after `order` others of their group.
pub(super) fn java_keys(def: ConfigDef, order: i32) -> ConfigDef {
    use ConfigType::String as Text;
    use Importance::Low;
    def.key(
        ConfigKey::optional(
            JAVA,
            Text,
            Low,
            "Which plug-ins of the connector run in Java: auto, those that the worker itself does not have; always, all that \
             plugin.path has; never, none. Default: the worker's. A worker that runs nothing in Java takes no always.",
        )
        .validated(Validator::one_of(["auto", "always", "never"]))
        .grouped("Volley", order + 1, Width::Short, "Java"),
    )
    .key(
        ConfigKey::optional(
            JAVA_HEAP,
            Text,
            Low,
            "Heap of the Java process in which the connector runs if it is a Java plug-in, such as 512m; default: the worker's. \
             The process of a group starts with the largest heap of its connectors.",
        )
        .validated(java_heap_size())
        .grouped("Volley", order + 2, Width::Short, "Java heap"),
    )
    .key(
        ConfigKey::with_default(
            JAVA_PROCESS,
            Text,
            "connector",
            Low,
            "Which Java process a connector in Java runs in: connector, one of its own; group:NAME, one that it shares with all \
             connectors on its worker that name this group, which saves memory where many are small, but fails all of them with one.",
        )
        .validated(java_process())
        .grouped("Volley", order + 3, Width::Medium, "Java process"),
    )
}

/// A size as Java's `-Xmx` takes it: a number, and `k`, `m` or `g`, in either case.
pub(crate) fn java_heap_size() -> Validator {
    Validator::custom(|value| match value {
        ConfigValue::String(text) if !is_size(text) => {
            Err("it has to be a number above 0 and one of the letters k, m and g, such as 512m".to_owned())
        }
        _ => Ok(()),
    })
}

fn is_size(text: &str) -> bool {
    let number = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']);
    number.is_some_and(|number| number.parse::<u32>().is_ok_and(|number| number > 0))
}

fn java_process() -> Validator {
    Validator::custom(|value| match value {
        ConfigValue::String(text) if !is_process(text) => {
            Err("it has to be connector, or group: and a name, such as group:small".to_owned())
        }
        _ => Ok(()),
    })
}

fn is_process(text: &str) -> bool {
    let is_name = |name: &str| !name.trim().is_empty() && !name.contains(char::is_control);
    text == "connector" || text.strip_prefix(JAVA_GROUP).is_some_and(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_is_a_number_and_a_letter() {
        assert!(["512m", "1G", "65536k"].into_iter().all(is_size));
        assert!(
            ["", "m", "512", "0m", "-1m", "1t", "1m -XX:OnOutOfMemoryError=x", "+1m m"]
                .into_iter()
                .all(|size| !is_size(size))
        );
    }

    #[test]
    fn a_process_is_the_connector_s_own_or_a_named_group_s() {
        assert!(["connector", "group:a", "group:small ones"].into_iter().all(is_process));
        assert!(
            ["", "own", "group", "group:", "group: ", "group:a\nb"].into_iter().all(|process| !is_process(process))
        );
    }
}
