//! Time zones in text, as offsets from UTC.

use super::names::begins_with;

/// Zones whose name says the same offset at all times, in minutes. Others depend on the date and are not read.
const NAMED: [(&str, i64); 33] = [
    ("Coordinated Universal Time", 0),
    ("Greenwich Mean Time", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("HST", -600),
    ("PST", -480),
    ("PDT", -420),
    ("MST", -420),
    ("MDT", -360),
    ("CST", -360),
    ("CDT", -300),
    ("EST", -300),
    ("EDT", -240),
    ("ART", -180),
    ("BRT", -180),
    ("CET", 60),
    ("MET", 60),
    ("CEST", 120),
    ("EET", 120),
    ("SAST", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("PKT", 300),
    ("WIB", 420),
    ("AWST", 480),
    ("HKT", 480),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
];

/// An offset in milliseconds, and how many characters it takes, for the letters `z` and `Z`. Behind blanks, Java does not look
/// for an offset from GMT.
pub(crate) fn general(text: &[char], is_behind_blanks: bool) -> Option<(i64, usize)> {
    match text.first()? {
        '+' | '-' => numeric(text, 0, 2, false),
        _ => {
            if !is_behind_blanks && begins_with(text, "GMT") && matches!(text.get(3), Some('+' | '-')) {
                return numeric(text, 3, 0, true);
            }
            let (name, minutes) = NAMED.into_iter().find(|(name, _)| begins_with(text, name))?;
            Some((minutes * 60_000, name.len()))
        }
    }
}

/// As above, for one to three letters `X`.
pub(crate) fn iso(text: &[char], count: usize) -> Option<(i64, usize)> {
    match text.first()? {
        'Z' => Some((0, 1)),
        '+' | '-' => numeric(text, 0, count, count == 3),
        _ => None,
    }
}

/// Hours, and minutes but for a `count` of 1. Without a count one digit of hours is enough.
fn numeric(text: &[char], sign: usize, count: usize, has_colon: bool) -> Option<(i64, usize)> {
    let digit = |at: usize| text.get(at).and_then(|character| character.to_digit(10)).map(i64::from);
    let mut at = sign + 1;
    let mut hours = digit(at)?;
    at += 1;
    match digit(at) {
        Some(second) => {
            hours = hours * 10 + second;
            at += 1;
        }
        None if count > 0 || !has_colon => return None,
        None => {}
    }
    let mut minutes = 0;
    if count != 1 {
        if has_colon {
            (text.get(at) == Some(&':')).then_some(())?;
            at += 1;
        }
        minutes = digit(at)? * 10 + digit(at + 1)?;
        at += 2;
    }
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = (hours * 60 + minutes) * 60_000;
    Some((if text[sign] == '-' { -offset } else { offset }, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_their_letters_want_them() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(general(&chars("+0130x"), false), Some((5_400_000, 5)));
        assert_eq!(general(&chars("+01:30"), false), None);
        assert_eq!(general(&chars("GMT-1:30"), false), Some((-5_400_000, 8)));
        assert_eq!(general(&chars("GMT-1:30"), true), Some((0, 3)));
        assert_eq!(general(&chars("pst"), false), Some((-28_800_000, 3)));
        assert_eq!(iso(&chars("Z"), 3), Some((0, 1)));
        assert_eq!(iso(&chars("-08"), 1), Some((-28_800_000, 3)));
        assert_eq!(iso(&chars("-0800"), 3), None);
        assert_eq!(iso(&chars("-08:00"), 3), Some((-28_800_000, 6)));
    }
}
