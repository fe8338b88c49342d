//! `include.list` and `exclude.list`: which times are converted.
//!
//! ```text
//! source:orders          all times of events whose source names the table `orders`
//! source:orders:at       their field `at`
//! topic:shop.orders      all times of events in the topic
//! topic:shop.orders:at   their field `at`
//! orders:at              the field `at` of events of that table, or in that topic
//! ```

use volley_api::{Error, Result};

/// What a rule goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Source,
    Topic,
    Either,
    /// A rule that fits nothing.
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    subject: Subject,
    name: String,
    field: Option<String>,
}

/// The rules of a list.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    /// They tell what is not converted.
    excludes: bool,
}

/// The fields that rules fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fitting {
    All,
    Fields(Vec<String>),
}

impl Rules {
    /// # Errors
    /// `Config` if an item is no rule.
    pub(super) fn parse(list: &[String], excludes: bool) -> Result<Self> {
        let invalid = || {
            let key = if excludes { "exclude.list" } else { "include.list" };
            Error::config(format!("`{}` in `{key}` is no list of rules", list.join(",")))
                .with_exception("io.debezium.DebeziumException")
        };
        let rule = |(place, item): (usize, &String)| Rule::parse(item, place == 0).ok_or_else(invalid);
        let rules = list.iter().enumerate().map(rule).collect::<Result<Vec<_>>>()?;
        if rules.is_empty() { Err(invalid()) } else { Ok(Self { rules, excludes }) }
    }

    /// Whether a field of events of this table, in this topic, is converted.
    pub(super) fn converts(&self, fitting: &Fitting, field: &str) -> bool {
        let is_named = match fitting {
            Fitting::All => true,
            Fitting::Fields(fields) => fields.iter().any(|known| known == field),
        };
        is_named != self.excludes
    }

    /// What fits a table and a topic.
    pub(super) fn fitting(&self, table: Option<&str>, topic: &str) -> Fitting {
        let mut fields = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.fits(table, topic)) {
            match &rule.field {
                None => return Fitting::All,
                Some(field) => fields.push(field.clone()),
            }
        }
        Fitting::Fields(fields)
    }
}

impl Rule {
    /// Only the first item of a list may have three parts.
    fn parse(text: &str, is_first: bool) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let is_fit = |part: &&str| {
            !part.is_empty()
                && part.chars().all(|c| c.is_ascii_alphanumeric() || "_.\"".contains(c) || c.is_ascii_whitespace())
        };
        let allowed = if is_first { 2..=3 } else { 1..=2 };
        if !allowed.contains(&parts.len()) || !parts.iter().all(is_fit) {
            return None;
        }
        let rule = |subject, name: &str, field: Option<&str>| {
            Some(Self { subject, name: name.to_owned(), field: field.map(str::to_owned) })
        };
        match parts.as_slice() {
            ["source", name] => rule(Subject::Source, name, None),
            ["source", name, field] => rule(Subject::Source, name, Some(field)),
            ["topic", name] => rule(Subject::Topic, name, None),
            ["topic", name, field] => rule(Subject::Topic, name, Some(field)),
            [name, field] => rule(Subject::Either, name, Some(field)),
            _ => rule(Subject::Nothing, text, Some("")),
        }
    }

    fn fits(&self, table: Option<&str>, topic: &str) -> bool {
        let is_table = table == Some(self.name.as_str());
        match self.subject {
            Subject::Source => is_table,
            Subject::Topic => self.name == topic,
            Subject::Either => is_table || self.name == topic,
            Subject::Nothing => false,
        }
    }
}
