//! Names rewritten as by Java's `Matcher.replaceFirst`, where the whole name matches.

use volley_api::{Error, Result};
use volley_java::{JavaRegex, Replacement};

/// A regular expression with its replacement. What is wrong with the latter only shows with the first name that matches.
#[derive(Clone, Debug)]
pub(super) struct Rewriting {
    regex: JavaRegex,
    replacement: std::result::Result<Replacement, Error>,
}

impl Rewriting {
    /// # Errors
    /// `Config` if `regex` is none.
    pub(super) fn new(regex: &str, replacement: &str) -> Result<Self> {
        let regex = JavaRegex::compile(regex)
            .map_err(|error| Error::config(format!("`{regex}` is not a regular expression")).with_source(error))?;
        let replacement = Replacement::parse(replacement, &regex).map_err(|reason| {
            let class = match reason.starts_with("No group ") && !reason.contains('{') {
                true => "java.lang.IndexOutOfBoundsException",
                false => "java.lang.IllegalArgumentException",
            };
            Error::data(reason).with_exception(class)
        });
        Ok(Self { regex, replacement })
    }

    /// The new name; `None` if this one does not match.
    ///
    /// # Errors
    /// What is wrong with the replacement.
    pub(super) fn rewrite(&self, name: &str) -> Result<Option<String>> {
        let failed = |error| Error::data(format!("could not match `{name}`")).with_source(error);
        if !self.regex.matches(name).map_err(failed)? {
            return Ok(None);
        }
        let replacement = self.replacement.as_ref().map_err(Error::clone)?;
        Ok(self.regex.first(name).map_err(failed)?.map(|captures| replacement.apply(name, &captures)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_replacement_shows_with_the_first_match() {
        let rewriting = Rewriting::new("a(b)", "$2").unwrap();
        assert_eq!(rewriting.rewrite("x").unwrap(), None);
        assert_eq!(rewriting.rewrite("ab").unwrap_err().exception(), "java.lang.IndexOutOfBoundsException");
        assert_eq!(Rewriting::new("a(b)", "$1c").unwrap().rewrite("ab").unwrap().as_deref(), Some("bc"));
    }
}
