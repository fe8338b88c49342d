//! A config provider that answers with what it is asked for.

use std::collections::BTreeSet;

use volley_api::testing::config_map;
use volley_api::{ConfigData, ConfigDef, ConfigProvider, Plugin, PluginFactory, Result};

use super::Gate;
use crate::config_transformer::ConfigTransformer;
use crate::plugins::Plugins;

/// `${fake:value}` is `value`, and `${fake:gate:value}` is that too, once the gate is open.
struct FakeConfigProvider;

impl ConfigProvider for FakeConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
        if !path.is_empty() {
            Gate::named(path).pass();
        }
        ConfigData::of_each(keys, |key| Ok(key.to_owned()))
    }
}

/// Variables of the provider `fake`.
pub(crate) fn fake_transformer() -> ConfigTransformer {
    let plugin = Plugin::new(
        "org.example.FakeConfigProvider",
        "1.0",
        "For tests.",
        ConfigDef::new(),
        PluginFactory::config_provider(|_| Ok(FakeConfigProvider)),
    );
    let worker = config_map(&[("config.providers", "fake"), ("config.providers.fake.class", "FakeConfigProvider")]);
    ConfigTransformer::new(&worker, &Plugins::new(vec![plugin])).expect("a known provider")
}
