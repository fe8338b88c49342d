//! A Java config provider, as the worker's.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use volley_api::{ConfigData, ConfigMap, ConfigProvider, Error, Result};

use crate::config_json;
use crate::discovery::FoundPlugin;
use crate::runtime::JavaRuntime;

/// For the creation of a provider, and for what it reads from where it keeps its values.
const LIMIT: Duration = Duration::from_secs(30);
/// For its end.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// Numbers the providers of this process: their hosts tell them apart by it.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A provider in the process of the config providers. Where that has died, it is made again there by the next call.
pub(crate) struct JavaConfigProvider {
    java: Arc<JavaRuntime>,
    plugin: FoundPlugin,
    params: ConfigMap,
    number: u64,
    is_closed: AtomicBool,
}

impl JavaConfigProvider {
    /// Makes and configures it.
    ///
    /// # Errors
    /// Those of the provider; if there is no process for it.
    pub(crate) fn start(java: &Arc<JavaRuntime>, plugin: &FoundPlugin, params: &ConfigMap) -> Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let (java, plugin, params) = (Arc::clone(java), plugin.clone(), params.clone());
        let this = Self { java, plugin, params, number, is_closed: AtomicBool::new(false) };
        this.ask("PROVIDER_NEW", this.request())?;
        Ok(this)
    }

    fn request(&self) -> Value {
        json!({ "provider": self.number.to_string(), "class": self.plugin.class, "config": config_json::to_json(&self.params) })
    }

    fn ask(&self, call: &str, request: Value) -> Result<Value> {
        let plugins = self.java.found()?;
        self.java.config_providers().ask(call, &request, &self.plugin.location, &plugins, LIMIT)
    }
}

impl ConfigProvider for JavaConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
        if self.is_closed.load(Ordering::Acquire) {
            return Err(Error::fatal(format!(
                "config provider {} is closed, since the worker ends",
                self.plugin.class
            )));
        }
        let mut request = self.request();
        request["path"] = json!(path);
        request["keys"] = json!(keys);
        let answer = self.ask("PROVIDER_GET", request)?;
        let values = answer["values"].as_object().into_iter().flatten();
        let values = values.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        // one below 0 is none, as in Kafka Connect
        let ttl = answer["ttl_ms"].as_i64().and_then(|ttl| u64::try_from(ttl).ok()).map(Duration::from_millis);
        Ok(ConfigData { values: values.collect(), ttl })
    }

    fn close(&self) {
        if !self.is_closed.swap(true, Ordering::AcqRel) {
            let request = json!({ "provider": self.number.to_string() });
            self.java.config_providers().tell_if_running("PROVIDER_CLOSE", &request, CLOSE_LIMIT);
        }
    }
}

impl Drop for JavaConfigProvider {
    fn drop(&mut self) {
        self.close();
    }
}
