//! A table, its changes, and what is left of it when the changes of a topic are made in order.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::testbed::Message;

/// Rows by id, as a table or a topic has them.
pub(super) type Rows = BTreeMap<i64, Row>;

/// The columns of a table beside `id`. Not each table has the last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) amount: i64,
    pub(super) note: Option<String>,
}

/// Rows of lines that the `concat_ws('|', id, name, amount)` of a database makes, where it has one also with the note.
pub(super) fn table(lines: &str) -> Rows {
    let row = |line: &str| {
        let mut fields = line.split('|');
        let mut next = || fields.next().map(str::to_owned);
        let (id, name, amount) = (next().unwrap(), next().unwrap(), next().unwrap());
        (id.parse().unwrap(), Row { name, amount: amount.parse().unwrap(), note: next() })
    };
    lines.lines().filter(|line| !line.is_empty()).map(row).collect()
}

/// What is left of a table when all changes of the topic, which has JSON without schemas, are made in order.
pub(super) fn folded(messages: &[Message]) -> Rows {
    let mut rows = Rows::new();
    let json = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap());
    for message in messages {
        let id = json(&message.key).unwrap()["id"].as_i64().unwrap();
        // a record without a value stands behind each deletion
        let Some(change) = json(&message.value) else { continue };
        match &change["after"] {
            Value::Null => rows.remove(&id),
            after => {
                let name = after["name"].as_str().unwrap().to_owned();
                let note = after["note"].as_str().map(str::to_owned);
                rows.insert(id, Row { name, amount: after["amount"].as_i64().unwrap(), note })
            }
        };
    }
    rows
}

/// Statements that change a table: the same for all databases.
pub(super) struct Changes {
    table: &'static str,
    next_id: i64,
}

impl Changes {
    /// Of a table that has so many rows, numbered from 1.
    pub(super) fn new(table: &'static str, rows: i64) -> Self {
        Self { table, next_id: rows + 1 }
    }

    /// Inserts so many rows.
    pub(super) fn insert(&mut self, count: i64) -> String {
        let ids = self.next_id..self.next_id + count;
        self.next_id = ids.end;
        let rows: Vec<_> = ids.map(|id| format!("({id}, 'new {id}', 0)")).collect();
        format!("INSERT INTO {} (id, name, amount) VALUES {};\n", self.table, rows.join(", "))
    }

    /// Changes some of the newest rows.
    pub(super) fn update(&self, newest: i64) -> String {
        let (table, next) = (self.table, self.next_id);
        format!(
            "UPDATE {table} SET amount = amount + 1, name = concat(name, '!') WHERE id % 11 = {} AND id >= {};\n",
            next % 11,
            next - newest,
        )
    }

    /// Inserts so many rows, changes some of them and of those before, and deletes others.
    pub(super) fn next(&mut self, count: i64) -> String {
        let (insert, update) = (self.insert(count), self.update(4 * count));
        let (table, next) = (self.table, self.next_id);
        let delete = format!("DELETE FROM {table} WHERE id % 13 = {} AND id >= {};\n", next % 13, next - 4 * count);
        [insert, update, delete].concat()
    }
}
