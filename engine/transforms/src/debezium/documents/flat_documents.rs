//! Documents within documents as one, their members under long names.

use super::bson::Bson;
use super::document_schema::{ArrayEncoding, element_name};

/// The members of a document, flat. A dot in a name is a delimiter, too. What is empty leaves nothing.
pub(super) fn flat(members: Vec<(String, Bson)>, delimiter: &str, encoding: ArrayEncoding) -> Vec<(String, Bson)> {
    let mut done = Vec::with_capacity(members.len());
    add(members, None, delimiter, encoding, &mut done);
    done
}

fn add(
    members: Vec<(String, Bson)>,
    prefix: Option<&str>,
    delimiter: &str,
    encoding: ArrayEncoding,
    done: &mut Vec<(String, Bson)>,
) {
    for (name, value) in members {
        let name = name.replace('.', delimiter);
        let name = prefix.map_or_else(|| name.clone(), |prefix| format!("{prefix}{delimiter}{name}"));
        match value {
            Bson::Document(members) => add(members, Some(&name), delimiter, encoding, done),
            Bson::Array(items) if encoding == ArrayEncoding::Document => {
                let members = items.into_iter().enumerate().map(|(place, item)| (element_name(place), item));
                add(members.collect(), Some(&name), delimiter, encoding, done);
            }
            Bson::Regex { pattern, options } => {
                let text = |text| Bson::Text(super::bson::Kind::String, text);
                let members = vec![("regex".to_owned(), text(pattern)), ("options".to_owned(), text(options))];
                add(members, Some(&name), delimiter, encoding, done);
            }
            value => done.push((name, value)),
        }
    }
}
