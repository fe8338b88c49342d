//! The user's names of keys, in messages that were written for ours.

use volley_api::{ConfigIssue, Error};

/// Pairs of a key of `ObjectStoreSink` and the key of a Java class that it is translated from. Keys of the same name are left out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyNames(pub(crate) &'static [(&'static str, &'static str)]);

impl KeyNames {
    /// The user's name of a key of ours.
    pub(crate) fn of<'k>(&self, key: &'k str) -> &'k str {
        self.0.iter().find(|(ours, _)| *ours == key).map_or(key, |(_, theirs)| theirs)
    }

    /// The text with the user's names for ours.
    pub(crate) fn in_text(&self, text: &str) -> String {
        let is_of_key = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
        let mut renamed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(is_of_key) {
            let word = &rest[start..];
            let word = &word[..word.find(|letter| !is_of_key(letter)).unwrap_or(word.len())];
            let key = word.trim_end_matches('.');
            renamed.push_str(&rest[..start]);
            renamed.push_str(self.of(key));
            rest = &rest[start + key.len()..];
            // the dots behind it, which begin no key
            let dots = word.len() - key.len();
            renamed.push_str(&rest[..dots]);
            rest = &rest[dots..];
        }
        renamed.push_str(rest);
        renamed
    }

    /// The issue about the user's key, in the user's names.
    pub(crate) fn in_issue(&self, issue: &ConfigIssue) -> ConfigIssue {
        ConfigIssue::new(self.of(&issue.key), self.in_text(&issue.message))
    }

    /// The error in the user's names. It keeps its kind; its class is that of the kind.
    pub(crate) fn in_error(&self, error: Error) -> Error {
        let message = error.to_string();
        let renamed = self.in_text(&message);
        if renamed == message {
            return error;
        }
        let same = Error::new(error.kind(), renamed);
        match std::error::Error::source(&error) {
            Some(source) => same.with_source(source.to_string()),
            None => same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: KeyNames = KeyNames(&[("store.url", "s3.bucket.name"), ("store.s3.endpoint", "store.url")]);

    #[test]
    fn each_of_our_keys_is_renamed_once_and_nothing_else() {
        let cases = [
            ("set `store.s3.endpoint` or `store.url`.", "set `store.url` or `s3.bucket.name`."),
            ("store.url", "s3.bucket.name"),
            ("a store.url...", "a s3.bucket.name..."),
            ("store.url.x my-store.url xstore.url", "store.url.x my-store.url xstore.url"),
            ("ä `store.url` ö … . ..", "ä `s3.bucket.name` ö … . .."),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(NAMES.in_text(text), expected);
        }
    }

    #[test]
    fn an_error_keeps_its_kind_and_its_cause() {
        let error = NAMES.in_error(Error::retriable("`store.url` is away").with_source("the cable"));
        assert!(error.is_retriable());
        assert_eq!(format!("{error:#}"), "`s3.bucket.name` is away: the cable");
    }
}
