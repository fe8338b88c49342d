//! Where the chains of a partition end, in a small file beside them: so that whoever opens the partition need not list
//! every directory.
//!
//! A checkpoint is of an offset C that is about to be committed. It names the streams that the task knows, and the last file
//! of each that reaches beyond C. At that moment every file of theirs that is not complete begins at or after C. So where it
//! says that nothing reaches beyond C, there can be nothing but files that are created later, by anybody: and these begin
//! with the first row of their stream from C on, as the next file of whoever opens the partition at C does, and so have its
//! name. Of a stream that it does not name, the directory has to be listed.
//!
//! It is a hint: where it is missing or of another offset, all directories are listed when their first rows come by.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use volley_api::TopicPartition;

use super::adoption::AdoptedFile;
use super::chain_ends::ChainEnds;
use super::names::StreamKey;
use crate::format::FileIdentity;

/// Directory of the checkpoints under the store's root; readers pass over names that begin with a dot.
const DIRECTORY: &str = ".volley";

/// The ends of a partition's chains.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Checkpoint {
    /// The offset to be committed.
    pub(crate) offset: i64,
    /// Says which directory a row goes to: ends are of no use to another layout.
    pub(crate) layout: String,
    /// The streams that are known, and the last file of each that reaches beyond the offset.
    pub(crate) ends: ChainEnds,
}

impl Checkpoint {
    /// Where the checkpoint of `partition` is kept.
    pub(crate) fn path(connector: &str, partition: &TopicPartition) -> String {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let escaped = connector.bytes().map(|byte| match legal(byte) {
            true => char::from(byte).to_string(),
            false => format!("~{byte:02x}"),
        });
        format!("{DIRECTORY}/{}/{}+{}.json", escaped.collect::<String>(), partition.topic, partition.partition)
    }

    /// As JSON.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let end = |(key, file): (&StreamKey, &Option<AdoptedFile>)| {
            let mut entry = json!({ "topic": &*key.topic, "directory": &*key.directory });
            if let (Some(file), Some(fields)) = (file, entry.as_object_mut()) {
                fields.insert("path".to_owned(), Value::from(file.path.as_str()));
                fields.insert("file".to_owned(), Value::from(file.identity.to_label()));
            }
            entry
        };
        let ends: Vec<_> = self.ends.iter().map(end).collect();
        let text = json!({ "version": 1, "offset": self.offset, "layout": self.layout, "ends": ends }).to_string();
        Bytes::from(text)
    }

    /// Reads it; `None`: not a checkpoint that this version has written.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let json: Value = serde_json::from_slice(bytes).ok()?;
        if json.get("version")?.as_u64()? != 1 {
            return None;
        }
        let end = |entry: &Value| {
            let text = |name: &str| entry.get(name)?.as_str();
            let key = StreamKey { topic: Arc::from(text("topic")?), directory: Arc::from(text("directory")?) };
            let file = match text("file") {
                None => None,
                Some(label) => {
                    let identity = FileIdentity::from_label(label)?;
                    Some(AdoptedFile { path: text("path")?.to_owned(), identity })
                }
            };
            Some((key, file))
        };
        Some(Self {
            offset: json.get("offset")?.as_i64()?,
            layout: json.get("layout")?.as_str()?.to_owned(),
            ends: json.get("ends")?.as_array()?.iter().map(end).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let identity = FileIdentity {
            file_id: "f".into(),
            connector: "c".into(),
            origin: TopicPartition::new("t", 7),
            start: 10,
            end: 20,
            rows: 9,
            start_timestamp: -1,
        };
        let key = StreamKey { topic: Arc::from("t"), directory: Arc::from("city=\"Köln\"/year=2026") };
        let file = AdoptedFile { path: "topics/t/…".into(), identity };
        let other = StreamKey { topic: Arc::from("t"), directory: Arc::from("x") };
        let ends = ChainEnds::from_iter([(key, Some(file)), (other, None)]);
        let checkpoint = Checkpoint { offset: 12, layout: "l".into(), ends };
        let bytes = checkpoint.to_bytes();
        assert_eq!(Checkpoint::from_bytes(&bytes), Some(checkpoint));
        assert_eq!(Checkpoint::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Checkpoint::from_bytes(br#"{"version":2}"#), None);
    }

    #[test]
    fn connectors_do_not_share_a_path_and_none_leads_elsewhere() {
        let path = |connector: &str| Checkpoint::path(connector, &TopicPartition::new("t", 7));
        assert_eq!(path("my-sink_1"), ".volley/my-sink_1/t+7.json");
        assert_eq!(path("../a b"), ".volley/~2e~2e~2fa~20b/t+7.json");
        assert_ne!(path("a~2f"), path("a/"));
    }
}
