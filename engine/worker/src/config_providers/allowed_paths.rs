//! Which paths a provider may read.

use std::path::{Path, PathBuf};

use volley_api::{ConfigMap, Error, Result};

/// All paths, or those under given ones. Links and `..` are followed before the check.
#[derive(Debug, Default)]
pub(super) struct AllowedPaths(Option<Vec<PathBuf>>);

impl AllowedPaths {
    /// From a provider's parameter `allowed.paths`.
    ///
    /// # Errors
    /// `Config` if a path is not absolute or does not exist.
    pub(super) fn from_params(params: &ConfigMap) -> Result<Self> {
        let Some(list) = params.get("allowed.paths").filter(|list| !list.trim().is_empty()) else {
            return Ok(Self(None));
        };
        let paths = list.split(',').map(|path| {
            let path = Path::new(path.trim());
            match path.canonicalize() {
                _ if !path.is_absolute() => {
                    Err(Error::config(format!("Path {} in `allowed.paths` is not absolute", path.display())))
                }
                Ok(canonical) => Ok(canonical),
                Err(error) => {
                    let message = format!("Path {} in `allowed.paths` does not exist", path.display());
                    Err(Error::config(message).with_source(error))
                }
            }
        });
        Ok(Self(Some(paths.collect::<Result<_>>()?)))
    }

    /// Fails if `path` may not be read. One that is not there is judged by where it would be: that it is not there, whoever
    /// reads it says.
    ///
    /// # Errors
    /// `Config`
    pub(super) fn check(&self, path: &Path) -> Result<()> {
        let Some(allowed) = &self.0 else { return Ok(()) };
        let existing = path.ancestors().find_map(|ancestor| ancestor.canonicalize().ok());
        match existing.is_some_and(|path| allowed.iter().any(|allowed| path.starts_with(allowed))) {
            true => Ok(()),
            false => Err(Error::config(format!(
                "Could not read {}: the config provider may not, as it is not under one of its `allowed.paths`",
                path.display()
            ))),
        }
    }
}
