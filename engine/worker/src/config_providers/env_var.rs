//! Values from the worker's environment.

use volley_api::{ConfigMap, ConfigProvider, Error, Result};
use volley_java_regex::JavaRegex;

/// Takes the key as the name of an environment variable.
#[derive(Debug, Default)]
pub struct EnvVarConfigProvider {
    allowlist: Option<JavaRegex>,
}

impl ConfigProvider for EnvVarConfigProvider {
    fn configure(&mut self, params: &ConfigMap) -> Result<()> {
        let Some(pattern) = params.get("allowlist.pattern") else { return Ok(()) };
        let regex = JavaRegex::compile(pattern).map_err(|error| {
            Error::config(format!("could not parse `allowlist.pattern` `{pattern}` as a regular expression"))
                .with_source(error)
        })?;
        self.allowlist = Some(regex);
        Ok(())
    }

    fn get(&self, path: &str, key: &str) -> Result<Option<String>> {
        if !path.is_empty() {
            return Err(Error::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        let is_allowed = self.allowlist.as_ref().is_none_or(|allowlist| allowlist.matches(key).unwrap_or(false));
        Ok(std::env::var_os(key).filter(|_| is_allowed).map(|value| value.to_string_lossy().into_owned()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_variables_are_seen() {
        let mut provider = EnvVarConfigProvider::default();
        assert_eq!(provider.get("", "PATH").unwrap(), std::env::var("PATH").ok());
        assert!(provider.get("/some/path", "PATH").is_err());
        provider.configure(&ConfigMap::from_iter([("allowlist.pattern".to_owned(), "PAT".to_owned())])).unwrap();
        assert_eq!(provider.get("", "PATH").unwrap(), None);
    }
}
