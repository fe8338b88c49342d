//! Values from property files.

use std::collections::BTreeSet;
use std::path::Path;

use volley_api::{ConfigData, ConfigMap, ConfigProvider, Error, Result};
use volley_java::read_properties;

use super::allowed_paths::AllowedPaths;

/// Takes the path as that of a Java property file. Reads it at every call, so that a changed secret is seen.
#[derive(Debug)]
pub struct FileConfigProvider {
    allowed: AllowedPaths,
}

impl FileConfigProvider {
    /// From its parameters.
    ///
    /// # Errors
    /// If a path of `allowed.paths` is not absolute or does not exist.
    pub fn new(params: &ConfigMap) -> Result<Self> {
        Ok(Self { allowed: AllowedPaths::from_params(params)? })
    }
}

impl ConfigProvider for FileConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<ConfigData> {
        if path.is_empty() {
            let key = keys.first().copied().unwrap_or_default();
            return Err(Error::config(format!(
                "Could not find key `{key}` without a file: name one, as in ${{provider:/path/to/file:key}}"
            )));
        }
        self.allowed.check(Path::new(path))?;
        let properties = read_properties(Path::new(path))?;
        ConfigData::of_each(keys, |key| {
            let value = properties.get(key).cloned();
            value.ok_or_else(|| Error::config(format!("Could not find key `{key}` in file {path}")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(provider: &FileConfigProvider, path: &str, key: &str) -> std::result::Result<String, String> {
        let data = provider.get(path, &BTreeSet::from([key])).map_err(|error| error.to_string())?;
        Ok(data.values[key].clone())
    }

    #[test]
    fn only_allowed_paths_are_read_also_through_links() {
        let (allowed, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for directory in [&allowed, &other] {
            std::fs::write(directory.path().join("f"), "k=v").unwrap();
        }
        std::os::unix::fs::symlink(other.path().join("f"), allowed.path().join("link")).unwrap();
        let params = ConfigMap::from_iter([("allowed.paths".to_owned(), allowed.path().display().to_string())]);
        let provider = FileConfigProvider::new(&params).unwrap();

        let get = |path: std::path::PathBuf| read(&provider, &path.display().to_string(), "k");
        assert_eq!(get(allowed.path().join("f")), Ok("v".into()));
        let outside = allowed.path().join("..").join(other.path().file_name().unwrap());
        for path in [other.path().join("f"), allowed.path().join("link"), outside.join("f"), outside.join("nofile")] {
            let error = get(path.clone()).unwrap_err();
            assert!(error.contains("allowed.paths") && error.contains(&path.display().to_string()), "{error}");
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("f");
        std::fs::write(&file, "k=v\nempty=\n").unwrap();
        let params = ConfigMap::from_iter([("allowed.paths".to_owned(), directory.path().display().to_string())]);
        let provider = FileConfigProvider::new(&params).unwrap();
        let file = file.display().to_string();
        let get = |path: &str, key: &str| read(&provider, path, key);
        assert_eq!(get(&file, "empty"), Ok(String::new()));
        assert_eq!(get(&file, "x"), Err(format!("Could not find key `x` in file {file}")));
        for path in
            [format!("{file}-not-there"), format!("{file}/below/a/file"), directory.path().display().to_string()]
        {
            assert_eq!(get(&path, "k"), Err(format!("Could not read properties from file {path}")));
        }
        assert!(get("", "k").unwrap_err().contains("${provider:/path/to/file:key}"));
    }

    #[test]
    fn allowed_paths_must_be_absolute_and_exist() {
        for path in ["relative", "/does/not/exist"] {
            let params = ConfigMap::from_iter([("allowed.paths".to_owned(), path.to_owned())]);
            assert!(FileConfigProvider::new(&params).is_err());
        }
    }
}
