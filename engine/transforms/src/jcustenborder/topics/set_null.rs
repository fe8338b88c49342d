//! `SetNull$Key` and `SetNull$Value`: a null in place of the key or the value.

use volley_api::{Column, ConfigDef, Plugin, Records, Result, Side, Transformation, Transformed};

use crate::columns::with_column;
use crate::jcustenborder::supported::pair;

const CLASSES: [&str; 2] = [
    "com.github.jcustenborder.kafka.connect.transform.common.SetNull$Key",
    "com.github.jcustenborder.kafka.connect.transform.common.SetNull$Value",
];

/// Puts a null in place of a side. It has no keys of its own.
#[derive(Clone, Copy, Debug)]
struct SetNull(Side);

impl Transformation for SetNull {
    fn apply(&mut self, records: Records) -> Result<Transformed> {
        Ok(Transformed::of(with_column(&records, self.0, Column::nulls(records.len()))))
    }
}

pub(in crate::jcustenborder) fn plugins() -> [Plugin; 2] {
    pair(CLASSES, "Puts a null in the place of the {side}.", ConfigDef::new, |_, side| Ok(SetNull(side)))
}
