//! Time zones by Joda's names: `UTC`, `Europe/Berlin`, `+02:00`.
//!
//! The changes of offsets are known up to the year 2099. Later, a place has the offset that it had last.

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// A zone changes its offset at most once in six hours.
const WINDOW_MS: i64 = 21_600_000;
/// Rules are known for years of up to six digits. Before and after, the nearest offset counts.
const MAX_SECONDS: i64 = 8_000_000_000_000;

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    id: String,
    rule: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Always so many milliseconds ahead of UTC.
    Fixed(i64),
    Named(Tz),
}

/// The offsets in a span of some hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first time in the span, UTC.
    from: i64,
    /// When the offset changes, UTC, or the end of the span.
    turn: i64,
    /// The end of the span, UTC.
    until: i64,
    before: i64,
    after: i64,
}

/// From when until when, UTC, a zone has an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) offset_ms: i64,
}

impl Window {
    /// The number of the window that has a time, UTC.
    pub(crate) fn number_of(utc_ms: i64) -> i64 {
        utc_ms.div_euclid(WINDOW_MS)
    }

    /// The part of the window in which the offset is that of `utc_ms`, which MUST be in the window.
    pub(crate) fn span_at(&self, utc_ms: i64) -> Span {
        match utc_ms < self.turn {
            true => Span { from: self.from, until: self.turn, offset_ms: self.before },
            false => Span { from: self.turn, until: self.until, offset_ms: self.after },
        }
    }
}

impl Zone {
    /// The zone with this name, as Joda-Time knows it; `None` for an unknown one.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let rule = match id {
            "UTC" | "Z" | "UT" => Rule::Fixed(0),
            _ => match id.parse::<Tz>() {
                Ok(zone) => Rule::Named(zone),
                Err(_) => Rule::Fixed(parse_offset(prefixed_offset(id))?),
            },
        };
        let id = match rule {
            Rule::Fixed(offset) => offset_id(offset),
            Rule::Named(_) => id.to_owned(),
        };
        Some(Self { id, rule })
    }

    /// The name.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the zone is an offset from UTC rather than a place.
    pub(crate) fn is_fixed(&self) -> bool {
        matches!(self.rule, Rule::Fixed(_))
    }

    /// How far its clocks are ahead of UTC at a time, UTC.
    pub(crate) fn offset_at(&self, utc_ms: i64) -> i64 {
        match self.rule {
            Rule::Fixed(offset) => offset,
            Rule::Named(zone) => {
                let seconds = utc_ms.div_euclid(1000).clamp(-MAX_SECONDS, MAX_SECONDS);
                let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default().naive_utc();
                i64::from(zone.offset_from_utc_datetime(&time).fix().local_minus_utc()) * 1000
            }
        }
    }

    /// The time, UTC, at which clocks show `local_ms`. A time that clocks skip is as far behind the change as it is
    /// behind the first one skipped. Of one that they show twice it is, as in Joda-Time, the first west of Greenwich
    /// and else the second.
    pub(crate) fn to_utc(&self, local_ms: i64) -> i64 {
        let guess = self.offset_at(local_ms);
        let offset = self.offset_at(local_ms.saturating_sub(guess));
        let is_shown = guess == offset || self.offset_at(local_ms.saturating_sub(offset)) == offset;
        local_ms.saturating_sub(if is_shown { offset } else { guess.min(offset) })
    }

    /// The same; of a time that clocks show twice always the first.
    pub(crate) fn to_utc_first(&self, local_ms: i64) -> i64 {
        let utc_ms = self.to_utc(local_ms);
        // the offset before a change in the window that ends here
        let earlier = self.offset_at(utc_ms.saturating_sub(WINDOW_MS));
        let first = local_ms.saturating_sub(earlier);
        if self.offset_at(first) == earlier { first.min(utc_ms) } else { utc_ms }
    }

    /// The offsets in the window with this number.
    pub(crate) fn window(&self, number: i64) -> Window {
        let from = number.saturating_mul(WINDOW_MS);
        let until = from.saturating_add(WINDOW_MS);
        let (before, after) = (self.offset_at(from), self.offset_at(until - 1));
        let turn = if before == after { until } else { self.turn(from, until, before) };
        Window { from, turn, until, before, after }
    }

    /// The first time in the window whose offset is not `before` any more.
    fn turn(&self, from: i64, until: i64, before: i64) -> i64 {
        let (mut low, mut high) = (from, until - 1);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match self.offset_at(middle) == before {
                true => low = middle,
                false => high = middle,
            }
        }
        high
    }
}

/// The offset in a name such as `UTC+02:00`.
fn prefixed_offset(id: &str) -> &str {
    let prefixes = ["UTC", "GMT", "UT"];
    prefixes.iter().find_map(|prefix| id.strip_prefix(prefix)).unwrap_or(id)
}

