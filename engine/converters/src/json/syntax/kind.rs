//! The kind of a JSON value, determined by its first byte.

/// The kind of a JSON value that is not null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    Text,
    /// `true`, `false`
    Boolean,
    /// Digits
    Number,
}

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Object, Self::Array, Self::Text, Self::Boolean, Self::Number];

    /// The kind of `json`; `None` for null, and if it is not JSON.
    #[inline]
    pub(crate) fn of(json: &[u8]) -> Option<Self> {
        match json {
            [b'{', ..] => Some(Self::Object),
            [b'[', ..] => Some(Self::Array),
            [b'"', ..] => Some(Self::Text),
            [b't' | b'f', ..] => Some(Self::Boolean),
            [b'-' | b'0'..=b'9', ..] => Some(Self::Number),
            [b' ' | b'\t' | b'\n' | b'\r', rest @ ..] => Self::of(rest),
            _ => None,
        }
    }
}
