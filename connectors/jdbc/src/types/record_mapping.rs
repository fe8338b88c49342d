//! What the rows of a result are as records.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, StructArray};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use arrow::record_batch::RecordBatch;
use chrono_tz::Tz;
use volley_api::schema::{NAME, PARAMETER_PREFIX};
use volley_api::{Column, Error, Result};

use super::conversion::Conversion;
use super::record_key::RecordKey;
use super::{Granularity, NumericMapping};
use crate::database::{Number, ResultColumn};

/// The parameter of a Decimal's schema that says how many digits it may have.
const PRECISION: &str = "connect.decimal.precision";

/// What to do with columns that Java's connector leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UnsupportedColumns {
    /// They come too: arrays as arrays, anything else as text.
    #[default]
    Deliver,
    /// As in Java.
    Drop,
    /// The task fails.
    Fail,
}

impl UnsupportedColumns {
    pub(crate) const NAMES: [&str; 3] = ["deliver", "drop", "fail"];

    /// The choice of this name.
    pub(crate) fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "drop" => Self::Drop,
            "fail" => Self::Fail,
            _ => Self::Deliver,
        }
    }
}

/// What decides about types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TypeSettings {
    /// `numeric.mapping`
    pub(crate) numbers: NumericMapping,
    /// `timestamp.granularity`
    pub(crate) granularity: Granularity,
    /// `db.timezone`
    pub(crate) zone: Tz,
    /// `unsupported.columns`
    pub(crate) unsupported: UnsupportedColumns,
}

/// How the rows of a result become records.
#[derive(Clone, Debug)]
pub(crate) struct RecordMapping {
    source: Vec<ResultColumn>,
    /// Place in the result, how it is converted, its field.
    columns: Vec<(usize, Conversion, FieldRef)>,
    name: Option<String>,
    value_field: FieldRef,
    key: Option<RecordKey>,
}

impl RecordMapping {
    /// The mapping of these columns. `name` is that of the schema: the table's.
    ///
    /// # Errors
    /// `Config` for two columns of one name, and for one that is refused.
    pub(crate) fn new(source: Vec<ResultColumn>, settings: &TypeSettings, name: Option<&str>) -> Result<Self> {
        let mut columns: Vec<(usize, Conversion, FieldRef)> = Vec::with_capacity(source.len());
        for (place, column) in source.iter().enumerate() {
            let of = name.map_or_else(|| "the query".to_owned(), |name| format!("`{name}`"));
            if columns.iter().any(|(_, _, field)| field.name() == column.field.name()) {
                let column = column.field.name();
                return Err(Error::config(format!(
                    "{of} has two columns `{column}`: give them names of their own with AS"
                )));
            }
            if column.is_left_out_by_java && !is_wanted(column, settings.unsupported, &of)? {
                continue;
            }
            let (conversion, field) = mapped(column, settings);
            columns.push((place, conversion, Arc::new(field)));
        }
        let value_field = value_field(&columns, name);
        Ok(Self { source, columns, name: name.map(str::to_owned), value_field, key: None })
    }

    /// The same mapping, for records that have these columns as their keys; none: records without keys.
    ///
    /// # Errors
    /// `Config` for one that is not there, or is left out.
    pub(crate) fn with_keys(mut self, names: &[String]) -> Result<Self> {
        if !names.is_empty() {
            self.key = Some(RecordKey::new(&self.value_field, names, self.name.as_deref())?);
        }
        Ok(self)
    }

    /// The keys of records with these values; `None` if they have none.
    pub(crate) fn key_of(&mut self, values: &Column) -> Option<Column> {
        self.key.as_mut().map(|key| key.of(values))
    }

    /// Whether it is the mapping of these columns.
    pub(crate) fn is_of(&self, source: &[ResultColumn]) -> bool {
        self.source == source
    }

    /// The place of a column in the result.
    ///
    /// # Errors
    /// `Config` if there is no such column.
    pub(crate) fn place_of(&self, name: &str) -> Result<usize> {
        self.source.iter().position(|column| column.field.name() == name).ok_or_else(|| {
            let known: Vec<_> = self.source.iter().map(|column| column.field.name().as_str()).collect();
            Error::config(format!("there is no column `{name}` among those that are read: {}", known.join(", ")))
        })
    }

