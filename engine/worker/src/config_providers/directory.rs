//! Values from the files of a directory, as Kubernetes mounts secrets.

use std::collections::BTreeSet;
use std::path::Path;

use volley_api::{ConfigData, ConfigMap, ConfigProvider, Error, Result};

use super::allowed_paths::AllowedPaths;

/// Takes the path as that of a directory, and the key as the name of a regular file in it whose whole content, untrimmed,
/// is the value.
#[derive(Debug)]
pub struct DirectoryConfigProvider {
    allowed: AllowedPaths,
}

impl DirectoryConfigProvider {
    /// From its parameters.
    ///
    /// # Errors
    /// If a path of `allowed.paths` is not absolute or does not exist.
    pub fn new(params: &ConfigMap) -> Result<Self> {
        Ok(Self { allowed: AllowedPaths::from_params(params)? })
    }

    fn read(&self, path: &str, key: &str) -> Result<String> {
        if path.is_empty() {
            return Err(Error::config(format!(
                "Could not find file `{key}` without a directory: name one, as in ${{provider:/path/to/directory:file-name}}"
            )));
        }
        let directory = Path::new(path);
        self.allowed.check(directory)?;
        if !directory.is_dir() {
            return Err(Error::config(format!("Could not list directory {path}: it is not a directory")));
        }
        let file = directory.join(key);
        if key.contains('/') || !file.is_file() {
            return Err(Error::config(format!("Could not find a file named `{key}` in directory {path}")));
        }
        self.allowed.check(&file)?;
        std::fs::read_to_string(&file).map_err(|error| {
            Error::config(format!("Could not read file {} for property {key}", file.display())).with_source(error)
        })
    }
}

impl ConfigProvider for DirectoryConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
        ConfigData::of_each(keys, |key| self.read(path, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_a_value_with_its_line_end() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("password"), "hunter2\n").unwrap();
        let provider = DirectoryConfigProvider::new(&ConfigMap::new()).unwrap();
        let path = directory.path().display().to_string();
        assert_eq!(provider.read(&path, "password").unwrap(), "hunter2\n");
        for key in ["other", "../password", "", "."] {
            let error = provider.read(&path, key).unwrap_err().to_string();
            assert_eq!(error, format!("Could not find a file named `{key}` in directory {path}"));
        }
        assert!(provider.read("", "password").is_err());
        assert!(provider.read(&format!("{path}/gone"), "password").is_err());
    }

    #[test]
    fn a_link_out_of_what_is_allowed_is_not_followed() {
        let (allowed, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(other.path().join("f"), "hunter2").unwrap();
        std::os::unix::fs::symlink(other.path().join("f"), allowed.path().join("link")).unwrap();
        let params = ConfigMap::from_iter([("allowed.paths".to_owned(), allowed.path().display().to_string())]);
        let provider = DirectoryConfigProvider::new(&params).unwrap();
        for (directory, file) in [(&allowed, "link"), (&other, "f")] {
            let error = provider.read(&directory.path().display().to_string(), file).unwrap_err().to_string();
            assert!(error.contains("allowed.paths"), "{error}");
        }
    }
}
