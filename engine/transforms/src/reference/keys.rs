//! The keys of each transformation, in order: names, types, defaults and importance are Java's.

use volley_api::ConfigKey;

use crate::plugins;

const PACKAGE: &str = "org.apache.kafka.connect.transforms.";

fn told(class: &str, key: &ConfigKey) -> String {
    let default = match key.default_value() {
        _ if key.is_required() => "(required)",
        None => "null",
        Some(default) => default,
    };
    format!("{class}\t{}\t{}\t{default}\t{}", key.name, key.config_type, key.importance)
}

#[test]
fn keys_are_those_of_java() {
    let java: Vec<&str> = include_str!("testdata/keys.tsv").lines().collect();
    let mut ours = Vec::new();
    for plugin in plugins() {
        let Some(name) = plugin.class.strip_prefix(PACKAGE).filter(|name| !name.starts_with("predicates.")) else {
            continue;
        };
        let keys = plugin.config_def.keys();
        let told: Vec<String> = keys.iter().map(|key| told(name, key)).collect();
        let expected: Vec<&str> = java.iter().filter(|line| line.split('\t').next() == Some(name)).copied().collect();
        assert_eq!(told, expected, "{name}");
        ours.extend(told);
    }
    assert_eq!(ours.len(), java.len());
}

#[test]
fn keys_of_other_makers_are_those_of_java() {
    let files = [include_str!("../aiven/testdata/keys.tsv"), include_str!("../jcustenborder/testdata/keys.tsv")];
    let java: Vec<&str> = files.into_iter().flat_map(str::lines).collect();
    let mut ours = 0;
    let is_of_others = |class: &str| class.starts_with("io.aiven.") || class.starts_with("com.github.jcustenborder.");
    for plugin in plugins().iter().filter(|plugin| is_of_others(&plugin.class)) {
        let name = &*plugin.class;
        let told: Vec<String> = plugin.config_def.keys().iter().map(|key| told(name, key)).collect();
        let expected: Vec<&str> = java.iter().filter(|line| line.split('\t').next() == Some(name)).copied().collect();
        assert_eq!(told, expected, "{name}");
        ours += told.len();
    }
    assert_eq!(ours, java.len());
}