    /// The rows as values of records.
    ///
    /// # Errors
    /// `Data`, naming the column, for a value that has no place in its type.
    pub(crate) fn values(&mut self, rows: &RecordBatch) -> Result<Column> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        let mut has_changed = false;
        for (place, conversion, field) in &mut self.columns {
            let array = conversion.apply(rows.column(*place)).map_err(|error| {
                let (column, data_type) = (field.name(), field.data_type());
                Error::data(format!("a value of column `{column}` has no place in type {data_type}")).with_source(error)
            })?;
            if !field.is_nullable() && array.null_count() > 0 {
                // an outer join makes nulls of what cannot be null in its table
                *field = Arc::new(field.as_ref().clone().with_nullable(true));
                has_changed = true;
            }
            arrays.push(array);
        }
        if has_changed {
            self.value_field = value_field(&self.columns, self.name.as_deref());
        }
        let DataType::Struct(fields) = self.value_field.data_type() else {
            return Err(Error::fatal("the value of a record is no struct"));
        };
        let value = StructArray::try_new_with_length(fields.clone(), arrays, None, rows.num_rows())?;
        Ok(Column::new(Arc::clone(&self.value_field), Arc::new(value)))
    }
}

/// Whether a column comes that Java leaves out.
fn is_wanted(column: &ResultColumn, choice: UnsupportedColumns, of: &str) -> Result<bool> {
    let (name, type_name) = (column.field.name(), &column.type_name);
    match choice {
        UnsupportedColumns::Deliver => {
            let delivered = column.field.data_type();
            tracing::info!(column = name, type_name, %delivered, "{of} has a column that Java's connector leaves out");
            Ok(true)
        }
        UnsupportedColumns::Drop => {
            tracing::warn!(column = name, type_name, "a column of {of} is left out, as in Java's connector");
            Ok(false)
        }
        UnsupportedColumns::Fail => Err(Error::config(format!(
            "column `{name}` of {of} is of type {type_name}, for which Java's connector has none: set \
             `unsupported.columns` to deliver or drop, or cast the column in a `query`"
        ))),
    }
}

fn mapped(column: &ResultColumn, settings: &TypeSettings) -> (Conversion, Field) {
    let delivered = column.field.data_type();
    let conversion = match settings.numbers.target(column.number, delivered) {
        Some(target) => Conversion::Number(target),
        None if column.has_days => Conversion::Days,
        None => Conversion::to_connect(delivered, settings.zone, settings.granularity),
    };
    let target = conversion.target(delivered);
    let mut metadata = HashMap::new();
    if let Number::Numeric { precision } | Number::Decimal { precision } = column.number
        && matches!(target, DataType::Decimal128(..) | DataType::Decimal256(..))
    {
        metadata.insert(format!("{PARAMETER_PREFIX}{PRECISION}"), precision.to_string());
    }
    if column.number == Number::Unlimited && target == DataType::Utf8 {
        let (column, type_name) = (column.field.name(), &column.type_name);
        tracing::info!(
            column,
            type_name,
            "a number of no fixed scale is delivered as text; `numeric.mapping=best_fit` makes it floating point"
        );
    }
    (conversion, Field::new(column.field.name(), target, column.field.is_nullable()).with_metadata(metadata))
}

