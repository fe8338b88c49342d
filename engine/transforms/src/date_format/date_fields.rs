//! What was read of a time, and the time that it says: of several ways to say a date the one that was read last counts.

use super::calendar::{Date, week_start, weekday};

const MILLIS_PER_DAY: i64 = 86_400_000;

/// Values by the letters of the pattern; those of one meaning share one: `H` for `k`, `K` for `h`, `E` for `u`.
#[derive(Clone, Debug, Default)]
pub(crate) struct DateFields(Vec<(char, i64)>);

impl DateFields {
    /// Sets a value, as the last one.
    pub(crate) fn set(&mut self, letter: char, value: i64) {
        self.0.retain(|(known, _)| *known != letter);
        self.0.push((letter, value));
    }

    fn get(&self, letter: char) -> Option<i64> {
        self.0.iter().find(|(known, _)| *known == letter).map(|(_, value)| *value)
    }

    fn or(&self, letter: char, default: i64) -> i64 {
        self.get(letter).unwrap_or(default)
    }

    /// When it was set; 0 if never.
    fn stamp(&self, letter: char) -> usize {
        self.0.iter().position(|(known, _)| *known == letter).map_or(0, |place| place + 1)
    }

    /// When the later of two was set; 0 if one is missing.
    fn stamp_of_both(&self, one: char, other: char) -> usize {
        match (self.stamp(one), self.stamp(other)) {
            (0, _) | (_, 0) => 0,
            (one, other) => one.max(other),
        }
    }

    /// Milliseconds since 1970-01-01 UTC; beyond what a long holds they begin anew, as in Java.
    pub(crate) fn millis(&self) -> i64 {
        self.days().wrapping_mul(MILLIS_PER_DAY).wrapping_add(self.millis_of_day() - self.or('Z', 0))
    }

    /// The same with another year.
    pub(crate) fn years_later(&self, years: i64) -> Self {
        let mut later = self.clone();
        if let Some((_, year)) = later.0.iter_mut().find(|(letter, _)| *letter == 'y') {
            *year += years;
        }
        later
    }

    fn millis_of_day(&self) -> i64 {
        let whole_day = self.stamp('H');
        let both = self.stamp_of_both('K', 'a');
        let half_day = if whole_day.max(both) == 0 { self.stamp('K').max(self.stamp('a')) } else { both };
        let hours = match half_day > whole_day {
            true => self.or('K', 0) + 12 * self.or('a', 0),
            false => self.or('H', 0),
        };
        ((hours * 60 + self.or('m', 0)) * 60 + self.or('s', 0)) * 1_000 + self.or('S', 0)
    }

    fn year(&self) -> i64 {
        let year = self.or('y', 1970);
        if self.get('G') == Some(0) { 1 - year } else { year }
    }

    fn days(&self) -> i64 {
        let year = self.year();
        if self.stamp('Y') > self.stamp('y') {
            return self.day_of_week_year(year <= 0);
        }
        let first_of_month = Date::days(year, self.or('M', 0) + 1, 1);
        match self.best() {
            'D' => Date::days(year, 1, 1) + self.or('D', 1) - 1,
            'w' => week_day(week_start(Date::days(year, 1, 1)), self.or('w', 1), self.or('E', 1)),
            'W' => week_day(week_start(first_of_month), self.or('W', 1), self.or('E', 1)),
            'F' => {
                let ahead = (self.or('E', 1) - 1 - weekday(first_of_month)).rem_euclid(7);
                first_of_month + ahead + 7 * (self.or('F', 1) - 1)
            }
            _ => Date::days(year, self.or('M', 0) + 1, self.or('d', 1)),
        }
    }

    /// Of a week that belongs to the year `Y`. A day beyond the week is counted from Monday on, as in Java.
    fn day_of_week_year(&self, is_bc: bool) -> i64 {
        let year = self.or('Y', 1970);
        let year = if is_bc { 1 - year } else { year };
        let (mut week, mut day) = (self.or('w', 1), self.or('E', 1));
        if !(1..=7).contains(&day) {
            week += (day - 1).div_euclid(7);
            day = ((day - 1).rem_euclid(7) + 1) % 7 + 1;
        }
        week_day(week_start(Date::days(year, 1, 1)), week, day)
    }

    /// The letter of the field that says the date.
    fn best(&self) -> char {
        let complete = [
            ('d', self.stamp('d')),
            ('W', self.stamp_of_both('W', 'E')),
            ('F', self.stamp_of_both('F', 'E')),
            ('D', self.stamp('D')),
            ('w', self.stamp_of_both('w', 'E')),
        ];
        let alone = [('W', self.stamp('W')), ('F', self.stamp('F').max(self.stamp('E'))), ('w', self.stamp('w'))];
        let best = latest(&complete).or_else(|| latest(&alone)).unwrap_or('d');
        // Of weeks that share their day, the one counts that was set last.
        let shared = [('W', self.stamp('W')), ('F', self.stamp('F')), ('w', self.stamp('w'))];
        match best {
            'W' | 'F' | 'w' => latest(&shared).unwrap_or(best),
            other => other,
        }
    }
}

/// The first of those that were set last; `None` if none was.
fn latest(stamps: &[(char, usize)]) -> Option<char> {
    let last = stamps.iter().map(|(_, stamp)| *stamp).max().filter(|last| *last > 0)?;
    stamps.iter().find(|(_, stamp)| *stamp == last).map(|(letter, _)| *letter)
}

/// The day of a week, Sunday is 1, and after Saturday comes Sunday again; `start` is the Sunday of week 1.
fn week_day(start: i64, week: i64, day: i64) -> i64 {
    start + 7 * (week - 1) + (day - 1).rem_euclid(7)
}
