//! Values from the worker's environment.

use volley_api::{ConfigMap, ConfigProvider, Error, Result};
use volley_java::JavaRegex;

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

    fn get(&self, path: &str, key: &str) -> Result<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_variables_are_seen() {
        let mut provider = EnvVarConfigProvider::default();
        assert_eq!(provider.get("", "PATH").ok(), std::env::var("PATH").ok());
        assert!(provider.get("/some/path", "PATH").is_err());
        for key in ["VOLLEY_NO_SUCH_VARIABLE", "", "a=b"] {
            assert!(provider.get("", key).unwrap_err().to_string().contains(&format!("`{key}`")));
        }
        provider.configure(&ConfigMap::from_iter([("allowlist.pattern".to_owned(), "PAT".to_owned())])).unwrap();
        assert!(provider.get("", "PATH").unwrap_err().to_string().contains("allowlist.pattern"));
    }
}
