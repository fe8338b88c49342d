//! Which table the records of a topic go to.

use indexmap::IndexMap;
use volley_api::{Error, Result};

use crate::database::{TableId, split_outside};

const TOPIC: &str = "${topic}";
const SOURCE: &str = "${source.";

/// The names of tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableNames {
    /// `table.name.format`, or Debezium's `collection.name.format`
    pub(super) format: String,
    /// `topics.to.tables.mapping`
    pub(super) by_topic: IndexMap<String, String>,
    /// `table.name.normalize`
    pub(super) is_normalized: bool,
    /// Whether dots in the name of a topic become underscores, as in Debezium's connector.
    pub(super) has_no_dots: bool,
}

impl TableNames {
    /// An entry of `topics.to.tables.mapping`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse_mapping(item: &str) -> std::result::Result<(String, String), String> {
        match item.split_once(':').map(|(topic, table)| (topic.trim(), table.trim())) {
            Some((topic, table)) if !topic.is_empty() && !table.is_empty() => Ok((topic.to_owned(), table.to_owned())),
            _ => Err(format!("`{item}` is not of the form topic:table")),
        }
    }

    /// The fields of Debezium's `source` that a name needs.
    pub(super) fn source_fields(&self) -> Vec<String> {
        let parts = self.format.split(SOURCE).skip(1);
        parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect()
    }

    /// The table of a topic; `quote` is the mark that may stand around its parts, and `source` gives the fields of
    /// Debezium's `source`.
    ///
    /// # Errors
    /// `Config` if that is no name of a table.
    pub(super) fn table_of(
        &self,
        topic: &str,
        quote: char,
        source: &dyn Fn(&str) -> Option<String>,
    ) -> Result<TableId> {
        let name = match self.by_topic.get(topic) {
            Some(table) => table.clone(),
            None => {
                let topic = if self.has_no_dots { topic.replace('.', "_") } else { topic.to_owned() };
                let name = with_source(&self.format.replace(TOPIC, &topic), source)?;
                if self.is_normalized { normalized(&name) } else { name }
            }
        };
        parsed(&name, quote).ok_or_else(|| {
            Error::config(format!(
                "topic `{topic}` goes to `{name}`, which is no name of a table: it has at most three parts, separated by \
                 dots, none of them empty; set `table.name.format`, or rename the topic by a RegexRouter"
            ))
        })
    }
}

/// The name with the fields of `source` in it.
fn with_source(name: &str, source: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let (mut text, mut rest) = (String::new(), name);
    while let Some((before, behind)) = rest.split_once(SOURCE) {
        let Some((field, behind)) = behind.split_once('}') else { break };
        let value = source(field).ok_or_else(|| {
            Error::data(format!(
                "the name of the table needs field `{field}` of `source`, which the record does not have"
            ))
        })?;
        text.push_str(before);
        text.push_str(&value);
        rest = behind;
    }
    text.push_str(rest);
    Ok(text)
}

fn normalized(name: &str) -> String {
    let is_kept = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '.';
    name.chars().map(|character| if is_kept(character) { character } else { '_' }).collect()
}

fn parsed(name: &str, quote: char) -> Option<TableId> {
    let is_empty = split_outside(name, quote, '.').iter().any(|part| part.is_empty());
    if is_empty { None } else { TableId::parse(name, quote) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(format: &str) -> TableNames {
        TableNames {
            format: format.to_owned(),
            by_topic: IndexMap::from([("other".to_owned(), "s.t".to_owned())]),
            is_normalized: false,
            has_no_dots: false,
        }
    }

    fn table(names: &TableNames, topic: &str) -> Result<String> {
        let source = |field: &str| (field == "table").then(|| "orders".to_owned());
        names.table_of(topic, '"', &source).map(|table| table.to_string())
    }

    #[test]
    fn topics_go_to_the_tables_that_are_named() {
        assert_eq!(table(&names("${topic}"), "orders").unwrap(), "orders");
        assert_eq!(table(&names("kafka_${topic}"), "shop.orders").unwrap(), "kafka_shop.orders");
        assert_eq!(table(&names("${topic}"), "other").unwrap(), "s.t");
        assert_eq!(table(&names("\"a.b\".${source.table}_x"), "orders").unwrap(), "a.b.orders_x");
        assert_eq!(names("${source.db}.${source.table}").source_fields(), ["db", "table"]);
        let normalized = TableNames { is_normalized: true, ..names("${topic}") };
        assert_eq!(table(&normalized, "my-orders v1").unwrap(), "my_orders_v1");
        let flat = TableNames { has_no_dots: true, ..names("${topic}") };
        assert_eq!(table(&flat, "server.shop.orders").unwrap(), "server_shop_orders");
    }

    #[test]
    fn what_is_no_name_is_refused_with_the_topic() {
        for topic in ["a.b.c.d", "a..b", ".a"] {
            let error = table(&names("${topic}"), topic).unwrap_err().to_string();
            assert!(error.contains(&format!("`{topic}`")), "{error}");
        }
        assert!(table(&names("${source.database}"), "t").unwrap_err().to_string().contains("`database`"));
        assert!(TableNames::parse_mapping("a").is_err() && TableNames::parse_mapping(":b").is_err());
        assert_eq!(TableNames::parse_mapping("a : b").unwrap(), ("a".to_owned(), "b".to_owned()));
    }
}
