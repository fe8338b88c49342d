//! Hides secrets in configurations that are shown, and restores them in configurations that are sent back.

use volley_api::{ConfigDef, ConfigMap, ConfigType, PluginKind};

use crate::config_transformer::has_variable;
use crate::error::{HerderError, HerderResult};
use crate::plugins::Plugins;
use crate::secret_names::is_named_like_a_secret;

/// The text that replaces a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// Maximum number of dots in the alias of a transformation or predicate. The rest of a long key is not searched.
const MAX_DOTS: usize = 16;

/// Maximum number of keys that an error names.
const MAX_NAMED: usize = 10;

/// The configuration with its secrets hidden, unless they refer to a config provider.
pub(crate) fn mask_secrets(config: &ConfigMap, plugins: &Plugins) -> ConfigMap {
    let plugins = plugins.of_connector(config);
    let secrets = SecretKeys::of(config, &plugins);
    let mut masked = config.clone();
    for (key, value) in &mut masked {
        if !has_variable(value) && secrets.has(key) {
            HIDDEN.clone_into(value);
        }
    }
    masked
}

/// Whether any value of a configuration is the hidden text.
pub(crate) fn has_hidden(config: &ConfigMap) -> bool {
    config.values().any(|value| is_hidden(value))
}

/// Replaces `[hidden]` by the stored value, so that sending back a shown configuration changes nothing. Another worker
/// that knows other classes may have hidden the value.
///
/// # Errors
/// `BadRequest`, naming the keys that have no stored secret, since `[hidden]` cannot be a password. The same holds for
/// a key that is no secret any more, since its value would be shown from then on.
pub(crate) fn restore_secrets(
    given: &mut ConfigMap,
    stored: Option<&ConfigMap>,
    plugins: &Plugins,
) -> HerderResult<()> {
    let (mut restored, mut refused) = (ConfigMap::new(), Vec::new());
    let (plugins, plugins_before) = (plugins.of_connector(given), stored.map(|stored| plugins.of_connector(stored)));
    let secrets = SecretKeys::of(given, &plugins);
    let before = stored.zip(plugins_before.as_ref()).map(|(stored, plugins)| SecretKeys::of(stored, plugins));
    for key in given.iter().filter(|(_, value)| is_hidden(value)).map(|(key, _)| key) {
        let is_secret = secrets.has(key);
        let would_be_shown = !is_secret && before.as_ref().is_some_and(|before| before.has(key));
        match stored.and_then(|stored| stored.get(key)) {
            Some(value) if would_be_shown && !has_variable(value) && !is_hidden(value) => {
                refused.push(format!("`{key}`"))
            }
            Some(value) => drop(restored.insert(key.clone(), value.clone())),
            None if is_secret => refused.push(format!("`{key}`")),
            None => {}
        }
    }
    given.extend(restored);
    if refused.is_empty() {
        return Ok(());
    }
    refused.truncate(MAX_NAMED);
    Err(HerderError::BadRequest(format!(
        "could not take `{HIDDEN}` as the value of {}: it is what is shown for a secret, and none is stored that it could \
         stand for; give the value itself, or a variable of a config provider",
        refused.join(", ")
    )))
}

fn is_hidden(value: &str) -> bool {
    value.trim() == HIDDEN
}

/// Finds the keys of a configuration that hold secrets: those that its classes define, and, if no class of this worker
/// knows the key, those with the name of a secret.
struct SecretKeys<'a> {
    config: &'a ConfigMap,
    plugins: &'a Plugins,
    connector: Option<&'a ConfigDef>,
}

impl<'a> SecretKeys<'a> {
    fn of(config: &'a ConfigMap, plugins: &'a Plugins) -> Self {
        let class = config.get("connector.class").map(|class| class.trim());
        let plugin = class.and_then(|class| plugins.find_known(PluginKind::Source, class));
        Self { config, plugins, connector: plugin.map(|plugin| &plugin.config_def) }
    }

