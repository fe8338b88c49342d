//! Values from the files of a directory, as Kubernetes mounts secrets.

use std::io::ErrorKind;
use std::path::Path;

use volley_api::{ConfigMap, ConfigProvider, Error, Result};

use super::allowed_paths::AllowedPaths;

/// Takes the path as that of a directory, and the key as the name of a regular file in it whose whole content, untrimmed,
/// is the value.
#[derive(Debug, Default)]
pub struct DirectoryConfigProvider {
    allowed: AllowedPaths,
}

impl ConfigProvider for DirectoryConfigProvider {
    fn configure(&mut self, params: &ConfigMap) -> Result<()> {
        self.allowed = AllowedPaths::from_params(params)?;
        Ok(())
    }

    fn get(&self, path: &str, key: &str) -> Result<Option<String>> {
        if path.is_empty() || key.is_empty() || key.contains('/') || !self.allowed.allows(path) {
            return Ok(None);
        }
        let directory = Path::new(path);
        if !directory.is_dir() {
            return Err(Error::config(format!("Could not list directory {path}: it is not a directory")));
        }
        let file = directory.join(key);
        if !file.is_file() || !self.allowed.allows(&file.display().to_string()) {
            return Ok(None);
        }
        match std::fs::read_to_string(&file) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(Error::config(format!("Could not read file {} for property {key}", file.display()))
                    .with_source(error))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_value_with_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "hunter2\n").unwrap();
        let provider = DirectoryConfigProvider::default();
        let path = directory.path().display().to_string();
        assert_eq!(provider.get(&path, "password").unwrap(), Some("hunter2\n".into()));
        assert_eq!(provider.get(&path, "other").unwrap(), None);
        assert_eq!(provider.get(&path, "../password").unwrap(), None);
        assert!(provider.get(&format!("{path}/gone"), "password").is_err());
    }
}
