//! Pairs of an old and a new name: `old:new`.

use volley_api::ConfigValue;
use volley_java::hash_map_order;

/// New names by old ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Renames(Vec<(String, String)>);

impl Renames {
    /// Pairs; of two for one old name the last counts.
    ///
    /// # Errors
    /// The text that is no pair.
    pub(crate) fn parse(pairs: &[String]) -> std::result::Result<Self, String> {
        let mut renames: Vec<(String, String)> = Vec::new();
        for pair in pairs {
            let (old, new) = halves(pair).ok_or_else(|| pair.clone())?;
            renames.retain(|(known, _)| known != old);
            renames.push((old.to_owned(), new.to_owned()));
        }
        Ok(Self(renames))
    }

    /// All pairs.
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// The new name of a field, which may be the old one.
    pub(crate) fn renamed<'a>(&'a self, old: &'a str) -> &'a str {
        self.0.iter().find(|(known, _)| known == old).map_or(old, |(_, new)| new)
    }

    /// The old name that becomes this one; of several, the last in the order of Java's map.
    pub(crate) fn old_name_of(&self, new: &str) -> Option<&str> {
        let order = hash_map_order(self.0.iter().map(|(old, _)| old.as_str()));
        order.into_iter().rfind(|old| self.renamed(old) == new)
    }
}

/// What is before and behind the only colon. As in Java, nothing behind it is no half.
fn halves(pair: &str) -> Option<(&str, &str)> {
    let (old, new) = pair.trim_end_matches(':').split_once(':')?;
    (!new.contains(':')).then_some((old, new))
}

pub(crate) fn validate_renames(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(pairs) = value else { return Ok(()) };
    Renames::parse(pairs).map(drop).map_err(|pair| format!("Invalid rename mapping: {pair}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_one_colon_and_something_behind_it() {
        let parse = |pair: &str| Renames::parse(&[pair.to_owned()]);
        assert_eq!(parse("a:b").unwrap().renamed("a"), "b");
        assert_eq!(parse(":b").unwrap().renamed(""), "b");
        assert_eq!(parse("a:b").unwrap().renamed("c"), "c");
        for pair in ["a", "a:", "a:b:c", ":", ""] {
            assert_eq!(parse(pair).unwrap_err(), pair);
        }
    }
}
