//! What a schema needs, and what that needs.

use std::collections::HashSet;
use std::sync::Arc;

use volley_api::{Error, Result};

use crate::config::CONFLUENT;
use crate::{Reference, Schema};

/// Schemas that need each other in a row. More of them are a mistake, and could exhaust the stack.
const DEPTH: usize = 100;
/// Schemas that one schema needs, all together.
const COUNT: usize = 10_000;

/// A schema that another one needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedReference {
    /// How it is called where it is needed.
    pub name: String,
    /// The schema.
    pub schema: Arc<Schema>,
}

/// Gives the schema of a version of a subject.
type Find<'a> = &'a dyn Fn(&str, i32) -> Result<Arc<Schema>>;

/// All that `schema` needs, depth first. Of two of one name, the first is taken, as in Java.
pub(super) fn resolve(schema: &Schema, find: Find<'_>) -> Result<Vec<ResolvedReference>> {
    let mut walk = Walk { find, way: Vec::new(), seen: HashSet::new(), resolved: Vec::new() };
    walk.visit_all(&schema.references)?;
    Ok(walk.resolved)
}

struct Walk<'a> {
    find: Find<'a>,
    /// The references that have led to where it is.
    way: Vec<Reference>,
    seen: HashSet<String>,
    resolved: Vec<ResolvedReference>,
}

impl Walk<'_> {
    fn visit_all(&mut self, references: &[Reference]) -> Result<()> {
        references.iter().try_for_each(|reference| self.visit(reference))
    }

    fn visit(&mut self, reference: &Reference) -> Result<()> {
        let is_same = |one: &Reference| one.subject == reference.subject && one.version == reference.version;
        if self.way.iter().any(is_same) {
            return Err(bad(reference, "needs itself"));
        }
        if self.way.len() >= DEPTH || self.seen.len() >= COUNT {
            return Err(bad(reference, "is needed by too many others"));
        }
        if !self.seen.insert(reference.name.clone()) {
            return Ok(());
        }
        let schema = (self.find)(&reference.subject, reference.version)?;
        self.way.push(reference.clone());
        self.visit_all(&schema.references)?;
        self.way.pop();
        self.resolved.push(ResolvedReference { name: reference.name.clone(), schema });
        Ok(())
    }
}

fn bad(reference: &Reference, what: &str) -> Error {
    let Reference { name, subject, version } = reference;
    Error::data(format!("the schema {name} (version {version} of subject {subject}), which a schema refers to, {what}"))
        .with_exception(CONFLUENT.exception)
}

#[cfg(test)]
mod tests {
    use volley_api::ErrorKind;

    use super::*;
    use crate::SchemaKind;

    fn reference(name: &str) -> Reference {
        Reference { name: name.to_owned(), subject: format!("{name}-s"), version: 1 }
    }

    /// A schema that needs those with these names.
    fn needing(names: &str) -> Schema {
        let references = names.split_whitespace().map(reference).collect();
        Schema { references, ..Schema::new(SchemaKind::Avro, names) }
    }

    fn names(needs: &str, of_subject: &dyn Fn(&str) -> String) -> Result<Vec<String>> {
        let find = |subject: &str, _| Ok(Arc::new(needing(&of_subject(subject))));
        Ok(resolve(&needing(needs), &find)?.into_iter().map(|resolved| resolved.name).collect())
    }

    #[test]
    fn what_is_needed_comes_first_and_once() {
        let needs = |subject: &str| match subject {
            "a-s" => "c d".to_owned(),
            "b-s" => "c".to_owned(),
            "c-s" => "d".to_owned(),
            _ => String::new(),
        };
        assert_eq!(names("a b d", &needs).unwrap(), ["d", "c", "a", "b"]);
        assert!(names("", &needs).unwrap().is_empty());
    }

    #[test]
    fn schemas_that_need_each_other_are_refused() {
        let circle = |subject: &str| if subject == "a-s" { "b".to_owned() } else { "a".to_owned() };
        let error = names("a", &circle).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Data);
        assert!(error.to_string().contains("needs itself"), "{error}");
    }

    #[test]
    fn a_row_without_end_is_refused() {
        let longer = |subject: &str| format!("{}x", subject.trim_end_matches("-s"));
        assert!(names("a", &longer).unwrap_err().to_string().contains("too many"));
    }

    #[test]
    fn what_cannot_be_found_is_the_error() {
        let find = |_: &str, _| Err(Error::retriable("away"));
        assert!(resolve(&needing("a"), &find).unwrap_err().is_retriable());
    }
}
