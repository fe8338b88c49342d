//! `schema.compatibility`: which versions of a schema share a file.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{Field, FieldRef};
use volley_api::schema::{NAME, VERSION, has_schema};

/// How files go with schemas that change. FULL is BACKWARD, in Java too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Compatibility {
    /// A file takes what its format takes.
    #[default]
    None,
    /// A file has the newest version that came so far; older records are projected onto it.
    Backward,
    /// A file has the oldest version that came so far; newer records are projected onto it.
    Forward,
    /// As BACKWARD.
    Full,
}

/// A record before an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meeting {
    /// Their schemas are the same, or neither has one: the format decides.
    AsItIs,
    /// The record is to have the file's schema.
    Projected,
    /// The file is completed.
    AnotherFile,
}

impl Compatibility {
    /// The names, as the key has them.
    pub(crate) const NAMES: [&'static str; 4] = ["NONE", "BACKWARD", "FORWARD", "FULL"];

    /// The one of this name, in whatever case.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::None, Self::Backward, Self::Forward, Self::Full];
        all.into_iter().find(|one| one.name().eq_ignore_ascii_case(name))
    }

    /// Whether files have one version each, so that records need one.
    pub(crate) fn needs_versions(self) -> bool {
        self != Self::None
    }

    /// How a record whose value is of `record` goes with a file of `file`.
    pub(crate) fn meeting(self, file: &FieldRef, record: &FieldRef) -> Meeting {
        if !self.needs_versions() || Arc::ptr_eq(file, record) || file == record {
            return Meeting::AsItIs;
        }
        match (has_schema(file), has_schema(record)) {
            (true, true) => {}
            (false, false) => return Meeting::AsItIs,
            _ => return Meeting::AnotherFile,
        }
        // versions of one name say nothing about those of another
        if file.metadata().get(NAME) != record.metadata().get(NAME) {
            return Meeting::AnotherFile;
        }
        let (of_file, of_record) = (version(file), version(record));
        let begins_another = match self {
            Self::None => false,
            Self::Backward | Self::Full => of_record > of_file,
            Self::Forward => of_record < of_file,
        };
        if begins_another { Meeting::AnotherFile } else { Meeting::Projected }
    }

    fn name(self) -> &'static str {
        let [none, backward, forward, full] = Self::NAMES;
        match self {
            Self::None => none,
            Self::Backward => backward,
            Self::Forward => forward,
            Self::Full => full,
        }
    }
}

impl fmt::Display for Compatibility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The version of a value's schema.
pub(crate) fn version(field: &Field) -> Option<i64> {
    field.metadata().get(VERSION)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use arrow::datatypes::DataType;
    use volley_api::schema::without_schema;

    use super::*;

    fn order(version: &str, data_type: DataType) -> FieldRef {
        let metadata = [(NAME, "Order"), (VERSION, version)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        Arc::new(Field::new("value", data_type, true).with_metadata(HashMap::from(metadata)))
    }

    #[test]
    fn the_newest_version_stays_with_backward_and_full_and_the_oldest_with_forward() {
        let (old, new) = (order("9", DataType::Int32), order("10", DataType::Int64));
        for (compatibility, of_new, of_old) in [
            (Compatibility::None, Meeting::AsItIs, Meeting::AsItIs),
            (Compatibility::Backward, Meeting::AnotherFile, Meeting::Projected),
            (Compatibility::Full, Meeting::AnotherFile, Meeting::Projected),
            (Compatibility::Forward, Meeting::Projected, Meeting::AnotherFile),
        ] {
            assert_eq!(compatibility.meeting(&old, &new), of_new, "{compatibility}");
            assert_eq!(compatibility.meeting(&new, &old), of_old, "{compatibility}");
            assert_eq!(compatibility.meeting(&new, &new), Meeting::AsItIs, "{compatibility}");
            assert_eq!(Compatibility::named(&compatibility.to_string().to_lowercase()), Some(compatibility));
        }
    }

    #[test]
    fn another_name_and_values_without_a_schema_begin_another_file() {
        let order = order("1", DataType::Int32);
        let other = Arc::new(order.as_ref().clone().with_metadata(HashMap::from([(VERSION.into(), "1".into())])));
        let bare = Arc::new(without_schema(Field::new("value", DataType::Int32, true)));
        let text = Arc::new(without_schema(Field::new("value", DataType::Utf8, true)));
        for stranger in [&other, &bare] {
            assert_eq!(Compatibility::Backward.meeting(&order, stranger), Meeting::AnotherFile);
            assert_eq!(Compatibility::Forward.meeting(stranger, &order), Meeting::AnotherFile);
        }
        assert_eq!(Compatibility::Full.meeting(&bare, &text), Meeting::AsItIs);
    }
}
