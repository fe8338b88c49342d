//! The numbers of the last rows that were delivered: `lookback.rows`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Ranges that an offset has at most. What it leaves out comes again after a restart.
const MOST_RANGES: usize = 8_192;

/// Numbers that were delivered, the last so many before the greatest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::source) struct SeenNumbers {
    /// How far it looks back.
    window: i64,
    seen: BTreeSet<i64>,
}

impl SeenNumbers {
    /// What the text of an offset says.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(window: i64, text: &str) -> Result<Self, String> {
        let mut seen = BTreeSet::new();
        for range in text.split(',').filter(|range| !range.is_empty()) {
            let (first, last) = range.split_once("..").unwrap_or((range, range));
            let number = |text: &str| text.parse::<i64>().map_err(|_| format!("`{range}` is no range of numbers"));
            let (first, last) = (number(first)?, number(last)?);
            // one that is as long was never written
            seen.extend((first..=last).rev().take(usize::try_from(window).unwrap_or_default()));
        }
        Ok(Self { window, seen })
    }

    /// Ranges, the greatest numbers last.
    pub(super) fn to_text(&self) -> String {
        let mut ranges: Vec<(i64, i64)> = Vec::new();
        for number in &self.seen {
            match ranges.last_mut() {
                Some((_, last)) if last.checked_add(1) == Some(*number) => *last = *number,
                _ => ranges.push((*number, *number)),
            }
        }
        let mut text = String::new();
        for (first, last) in &ranges[ranges.len().saturating_sub(MOST_RANGES)..] {
            let comma = if text.is_empty() { "" } else { "," };
            // writing to a text cannot fail
            let _ = match first == last {
                true => write!(text, "{comma}{first}"),
                false => write!(text, "{comma}{first}..{last}"),
            };
        }
        text
    }

    /// Behind which number reading goes on, where `last` is the greatest: before the first gap that counts. Numbers up
    /// to `initial` are not read.
    pub(super) fn after(&self, last: i64, initial: i64) -> i64 {
        let mut after = last.saturating_sub(self.window).max(initial);
        if after >= last {
            return last;
        }
        for number in self.seen.range(after + 1..=last) {
            if *number != after + 1 {
                break;
            }
            after = *number;
        }
        after
    }

    /// How far it looks back.
    pub(super) fn window(&self) -> i64 {
        self.window
    }

    /// Takes a number; whether it is new.
    pub(super) fn take(&mut self, number: i64) -> bool {
        self.seen.insert(number)
    }

    /// Forgets what is too far before the greatest number.
    pub(super) fn forget(&mut self) {
        if let Some(last) = self.seen.last() {
            self.seen = self.seen.split_off(&last.saturating_sub(self.window).saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reading_goes_on_before_the_first_gap_that_is_near_enough() {
        let seen = SeenNumbers::parse(10, "1..4,6,8..12").unwrap();
        assert_eq!(seen.after(12, -1), 4);
        assert_eq!(SeenNumbers::parse(5, "1..4,6,8..12").unwrap().after(12, -1), 12);
        assert_eq!(seen.after(12, 20), 12);
        assert_eq!(SeenNumbers::parse(10, "").unwrap().after(12, -1), 2);
        assert_eq!(SeenNumbers::parse(10, "").unwrap().after(i64::MIN, i64::MIN), i64::MIN);
        assert!(SeenNumbers::parse(10, "1..x").is_err());
        assert_eq!(SeenNumbers::parse(3, "-9223372036854775808..9223372036854775807").unwrap().seen.len(), 3);
    }

    proptest! {
        /// What an offset says is what was taken, and numbers that come late are new once, if they are near enough.
        #[test]
        fn numbers_are_new_once_also_after_a_restart(numbers in prop::collection::vec(-50_i64..50, 0..100), window in 1_i64..60) {
            let mut seen = SeenNumbers::parse(window, "").unwrap();
            let mut delivered = BTreeSet::new();
            for number in numbers {
                let last = delivered.last().copied().unwrap_or(-100);
                if number <= seen.after(last, -100) {
                    prop_assert!(delivered.contains(&number) || number <= last - window);
                    continue;
                }
                prop_assert_eq!(seen.take(number), delivered.insert(number));
                seen.forget();
                prop_assert_eq!(&SeenNumbers::parse(window, &seen.to_text()).unwrap(), &seen);
            }
        }
    }
}
