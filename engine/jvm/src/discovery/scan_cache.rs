//! What a scan has found, in a file: with it, no JVM starts until a Java class is used.

use std::fs;
use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};
use tracing::warn;
use uuid::Uuid;

use super::FoundPlugins;

/// The file of one plug-in path.
#[derive(Clone, Debug)]
pub(crate) struct ScanCache {
    directory: PathBuf,
    file: String,
}

impl ScanCache {
    /// A file of this name in `directory`, which need not be there.
    pub(crate) fn new(directory: PathBuf, name: &str) -> Self {
        Self { directory, file: format!("scan-{name}.json") }
    }

    /// What was found when files had this fingerprint. `None` if that is not known, or the file is damaged.
    pub(crate) fn load(&self, fingerprint: &str) -> Option<FoundPlugins> {
        let bytes = fs::read(self.directory.join(&self.file)).ok()?;
        let scan: Value = serde_json::from_slice(&bytes).ok()?;
        let (plugins, count) = (scan["plugins"].as_array()?, scan["count"].as_u64()?);
        let found = FoundPlugins::from_json(&scan["plugins"]);
        let is_whole = plugins.len() == found.0.len() && plugins.len() as u64 == count;
        (scan["fingerprint"] == fingerprint && is_whole).then_some(found)
    }

    /// Keeps what was found. Where that fails, the next worker scans again.
    pub(crate) fn store(&self, fingerprint: &str, plugins: &FoundPlugins) {
        if let Err(error) = self.write(fingerprint, plugins) {
            let directory = self.directory.display();
            warn!(target: "volley_jvm", %directory, %error, "what was found on the plug-in path could not be kept");
        }
    }

    fn write(&self, fingerprint: &str, plugins: &FoundPlugins) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let scan = json!({
            "fingerprint": fingerprint, "count": plugins.0.len(), "plugins": plugins.to_json(),
        });
        // written beside it and renamed: a reader sees the old file or the new one
        let unfinished = self.directory.join(format!("{}.{}", self.file, Uuid::new_v4().simple()));
        let written = fs::write(&unfinished, scan.to_string())
            .and_then(|()| fs::rename(&unfinished, self.directory.join(&self.file)));
        if written.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        written
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_found_again_until_files_change_or_the_file_is_damaged() {
        let directory = tempfile::tempdir().unwrap();
        let cache = ScanCache::new(directory.path().join("java"), "x");
        let found = FoundPlugins::from_json(&json!([
            {"class": "a.B", "kind": "sink", "version": "1", "location": "/p", "keys": [{"name": "k"}]}
        ]));
        assert_eq!(cache.load("f"), None);
        cache.store("f", &found);
        assert_eq!(cache.load("f"), Some(found));
        assert_eq!(cache.load("g"), None);
        let file = directory.path().join("java/scan-x.json");
        let whole = fs::read(&file).unwrap();
        for cut in 0..whole.len() {
            fs::write(&file, &whole[..cut]).unwrap();
            assert_eq!(cache.load("f"), None, "{cut}");
        }
        assert_eq!(fs::read_dir(directory.path().join("java")).unwrap().count(), 1);
    }
}
