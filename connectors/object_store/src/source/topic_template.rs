//! The key `topic`: where the rows of a file go.

use volley_api::{Error, Result};

use super::config::TOPIC;
use crate::chain::is_legal_topic;

const PLACEHOLDER: &str = "{topic}";

/// A topic, or a text with `{topic}` in it: the directory of the topic that the sink has written the file from.
#[derive(Clone, Debug)]
pub(super) struct TopicTemplate {
    text: String,
    topics_dir: String,
}

impl TopicTemplate {
    /// Reads the key. `topics_dir`: the directory that has one for each topic.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str, topics_dir: &str) -> std::result::Result<Self, String> {
        if !is_legal_topic(&text.replace(PLACEHOLDER, "x")) {
            return Err(
                "a topic has letters, digits, `.`, `_` and `-` only; `{topic}` in it stands for the directory of \
                        the topic that the sink has written"
                    .to_owned(),
            );
        }
        Ok(Self { text: text.to_owned(), topics_dir: topics_dir.trim_matches('/').to_owned() })
    }

    /// The topic of the file at `path`.
    ///
    /// # Errors
    /// `Config` if its directory names none.
    pub(super) fn topic_of(&self, path: &str) -> Result<String> {
        if !self.text.contains(PLACEHOLDER) {
            return Ok(self.text.clone());
        }
        let below = match self.topics_dir.as_str() {
            "" => Some(path),
            topics_dir => path.strip_prefix(topics_dir).and_then(|rest| rest.strip_prefix('/')),
        };
        let topic = below.and_then(|below| below.split_once('/')).map(|(directory, _)| directory);
        let topic = topic.map(|directory| self.text.replace(PLACEHOLDER, directory));
        topic.filter(|topic| is_legal_topic(topic)).ok_or_else(|| {
            Error::config(format!(
                "`{TOPIC}` is `{}`, and the path of file `{path}` names no topic below `{}/`; correct `topics.dir`, leave the \
                 file out by `path`, or name a topic",
                self.text, self.topics_dir
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_below_topics_dir_is_the_topic() {
        let topic =
            |template: &str, dir: &str, path: &str| TopicTemplate::parse(template, dir).unwrap().topic_of(path).ok();
        assert_eq!(topic("t", "topics", "x.json").as_deref(), Some("t"));
        assert_eq!(topic("re.{topic}", "topics", "topics/a.b/partition=0/x.json").as_deref(), Some("re.a.b"));
        assert_eq!(topic("{topic}", "", "a/x.json").as_deref(), Some("a"));
        assert_eq!(topic("{topic}", "a/b/", "a/b/c/d").as_deref(), Some("c"));
        for path in ["topics/x.json", "topicsx/a/x.json", "x.json", "topics/größe/x.json"] {
            assert_eq!(topic("{topic}", "topics", path), None, "{path}");
        }
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for text in ["", "a b", "{other}", "a/{topic}"] {
            assert!(TopicTemplate::parse(text, "topics").is_err(), "{text}");
        }
    }
}
