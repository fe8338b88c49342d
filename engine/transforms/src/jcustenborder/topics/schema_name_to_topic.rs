//! `SchemaNameToTopic$Key` and `SchemaNameToTopic$Value`: the topic is the name of the schema.

use volley_api::{ConfigDef, Error, Plugin, Records, Result, Side, Transformation, Transformed, schema};

use crate::columns::{Fate, carry_out, column_of};
use crate::jcustenborder::supported::pair;

const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.SchemaNameToTopic$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.SchemaNameToTopic$Value",
];

/// Takes the topic from the name of a schema. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct SchemaNameToTopic(Side);

impl Transformation for SchemaNameToTopic {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        let column = column_of(&records, self.0);
        let name = column.field.metadata().get(schema::NAME).filter(|name| !name.is_empty());
        let no_name = || {
            let message = "there is no schema, or it has no name that could be the topic";
            Fate::Fails(Error::data(message).with_exception("java.lang.NullPointerException"))
        };
        let named = match name.filter(|_| schema::has_schema(&column.field)) {
            Some(name) => Fate::Goes(name.as_str().into()),
            None => no_name(),
        };
        // A tombstone has no schema.
        let fate = |row| if column.is_null(row) { no_name() } else { named.clone() };
        let fates = (0..records.len()).map(fate).collect();
        carry_out(records, CLASSES[usize::from(self.0 == Side::Value)], fates)
    }
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    let what = "Takes the topic of records from the name of the schema of their {side}.";
    pair(CLASSES, what, ConfigDef::new, |_, side| Ok(SchemaNameToTopic(side)))
}