fn value_field(columns: &[(usize, Conversion, FieldRef)], name: Option<&str>) -> FieldRef {
    let fields: Fields = columns.iter().map(|(_, _, field)| Arc::clone(field)).collect();
    let metadata = name.map(|name| (NAME.to_owned(), name.to_owned())).into_iter().collect();
    Arc::new(Field::new("value", DataType::Struct(fields), false).with_metadata(metadata))
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, AsArray, Decimal128Array, Int32Array, TimestampMicrosecondArray};
    use arrow::datatypes::{Schema, TimeUnit, TimestampMillisecondType};

    use super::*;

    fn settings() -> TypeSettings {
        TypeSettings {
            numbers: NumericMapping::None,
            granularity: Granularity::ConnectLogical,
            zone: Tz::UTC,
            unsupported: UnsupportedColumns::Deliver,
        }
    }

    fn column(name: &str, data_type: DataType, number: Number) -> ResultColumn {
        let field = Field::new(name, data_type, false);
        ResultColumn { field, type_name: "t".to_owned(), number, has_days: false, is_left_out_by_java: false }
    }

    fn rows(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let fields: Vec<_> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect())
            .unwrap()
    }

    #[test]
    fn a_decimal_has_its_precision_and_a_record_the_name_of_its_table() {
        let columns = vec![column("price", DataType::Decimal128(38, 2), Number::Numeric { precision: 9 })];
        let mut mapping = RecordMapping::new(columns, &settings(), Some("orders")).unwrap();
        let prices = Decimal128Array::from(vec![1234]).with_precision_and_scale(38, 2).unwrap();
        let value = mapping.values(&rows(vec![("price", Arc::new(prices))])).unwrap();
        assert_eq!(value.field.metadata()[NAME], "orders");
        let field = &value.array.as_struct().fields()[0];
        assert_eq!(field.metadata()["connect.parameters.connect.decimal.precision"], "9");
        assert!(!field.is_nullable() && !value.field.is_nullable());
    }

    #[test]
    fn a_null_where_there_can_be_none_makes_the_field_optional_from_then_on() {
        let mut mapping =
            RecordMapping::new(vec![column("a", DataType::Int32, Number::No)], &settings(), None).unwrap();
        let is_nullable = |value: Column| value.array.as_struct().fields()[0].is_nullable();
        let of = |values: Vec<Option<i32>>| rows(vec![("a", Arc::new(Int32Array::from(values)) as ArrayRef)]);
        assert!(!is_nullable(mapping.values(&of(vec![Some(1)])).unwrap()));
        assert!(is_nullable(mapping.values(&of(vec![None])).unwrap()));
        assert!(is_nullable(mapping.values(&of(vec![Some(1)])).unwrap()));
    }

    #[test]
    fn clocks_without_a_zone_show_the_database_s_time() {
        let columns = vec![column("at", DataType::Timestamp(TimeUnit::Microsecond, None), Number::No)];
        let zone = "America/New_York".parse().unwrap();
        let mut mapping = RecordMapping::new(columns, &TypeSettings { zone, ..settings() }, None).unwrap();
        let noon = 1_700_049_600_000_000_i64;
        let times = TimestampMicrosecondArray::from(vec![noon, i64::MAX]);
        let value = mapping.values(&rows(vec![("at", Arc::new(times))])).unwrap();
        let found = value.array.as_struct().column(0).as_primitive::<TimestampMillisecondType>().value(0);
        assert_eq!(found, noon / 1_000 + 5 * 3_600_000);
    }

    #[test]
    fn what_has_no_place_in_its_type_names_the_column() {
        let columns = vec![column("n", DataType::Decimal128(38, 0), Number::Numeric { precision: 2 })];
        let numbers = NumericMapping::BestFit;
        let mut mapping = RecordMapping::new(columns, &TypeSettings { numbers, ..settings() }, None).unwrap();
        let numbers = Decimal128Array::from(vec![1234]).with_precision_and_scale(38, 0).unwrap();
        let error = mapping.values(&rows(vec![("n", Arc::new(numbers))])).unwrap_err();
        assert!(error.to_string().contains("`n`"), "{error}");
    }

    #[test]
    fn what_java_leaves_out_comes_is_left_out_or_refused() {
        let of = |unsupported| {
            let column = ResultColumn { is_left_out_by_java: true, ..column("tags", DataType::Utf8, Number::No) };
            RecordMapping::new(vec![column], &TypeSettings { unsupported, ..settings() }, None)
        };
        assert_eq!(of(UnsupportedColumns::Deliver).unwrap().columns.len(), 1);
        assert_eq!(of(UnsupportedColumns::Drop).unwrap().columns.len(), 0);
        assert!(of(UnsupportedColumns::Fail).unwrap_err().to_string().contains("`tags`"));
        let twice = vec![column("a", DataType::Utf8, Number::No), column("a", DataType::Utf8, Number::No)];
        assert!(RecordMapping::new(twice, &settings(), None).is_err());
    }
}