/// An offset in milliseconds: `+02`, `+0200`, `+02:00`, `+02:00:00`, `+02:00:00.000`.
pub(crate) fn parse_offset(text: &str) -> Option<i64> {
    let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(rest), _) => (1, rest),
        (_, Some(rest)) => (-1, rest),
        _ => return None,
    };
    let (rest, millis) = match rest.split_once(['.', ',']) {
        Some((rest, digits)) => (rest, number(digits, 3, 999)?),
        None => (rest, 0),
    };
    let parts: Vec<&str> = match rest.contains(':') {
        true => rest.split(':').collect(),
        false if rest.is_ascii() => (0..rest.len()).step_by(2).map(|at| &rest[at..(at + 2).min(rest.len())]).collect(),
        false => return None,
    };
    let [hours, minutes, seconds] = match parts[..] {
        [hours] => [hours, "00", "00"],
        [hours, minutes] => [hours, minutes, "00"],
        [hours, minutes, seconds] => [hours, minutes, seconds],
        _ => return None,
    };
    let whole = number(hours, 2, 23)? * 3600 + number(minutes, 2, 59)? * 60 + number(seconds, 2, 59)?;
    Some(sign * (whole * 1000 + millis))
}

fn number(digits: &str, length: usize, max: i64) -> Option<i64> {
    let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| is_number && *number <= max)
}

/// Joda's name of an offset.
fn offset_id(offset_ms: i64) -> String {
    if offset_ms == 0 {
        return "UTC".to_owned();
    }
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let (seconds, millis) = (offset_ms.abs() / 1000, offset_ms.abs() % 1000);
    let mut id = format!("{sign}{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 != 0 || millis != 0 {
        id.push_str(&format!(":{:02}", seconds % 60));
    }
    if millis != 0 {
        id.push_str(&format!(".{millis:03}"));
    }
    id
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_joda_s() {
        let cases = [
            ("UTC", "UTC", 0),
            ("Z", "UTC", 0),
            ("-00:00", "UTC", 0),
            ("Europe/Berlin", "Europe/Berlin", 3_600_000),
            ("EST", "EST", -18_000_000),
            ("GMT", "GMT", 0),
            ("Etc/GMT+5", "Etc/GMT+5", -18_000_000),
            ("+02:00", "+02:00", 7_200_000),
            ("+02", "+02:00", 7_200_000),
            ("-0330", "-03:30", -12_600_000),
            ("UTC+02:00", "+02:00", 7_200_000),
            ("+02:30:15", "+02:30:15", 9_015_000),
            ("+02:00:00.123", "+02:00:00.123", 7_200_123),
        ];
        for (name, id, offset) in cases {
            let zone = Zone::parse(name).unwrap();
            assert_eq!((zone.id(), zone.offset_at(0)), (id, offset), "{name}");
        }
        for unknown in
            ["", "PST", "utc", "europe/berlin", "+2", "GMT+2", "+24:00", "+2:00", "Mars/Olympus", "+é", "+", "+1:2:3:4"]
        {
            assert_eq!(Zone::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_time_that_clocks_skip_moves_on_and_one_shown_twice_has_two_times() {
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let hour = 3_600_000;
        // 2026-03-29 02:30 is skipped, 2026-10-25 02:30 is shown twice
        let (skipped, twice) = (1_774_751_400_000, 1_792_895_400_000);
        assert_eq!(berlin.to_utc(skipped), skipped - hour);
        assert_eq!((berlin.to_utc(twice), berlin.to_utc_first(twice)), (twice - hour, twice - 2 * hour));
        let new_york = Zone::parse("America/New_York").unwrap();
        // 2026-11-01 01:30
        let twice = 1_793_496_600_000;
        assert_eq!((new_york.to_utc(twice), new_york.to_utc_first(twice)), (twice + 4 * hour, twice + 4 * hour));
    }

    #[test]
    fn no_zone_changes_its_offset_twice_in_a_window() {
        // all zones were tried once, from 1900 on; here are some from 1970 to 2040
        for zone in TZ_VARIANTS.iter().step_by(60) {
            let zone = Zone::parse(zone.name()).unwrap();
            for number in 0..Window::number_of(2_208_988_800_000) {
                let window = zone.window(number);
                if window.before == window.after {
                    continue;
                }
                for time in (window.from..window.until).step_by(600_000) {
                    assert_eq!(window.span_at(time).offset_ms, zone.offset_at(time), "{} at {time}", zone.id());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn an_offset_in_a_window_is_the_zone_s(
            zone in proptest::sample::select(TZ_VARIANTS.to_vec()),
            seconds in -6_000_000_000_i64..6_000_000_000,
            milli in 0i64..1000,
        ) {
            let zone = Zone::parse(zone.name()).unwrap();
            let time = seconds * 1000 + milli;
            let span = zone.window(Window::number_of(time)).span_at(time);
            prop_assert_eq!(span.offset_ms, zone.offset_at(time));
            prop_assert!(span.from <= time && time < span.until);
            let local = time + span.offset_ms;
            for found in [zone.to_utc(local), zone.to_utc_first(local)] {
                prop_assert_eq!(found + zone.offset_at(found), local);
            }
            prop_assert!(zone.to_utc_first(local) <= time);
        }

        #[test]
        fn no_text_panics(text in "[+-]?[0-9:.,a-zé]{0,12}") {
            let _ = Zone::parse(&text);
        }
    }
}