    fn has(&self, key: &str) -> bool {
        for client in ["producer.override.", "consumer.override.", "admin.override."] {
            if let Some(key) = key.strip_prefix(client) {
                return is_named_like_a_secret(key);
            }
        }
        for (converter, kind) in [
            ("key.converter", PluginKind::Converter),
            ("value.converter", PluginKind::Converter),
            ("header.converter", PluginKind::HeaderConverter),
        ] {
            if let Some(key) = key.strip_prefix(converter).and_then(|rest| rest.strip_prefix('.')) {
                return self.is_password_of(converter, kind, key).unwrap_or_else(|| is_named_like_a_secret(key));
            }
        }
        for (chain, kind) in [("transforms.", PluginKind::Transformation), ("predicates.", PluginKind::Predicate)] {
            if let Some(rest) = key.strip_prefix(chain) {
                return self.has_in_chain(chain, kind, rest);
            }
        }
        is_password(self.connector, key).unwrap_or_else(|| is_named_like_a_secret(key))
    }

    /// `key` is the part after `transforms.`. The configured classes tell which dot ends the alias.
    fn has_in_chain(&self, chain: &str, kind: PluginKind, key: &str) -> bool {
        let mut is_known = false;
        for (dot, _) in key.match_indices('.').take(MAX_DOTS) {
            match self.is_password_of(&format!("{chain}{}.type", &key[..dot]), kind, &key[dot + 1..]) {
                Some(true) => return true,
                Some(false) => is_known = true,
                None => {}
            }
        }
        !is_known && is_named_like_a_secret(key)
    }

    fn is_password_of(&self, class_key: &str, kind: PluginKind, key: &str) -> Option<bool> {
        let class = self.config.get(class_key)?.trim();
        is_password(self.plugins.find_known(kind, class).map(|plugin| &plugin.config_def), key)
    }
}

