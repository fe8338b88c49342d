//! Values from property files.

use std::path::Path;

use volley_api::{ConfigMap, ConfigProvider, Result};

use super::allowed_paths::AllowedPaths;
use crate::properties::read_properties;

/// Takes the path as that of a Java property file. Reads it at every call, so that a changed secret is seen.
#[derive(Debug, Default)]
pub struct FileConfigProvider {
    allowed: AllowedPaths,
}

impl ConfigProvider for FileConfigProvider {
    fn configure(&mut self, params: &ConfigMap) -> Result<()> {
        self.allowed = AllowedPaths::from_params(params)?;
        Ok(())
    }

    fn get(&self, path: &str, key: &str) -> Result<Option<String>> {
        if path.is_empty() || !self.allowed.allows(path) {
            return Ok(None);
        }
        Ok(read_properties(Path::new(path))?.swap_remove(key))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_allowed_paths_are_read_also_through_links() {
        let (allowed, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for directory in [&allowed, &other] {
            std::fs::write(directory.path().join("f"), "k=v").unwrap();
        }
        std::os::unix::fs::symlink(other.path().join("f"), allowed.path().join("link")).unwrap();
        let mut provider = FileConfigProvider::default();
        let params = ConfigMap::from_iter([("allowed.paths".to_owned(), allowed.path().display().to_string())]);
        provider.configure(&params).unwrap();

        let get = |path: std::path::PathBuf| provider.get(&path.display().to_string(), "k").unwrap();
        assert_eq!(get(allowed.path().join("f")), Some("v".into()));
        assert_eq!(get(other.path().join("f")), None);
        assert_eq!(get(allowed.path().join("link")), None);
        assert_eq!(get(allowed.path().join("..").join(other.path().file_name().unwrap()).join("f")), None);
    }

    #[test]
    fn allowed_paths_must_be_absolute_and_exist() {
        for path in ["relative", "/does/not/exist"] {
            let params = ConfigMap::from_iter([("allowed.paths".to_owned(), path.to_owned())]);
            assert!(FileConfigProvider::default().configure(&params).is_err());
        }
    }
}
