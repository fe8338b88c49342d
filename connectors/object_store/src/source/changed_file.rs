//! The key `on.changed.file`.

/// What to do with a file that another has taken the place of since rows of it were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnChangedFile {
    /// The task fails.
    Fail,
    /// It is read again from its first row.
    Restart,
    /// It counts as the same.
    Ignore,
}

impl OnChangedFile {
    /// Their names.
    pub(super) const NAMES: [&'static str; 3] = ["fail", "restart", "ignore"];

    /// From a name that has been checked.
    pub(super) fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "restart" => Self::Restart,
            "ignore" => Self::Ignore,
            _ => Self::Fail,
        }
    }
}
