//! Values from the worker's environment.

use std::collections::BTreeSet;

use volley_api::{ConfigData, ConfigMap, ConfigProvider, Error, Result};
use volley_java::JavaRegex;

/// Takes the key as the name of an environment variable.
#[derive(Debug)]
pub struct EnvVarConfigProvider {
    allowlist: Option<JavaRegex>,
}

impl EnvVarConfigProvider {
    /// From its parameters.
    ///
    /// # Errors
    /// If `allowlist.pattern` is no regular expression.
    pub fn new(params: &ConfigMap) -> Result<Self> {
        let Some(pattern) = params.get("allowlist.pattern") else { return Ok(Self { allowlist: None }) };
        let regex = JavaRegex::compile(pattern).map_err(|error| {
            Error::config(format!("could not parse `allowlist.pattern` `{pattern}` as a regular expression"))
                .with_source(error)
        })?;
        Ok(Self { allowlist: Some(regex) })
    }

    fn read(&self, path: &str, key: &str) -> Result<String> {
        if !path.is_empty() {
            return Err(Error::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        let is_allowed = self.allowlist.as_ref().is_none_or(|allowlist| allowlist.matches(key).unwrap_or(false));
        if !is_allowed {
            return Err(Error::config(format!(
                "Could not read environment variable `{key}`: the config provider may not, by its `allowlist.pattern`"
            )));
        }
        let value = std::env::var_os(key).ok_or_else(|| {
            Error::config(format!("Could not find environment variable `{key}` in the environment of the worker"))
        })?;
        Ok(value.to_string_lossy().into_owned())
    }
}

impl ConfigProvider for EnvVarConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
        ConfigData::of_each(keys, |key| self.read(path, key))
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn only_allowed_variables_are_seen() {
        let provider = EnvVarConfigProvider::new(&ConfigMap::new()).unwrap();
        assert_eq!(provider.read("", "PATH").ok(), std::env::var("PATH").ok());
        assert!(provider.read("/some/path", "PATH").is_err());
        for key in ["VOLLEY_NO_SUCH_VARIABLE", "", "a=b"] {
            assert!(provider.read("", key).unwrap_err().to_string().contains(&format!("`{key}`")));
        }
        let provider = EnvVarConfigProvider::new(&config_map(&[("allowlist.pattern", "PAT")])).unwrap();
        assert!(provider.read("", "PATH").unwrap_err().to_string().contains("allowlist.pattern"));
    }
}
