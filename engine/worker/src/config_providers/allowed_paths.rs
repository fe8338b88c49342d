//! Which paths a provider may read.

use std::path::{Path, PathBuf};

use tracing::warn;
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

    /// Whether `path` may be read; a refusal is logged.
    pub(super) fn allows(&self, path: &str) -> bool {
        let Some(allowed) = &self.0 else { return true };
        let allows =
            Path::new(path).canonicalize().is_ok_and(|path| allowed.iter().any(|allowed| path.starts_with(allowed)));
        if !allows {
            warn!(path, "config provider may not read this path: it is not under one of its allowed.paths");
        }
        allows
    }
}
