//! The names of months, weekdays, halves of the day and eras in a language.

/// A line for each language: its code, 12 short and 12 full names of months, 7 short and 7 full names of weekdays from
/// Monday on, the halves of the day, and the eras. `-` is what Java has where it knows no language.
const NAMES: &str = include_str!("languages.tsv");
const NO_LANGUAGE: &str = "-";

/// The names in a language, as Java 17 has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Language {
    code: &'static str,
    names: Vec<&'static str>,
}

impl Language {
    /// The language of a value of `locale`; `None` where its names are not there.
    ///
    /// Confluent takes the whole value for the code of a language. `en` and `ko` are some; `en-US`, `US`, `pt-BR` and
    /// `ko_KR` are none, and Java gives short English names for them, even where the pattern wants full ones. Who has
    /// such a value has such directories.
    pub(crate) fn of_locale(locale: &str) -> Option<Self> {
        let code = locale.to_ascii_lowercase();
        let may_be_language =
            matches!(code.len(), 2 | 3) && code != "us" && code.bytes().all(|byte| byte.is_ascii_lowercase());
        Self::named(if may_be_language { &code } else { NO_LANGUAGE })
    }

    fn named(code: &str) -> Option<Self> {
        let mut lines = NAMES.lines().map(|line| line.split('\t'));
        lines.find_map(|mut names| {
            let own = names.next()?;
            (own == code).then(|| Self { code: own, names: names.collect() })
        })
    }

    /// The codes of all languages.
    pub(crate) fn codes() -> Vec<&'static str> {
        let codes = NAMES.lines().filter_map(|line| line.split('\t').next());
        codes.filter(|code| *code != NO_LANGUAGE).collect()
    }

    /// The code; `-` for none.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The name of a month, 1 to 12.
    pub(crate) fn month(&self, month: u32, is_full: bool) -> &'static str {
        self.name(if is_full { 12 } else { 0 }, month.saturating_sub(1))
    }

    /// The name of a day of the week, 1 for Monday.
    pub(crate) fn weekday(&self, weekday: u32, is_full: bool) -> &'static str {
        self.name(if is_full { 31 } else { 24 }, weekday.saturating_sub(1))
    }

    /// The name of a half of the day.
    pub(crate) fn half_day(&self, hour: u32) -> &'static str {
        self.name(38, u32::from(hour >= 12))
    }

    /// The name of the era.
    pub(crate) fn era(&self, year: i64) -> &'static str {
        self.name(40, u32::from(year > 0))
    }

    fn name(&self, first: usize, number: u32) -> &'static str {
        self.names.get(first + number as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::path_text::is_plain_path;

    #[test]
    fn only_the_code_of_a_language_is_a_language() {
        let code = |locale: &str| Language::of_locale(locale).map(|language| language.code());
        assert_eq!([code("en"), code("EN"), code("ko"), code("pt")], [Some("en"), Some("en"), Some("ko"), Some("pt")]);
        for none in ["en-US", "en_US", "US", "us", "pt-BR", "ko_KR", "id_ID", "english"] {
            assert_eq!(code(none), Some("-"), "{none}");
        }
        assert_eq!((code("sw"), code("tlh")), (None, None));
    }

    #[test]
    fn every_language_has_all_names_and_each_may_stand_in_a_path() {
        for code in Language::codes().into_iter().chain([NO_LANGUAGE]) {
            let language = Language::named(code).unwrap();
            assert_eq!(language.names.len(), 42, "{code}");
            assert!(language.names.iter().all(|name| is_plain_path(name) && !name.contains('/')), "{code}");
        }
        let german = Language::named("de").unwrap();
        assert_eq!((german.month(1, false), german.month(12, true)), ("Jan.", "Dezember"));
        assert_eq!((german.weekday(1, false), german.weekday(7, true)), ("Mo.", "Sonntag"));
        assert_eq!((german.half_day(11), german.half_day(12)), ("AM", "PM"));
        assert_eq!((german.era(0), german.era(1)), ("v. Chr.", "n. Chr."));
    }
}
