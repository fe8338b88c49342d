//! One attempt to write a result, and the files that it can be told by.

use std::sync::Arc;

use crate::chain::FileNaming;
use crate::config::SinkConfig;
use crate::format::new_file_id;
use crate::layout::PartitionerConfig;
use crate::success::SUCCESS;

/// Digits of an attempt's id.
const ID_LENGTH: usize = 32;

/// Where an attempt writes, and under which names.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Unique among all attempts.
    pub(super) id: String,
    directory: String,
    /// Begins the names of all files of the result, whoever writes them.
    stem: String,
}

impl Attempt {
    /// A new attempt to write the result `name`, and the configuration that it writes with.
    pub(super) fn new(name: &str, config: &SinkConfig) -> (Self, SinkConfig) {
        let id = new_file_id();
        let mut config = config.clone();
        if matches!(config.partitioner, PartitionerConfig::Default) {
            config.partitioner = PartitionerConfig::One;
        }
        let (mut directory, mut stem) = (name.to_owned(), format!("{name}+0+"));
        // a template is refused at validation
        if let FileNaming::Directories { topics_dir, delimiter, suffix, has_last_offset, .. } = &mut config.naming {
            if !topics_dir.is_empty() {
                directory = format!("{topics_dir}/{name}");
            }
            stem = format!("{name}{delimiter}0{delimiter}");
            *suffix = Arc::from(format!("-{id}"));
            // the numbers of rows are no offsets
            *has_last_offset = false;
        }
        (Self { id, directory, stem }, config)
    }

    /// Directory of the result.
    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    /// Path of the file that says that the result is complete.
    pub(super) fn success_path(&self) -> String {
        format!("{}/{SUCCESS}", self.directory)
    }

    /// Whether a file of the result's directory is of another attempt at the same result.
    pub(super) fn is_of_another(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let Some(rest) = name.strip_prefix(&self.stem) else { return false };
        let rest = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let id = rest.strip_prefix('-').and_then(|rest| rest.get(..ID_LENGTH));
        id.is_some_and(|id| id != self.id && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn only_files_of_other_attempts_at_the_same_result_are_told_to_be() {
        let config = SinkConfig::parse(&config_map(&[("store.url", "file:///tmp/x")])).unwrap();
        let (attempt, _) = Attempt::new("sums", &config);
        let (other, _) = Attempt::new("sums", &config);
        assert_eq!(attempt.success_path(), "topics/sums/_SUCCESS");
        let file = |attempt: &Attempt| format!("topics/sums/day=1/sums+0+0000000000-{}.parquet", attempt.id);
        assert!(attempt.is_of_another(&file(&other)) && !attempt.is_of_another(&file(&attempt)));
        for path in [
            "topics/sums/_SUCCESS",
            "topics/sums/sums+0+0000000000.parquet",
            "topics/sums/sums+1+0000000000-00000000000000000000000000000000.parquet",
            "topics/sums/mine.parquet",
            "topics/sums/sums+0+7-ä",
        ] {
            assert!(!attempt.is_of_another(path), "{path}");
        }
    }
}
