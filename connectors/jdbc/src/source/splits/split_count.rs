//! `table.splits`: into how many ranges a table is divided.

/// Ranges that a table has at most.
pub(super) const MOST_SPLITS: usize = 64;
/// Rows of a range with `auto`.
const ROWS_OF_RANGE: u64 = 500_000;
/// With `auto`, a table with fewer rows is read as a whole.
const ROWS_OF_LARGE_TABLE: u64 = 1_000_000;

/// Into how many ranges a table is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::source) enum SplitCount {
    /// It is read as a whole.
    #[default]
    Off,
    /// By its size.
    Auto,
    /// So many, at least two.
    Fixed(usize),
}

impl SplitCount {
    /// What the text of `table.splits` says.
    ///
    /// # Errors
    /// What it may say.
    pub(in crate::source) fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            off if off.eq_ignore_ascii_case("off") => Ok(Self::Off),
            auto if auto.eq_ignore_ascii_case("auto") => Ok(Self::Auto),
            number => match number.parse() {
                Ok(1) => Ok(Self::Off),
                Ok(count @ 2..=MOST_SPLITS) => Ok(Self::Fixed(count)),
                _ => Err(format!("it must be `off`, `auto` or a number from 1 to {MOST_SPLITS}")),
            },
        }
    }

    /// Whether no table is divided.
    pub(in crate::source) fn is_off(self) -> bool {
        self == Self::Off
    }

    /// For a table with about so many rows, if that is known, and at most so many tasks; `None`: as a whole.
    pub(super) fn of_table(self, rows: Option<u64>, max_tasks: usize) -> Option<usize> {
        match self {
            Self::Off => None,
            Self::Fixed(count) => Some(count),
            Self::Auto => {
                let rows = rows.filter(|rows| *rows >= ROWS_OF_LARGE_TABLE && max_tasks > 1)?;
                let count = usize::try_from(rows / ROWS_OF_RANGE).unwrap_or(MOST_SPLITS);
                Some(count.clamp(2, MOST_SPLITS))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_large_tables_are_divided_by_their_size() {
        let auto = SplitCount::parse("auto").unwrap();
        for (rows, expected) in [
            (None, None),
            (Some(999_999), None),
            (Some(1_000_000), Some(2)),
            (Some(5_000_000), Some(10)),
            (Some(u64::MAX), Some(64)),
        ] {
            assert_eq!(auto.of_table(rows, 4), expected, "{rows:?}");
        }
        assert_eq!(auto.of_table(Some(5_000_000), 1), None);
        assert_eq!(SplitCount::parse("8").unwrap().of_table(Some(1), 1), Some(8));
        assert_eq!(SplitCount::parse("1"), Ok(SplitCount::Off));
        assert_eq!(SplitCount::parse("OFF"), Ok(SplitCount::Off));
        for wrong in ["", "0", "65", "-1", "many"] {
            assert!(SplitCount::parse(wrong).unwrap_err().contains("from 1 to 64"), "{wrong}");
        }
    }
}
