//! How the words of a name are told apart, as Guava's `CaseFormat` has it. Only ASCII letters have a case.
//!
//! | format | the name |
//! |---|---|
//! | `LOWER_HYPHEN` | `order-id` |
//! | `LOWER_UNDERSCORE` | `order_id` |
//! | `LOWER_CAMEL` | `orderId` |
//! | `UPPER_CAMEL` | `OrderId` |
//! | `UPPER_UNDERSCORE` | `ORDER_ID` |

use volley_api::{ConfigDef, ConfigKey, ConfigMap, ConfigType, Error, Importance, Result, Validator};

const NAMES: [&str; 5] = ["LOWER_HYPHEN", "LOWER_UNDERSCORE", "LOWER_CAMEL", "UPPER_CAMEL", "UPPER_UNDERSCORE"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::jcustenborder) enum CaseFormat {
    LowerHyphen,
    LowerUnderscore,
    LowerCamel,
    UpperCamel,
    UpperUnderscore,
}

/// The formats of two keys, checked in the words of the original.
///
/// # Errors
/// `Config` if one is none that there is.
pub(in crate::jcustenborder) fn case_formats(
    given: &ConfigMap,
    def: &ConfigDef,
    keys: [&str; 2],
) -> Result<[CaseFormat; 2]> {
    for key in keys {
        if let Some(text) = given.get(key).filter(|text| CaseFormat::named(text).is_none()) {
            let known = NAMES.join(", ");
            let message = format!(
                "Invalid value '{text}' is not a valid value for CaseFormat. Valid values are {known}. for configuration {key}"
            );
            return Err(Error::config(message));
        }
    }
    let config = def.parse(given)?;
    let format = |key| {
        CaseFormat::named(config.string(key).unwrap_or_default())
            .ok_or_else(|| Error::config(format!("`{key}` is no case format")))
    };
    Ok([format(keys[0])?, format(keys[1])?])
}

/// A key whose value is a format.
pub(in crate::jcustenborder) fn case_key(name: &str, doc: &str) -> ConfigKey {
    ConfigKey::required(name, ConfigType::String, Importance::High, doc).validated(Validator::custom(|value| {
        let volley_api::ConfigValue::String(text) = value else { return Ok(()) };
        match CaseFormat::named(text) {
            Some(_) => Ok(()),
            None => Err(format!("String must be one of: {}", NAMES.join(", "))),
        }
    }))
}

impl CaseFormat {
    pub(in crate::jcustenborder) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "LOWER_HYPHEN" => Self::LowerHyphen,
            "LOWER_UNDERSCORE" => Self::LowerUnderscore,
            "LOWER_CAMEL" => Self::LowerCamel,
            "UPPER_CAMEL" => Self::UpperCamel,
            "UPPER_UNDERSCORE" => Self::UpperUnderscore,
            _ => return None,
        })
    }

    /// A name of this format in another.
    pub(in crate::jcustenborder) fn to(self, other: Self, name: &str) -> String {
        match (self.separator(), other.separator()) {
            _ if self == other => name.to_owned(),
            // The letters need no look at each word.
            (Some(from), Some(to)) if other.keeps_words_of(self) => name.replace(from, &to.to_string()),
            (Some(from), Some(to)) => {
                let name = name.replace(from, &to.to_string());
                if other == Self::UpperUnderscore { name.to_ascii_uppercase() } else { name.to_ascii_lowercase() }
            }
            _ => self.word_by_word(other, name),
        }
    }

    fn keeps_words_of(self, other: Self) -> bool {
        let is_upper = |format| format == Self::UpperUnderscore;
        is_upper(self) == is_upper(other)
    }

    fn word_by_word(self, other: Self, name: &str) -> String {
        let is_boundary = |letter: &char| match self.separator() {
            Some(separator) => *letter == separator,
            None => letter.is_ascii_uppercase(),
        };
        let (mut words, mut start) = (Vec::new(), 0);
        for (at, letter) in name.char_indices().filter(|(_, letter)| is_boundary(letter)) {
            // A name that begins with a capital has no word before it.
            if at > 0 || self.separator().is_some() {
                words.push(&name[start..at]);
                start = if self.separator().is_some() { at + letter.len_utf8() } else { at };
            }
        }
        words.push(&name[start..]);
        let words: Vec<String> =
            words.into_iter().enumerate().map(|(place, word)| other.word(word, place == 0)).collect();
        words.join(&other.separator().map(String::from).unwrap_or_default())
    }

    fn separator(self) -> Option<char> {
        match self {
            Self::LowerHyphen => Some('-'),
            Self::LowerUnderscore | Self::UpperUnderscore => Some('_'),
            Self::LowerCamel | Self::UpperCamel => None,
        }
    }

    fn word(self, word: &str, is_first: bool) -> String {
        match self {
            Self::LowerHyphen | Self::LowerUnderscore => word.to_ascii_lowercase(),
            Self::UpperUnderscore => word.to_ascii_uppercase(),
            Self::LowerCamel if is_first => word.to_ascii_lowercase(),
            Self::LowerCamel | Self::UpperCamel => {
                let mut letters = word.chars();
                let first = letters.next().map(|first| first.to_ascii_uppercase());
                first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect()
            }
        }
    }
}