/// `None` if `def` does not define the key.
fn is_password(def: Option<&ConfigDef>, key: &str) -> Option<bool> {
    def?.find(key).map(|key| key.config_type == ConfigType::Password)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use volley_api::testing::config_map;

    use super::*;
    use crate::testing::fake_plugins;

    const UNKNOWN: &str = "io.debezium.connector.mysql.MySqlConnector";

    fn plugins() -> Plugins {
        Plugins::new(fake_plugins())
    }

    fn masked(entries: &[(&str, &str)]) -> ConfigMap {
        mask_secrets(&config_map(entries), &plugins())
    }

    fn restored(given: &[(&str, &str)], stored: Option<&[(&str, &str)]>) -> Result<ConfigMap, String> {
        let mut given = config_map(given);
        let stored = stored.map(config_map);
        restore_secrets(&mut given, stored.as_ref(), &plugins()).map_err(|error| error.to_string())?;
        Ok(given)
    }

    #[test]
    fn secrets_of_classes_that_are_not_here_are_hidden_by_their_names() {
        for key in [
            "database.password",
            "transforms.t.password",
            "transforms.my.own.token",
            "predicates.p.secret",
            "value.converter.basic.auth.user.info",
            "consumer.override.sasl.jaas.config",
        ] {
            assert_eq!(masked(&[("connector.class", UNKNOWN), (key, "hunter2")])[key], HIDDEN, "{key}");
        }
        for key in [
            "database.hostname",
            "transforms.t.type",
            "tasks.max",
            "size",
            "s3.credentials.provider.class",
            "value.converter.basic.auth.credentials.source",
            "consumer.override.sasl.oauthbearer.client.credentials.client.id",
        ] {
            assert_eq!(masked(&[("connector.class", UNKNOWN), (key, "x")])[key], "x", "{key}");
        }
    }

    #[test]
    fn what_a_class_says_of_its_key_counts_whatever_its_name() {
        let shown = masked(&[("connector.class", "FakeSource"), ("password", "x"), ("size", "1"), ("gate", "y")]);
        assert_eq!(
            shown,
            config_map(&[("connector.class", "FakeSource"), ("password", HIDDEN), ("size", "1"), ("gate", "y")])
        );
        let chain = [("transforms", "a.b"), ("transforms.a.b.type", "Fake"), ("transforms.a.b.query", "SELECT secret")];
        assert_eq!(masked(&chain), config_map(&chain));
    }

    #[test]
    fn what_is_sent_back_keeps_its_secret_if_old_or_new_class_knows_it() {
        let stored = [("connector.class", "FakeSource"), ("password", "hunter2")];
        for class in ["FakeSource", "FakeSink", UNKNOWN] {
            let back = restored(&[("connector.class", class), ("password", HIDDEN)], Some(&stored)).unwrap();
            assert_eq!(back["password"], "hunter2", "{class}");
        }
        let unknown = [("connector.class", UNKNOWN), ("database.password", "hunter2")];
        let back = restored(&[("connector.class", UNKNOWN), ("database.password", " [hidden] ")], Some(&unknown));
        assert_eq!(back.unwrap()["database.password"], "hunter2");
    }

    #[test]
    fn the_word_for_a_secret_is_refused_where_there_is_none() {
        let given = [("connector.class", "FakeSource"), ("password", HIDDEN)];
        let without = [("connector.class", "FakeSource")];
        for stored in [None, Some(&without[..])] {
            let error = restored(&given, stored).unwrap_err();
            assert!(error.contains("`password`") && error.contains("give the value itself"), "{error}");
        }
        assert_eq!(restored(&[("size", HIDDEN)], None).unwrap()["size"], HIDDEN);
    }

    #[test]
    fn what_another_worker_has_hidden_is_what_was_stored() {
        // A plug-in of another worker may define the key as a secret, and a plug-in that does not know it may have
        // stored the word.
        for (key, value) in [("credentials.source", "USER_INFO"), ("password", HIDDEN)] {
            let back = restored(&[(key, HIDDEN)], Some(&[("connector.class", UNKNOWN), (key, value)])).unwrap();
            assert_eq!(back[key], value, "{key}");
        }
    }

    #[test]
    fn a_secret_is_not_put_where_it_would_be_shown() {
        // Without its class the key does not count as a secret.
        let key = "transforms.t.where";
        let plugins = Plugins::new(
            fake_plugins()
                .into_iter()
                .map(|mut plugin| {
                    if plugin.class == "org.example.Fake" {
                        let secret = volley_api::ConfigKey::optional(
                            "where",
                            ConfigType::Password,
                            volley_api::Importance::Low,
                            "For tests.",
                        );
                        plugin.config_def = ConfigDef::new().key(secret);
                    }
                    plugin
                })
                .collect(),
        );
        let stored = config_map(&[("transforms.t.type", "Fake"), (key, "hunter2")]);
        assert_eq!(mask_secrets(&stored, &plugins)[key], HIDDEN);
        let mut given = config_map(&[("transforms.t.type", "Other"), (key, HIDDEN)]);
        let error = restore_secrets(&mut given, Some(&stored), &plugins).unwrap_err();
        assert!(error.to_string().contains(key), "{error}");
        assert_eq!(given[key], HIDDEN);
    }

    proptest! {
        #[test]
        fn what_is_shown_can_be_sent_back(
            entries in proptest::collection::btree_map("[a-z.]{1,12}|password|x.secret|transforms.a.token", "[a-z ]{0,8}", 0..8),
            class in prop_oneof![Just("FakeSource"), Just(UNKNOWN), Just("")],
        ) {
            let mut stored: ConfigMap = entries.into_iter().collect();
            stored.insert("connector.class".into(), class.into());
            let mut given = mask_secrets(&stored, &plugins());
            restore_secrets(&mut given, Some(&stored), &plugins()).unwrap();
            prop_assert_eq!(given, stored);
        }
    }
}
