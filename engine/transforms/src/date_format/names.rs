//! English names of months, days and the rest.

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(crate) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(crate) const HALF_DAYS: [&str; 2] = ["AM", "PM"];
pub(crate) const ERAS: [&str; 2] = ["BC", "AD"];
pub(crate) const LONG_ERAS: [&str; 2] = ["Before Christ", "Anno Domini"];

/// The short form of a month or day.
pub(crate) fn short(name: &str) -> &str {
    &name[..3]
}

/// Which of the names the text begins with, in any case, and how many characters that are: the longest.
pub(crate) fn find(text: &[char], names: &[&str], has_short: bool) -> Option<(i64, usize)> {
    let mut found: Option<(i64, usize)> = None;
    for (number, name) in (0..).zip(names) {
        for form in [*name, if has_short { short(name) } else { name }] {
            if begins_with(text, form) && found.is_none_or(|(_, len)| form.len() > len) {
                found = Some((number, form.len()));
            }
        }
    }
    found
}

/// Whether the text begins with an ASCII name, in any case.
pub(crate) fn begins_with(text: &[char], name: &str) -> bool {
    text.len() >= name.len() && text.iter().zip(name.chars()).all(|(one, other)| one.eq_ignore_ascii_case(&other))
}
