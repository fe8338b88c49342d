//! `key.columns`: which columns are the keys of the records.

/// Which columns are the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::source) enum KeyColumns {
    /// None, as in Java: records without keys.
    #[default]
    None,
    /// Those of the table's primary key.
    PrimaryKey,
    /// These, in this order.
    Named(Vec<String>),
}

impl KeyColumns {
    /// What the list of the key says.
    ///
    /// # Errors
    /// Why it says nothing.
    pub(in crate::source) fn parse(list: &[String]) -> Result<Self, String> {
        match list {
            [] => Ok(Self::None),
            [word] if word.eq_ignore_ascii_case("none") => Ok(Self::None),
            [word] if word.eq_ignore_ascii_case("auto") => Ok(Self::PrimaryKey),
            names => {
                if names.iter().any(String::is_empty) {
                    return Err("a name is empty".to_owned());
                }
                let twice = names.iter().enumerate().find(|(place, name)| names[..*place].contains(name));
                match twice {
                    Some((_, name)) => Err(format!("`{name}` is there twice")),
                    None => Ok(Self::Named(names.to_vec())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_none_those_of_the_table_or_named() {
        let parse = |list: &[&str]| KeyColumns::parse(&list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(parse(&[]), Ok(KeyColumns::None));
        assert_eq!(parse(&["None"]), Ok(KeyColumns::None));
        assert_eq!(parse(&["auto"]), Ok(KeyColumns::PrimaryKey));
        assert_eq!(parse(&["b", "a"]), Ok(KeyColumns::Named(vec!["b".to_owned(), "a".to_owned()])));
        assert!(parse(&["a", "b", "a"]).unwrap_err().contains("`a`"));
        assert!(parse(&["a", ""]).is_err());
    }
}
