//! `table.fields.additional.placement`: columns of the outbox that go into headers, the value, or the partition.

use volley_api::{ConfigValue, Error, Result};

/// Where a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Placement {
    Header,
    Envelope,
    Partition,
}

/// A column, where it goes, and the name that it gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AdditionalField {
    pub(super) field: String,
    pub(super) placement: Placement,
    pub(super) alias: String,
}

impl AdditionalField {
    /// Pairs `column:placement`, or trios with an alias.
    pub(super) fn parse_all(list: &[String]) -> Result<Vec<Self>> {
        list.iter().filter(|item| !item.is_empty()).map(|item| Self::parse(item)).collect()
    }

    fn parse(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').map(str::trim).collect();
        let [field, placement, ..] = parts.as_slice() else { return Err(Error::config(not_a_pair(text))) };
        let placement = match placement.to_ascii_lowercase().as_str() {
            "header" => Placement::Header,
            "envelope" => Placement::Envelope,
            "partition" => Placement::Partition,
            _ => {
                return Err(Error::config(format!("`{placement}` in `{text}` is none of header, envelope, partition"))
                    .with_exception("java.lang.NullPointerException"));
            }
        };
        let alias = parts.get(2).copied().filter(|alias| !alias.is_empty()).unwrap_or(field);
        Ok(Self { field: (*field).to_owned(), placement, alias: alias.to_owned() })
    }
}

fn not_a_pair(text: &str) -> String {
    format!("`{text}` is no pair of a column and a placement, nor a trio with an alias")
}

pub(super) fn validate_placements(value: &ConfigValue) -> std::result::Result<(), String> {
    let ConfigValue::List(items) = value else { return Ok(()) };
    let is_fine = |item: &String| {
        let parts: Vec<&str> = item.split(':').collect();
        item.is_empty() || matches!(parts.len(), 2 | 3) && parts[1..].iter().all(|part| !part.trim().is_empty())
    };
    items.iter().find(|item| !is_fine(item)).map_or(Ok(()), |item| Err(not_a_pair(item)))
}
