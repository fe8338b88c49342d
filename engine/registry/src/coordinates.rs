//! Where Apicurio's registry keeps a schema.

use std::fmt;

/// The group of artifacts that are in none.
const NO_GROUP: &str = "default";

/// An artifact, and which version of it; `Display` gives it as the subject of a schema: `group/artifact` or
/// `group/artifact@version`, with each part as it stands in a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Coordinates {
    pub(crate) group: String,
    pub(crate) artifact: String,
    /// `None`: the newest, or a new one.
    pub(crate) version: Option<String>,
}

impl Coordinates {
    /// The newest version of an artifact; in no group if that is `None` or empty.
    pub(crate) fn new(group: Option<&str>, artifact: &str) -> Self {
        let group = group.filter(|group| !group.is_empty()).unwrap_or(NO_GROUP);
        Self { group: group.to_owned(), artifact: artifact.to_owned(), version: None }
    }

    /// Reads what `Display` gives. A text without a slash is an artifact in no group.
    pub(crate) fn parse(subject: &str) -> Self {
        let (group, rest) = subject.split_once('/').unwrap_or((NO_GROUP, subject));
        let (artifact, version) = rest.split_once('@').map_or((rest, None), |(one, version)| (one, Some(version)));
        Self { group: decoded(group), artifact: decoded(artifact), version: version.map(decoded) }
    }
}

impl fmt::Display for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", encoded(&self.group), encoded(&self.artifact))?;
        self.version.as_deref().map_or(Ok(()), |version| write!(f, "@{}", encoded(version)))
    }
}

/// A text as one step of a path.
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Undoes percent encoding; what is not encoded well stays as it is.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_subject_names_group_artifact_and_version() {
        let mut coordinates = Coordinates::new(Some("shop"), "a/b@c");
        assert_eq!(coordinates.to_string(), "shop/a%2Fb%40c");
        coordinates.version = Some("1.0".to_owned());
        assert_eq!(coordinates.to_string(), "shop/a%2Fb%40c@1.0");
        assert_eq!(Coordinates::new(None, "t-value").to_string(), "default/t-value");
        assert_eq!(Coordinates::parse("t-value"), Coordinates::new(Some(""), "t-value"));
    }

    proptest! {
        #[test]
        fn every_subject_is_read_as_it_was_written(group in ".{1,9}", artifact in ".{0,9}", version in proptest::option::of(".{0,9}")) {
            let coordinates = Coordinates { version, ..Coordinates::new(Some(&group), &artifact) };
            prop_assert_eq!(Coordinates::parse(&coordinates.to_string()), coordinates);
        }
    }
}
