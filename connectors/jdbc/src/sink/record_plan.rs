//! Which columns of keys, values and Kafka's coordinates become which columns of a table.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, StringArray, make_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use volley_api::{Column, Error, Header, Records, Result, Value};

use super::column_values::{Nested, ValueSettings, written};

/// Columns of `pk.mode=kafka` where `pk.fields` names none.
const KAFKA_COLUMNS: [&str; 3] = ["__connect_topic", "__connect_partition", "__connect_offset"];

/// Where the primary key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyMode {
    None,
    /// Topic, partition and offset.
    Kafka,
    /// The key of the record.
    RecordKey,
    /// Fields of the value.
    RecordValue,
    /// Headers, in Debezium's connector.
    RecordHeader,
}

/// What decides about columns.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct PlanSettings {
    pub(super) key_mode: KeyMode,
    /// `pk.fields`
    pub(super) key_fields: Vec<String>,
    /// The fields of the value that are written; empty: all.
    pub(super) included: Vec<String>,
    /// Fields of the value that are not.
    pub(super) excluded: Vec<String>,
    /// The column for values that are no structs.
    pub(super) text_column: String,
    /// Whether a null value removes the row with its key.
    pub(super) deletes: bool,
    pub(super) values: ValueSettings,
}

/// A column of a table, with a value for each record.
#[derive(Clone, Debug)]
pub(super) struct PlannedColumn {
    pub(super) field: Field,
    pub(super) array: ArrayRef,
    pub(super) is_key: bool,
}

/// What records of one schema are in a table.
#[derive(Debug)]
pub(super) struct Planned {
    /// Keys first.
    pub(super) columns: Vec<PlannedColumn>,
    /// Of each record, whether it removes the row with its key.
    pub(super) removes: Vec<bool>,
    /// Records that cannot be written.
    pub(super) rejected: BTreeMap<usize, Error>,
}

impl Planned {
    /// No record.
    pub(super) fn nothing() -> Self {
        Self { columns: Vec::new(), removes: Vec::new(), rejected: BTreeMap::new() }
    }

    /// What these records are; `removes` says of each whether it removes a row.
    ///
    /// # Errors
    /// `Data` if none of them can be written, by their schema.
    pub(super) fn new(records: &Records, removes: Vec<bool>, settings: &PlanSettings) -> Result<Self> {
        let mut planned = Self { columns: Vec::new(), removes, rejected: BTreeMap::new() };
        for row in (0..records.len()).filter(|row| records.value.is_null(*row)) {
            if !planned.removes[row] {
                planned.reject(row, "the value is null: `delete.enabled=true` would remove the row with its key");
            }
        }
        planned.add_keys(records, settings)?;
        if planned.removes.iter().all(|removes| *removes) {
            return Ok(planned);
        }
        planned.add_values(records, settings)?;
        if planned.columns.is_empty() {
            return Err(Error::data("no field of the value is written: see `fields.whitelist`"));
        }
        Ok(planned)
    }

    fn reject(&mut self, row: usize, why: impl Into<String>) {
        self.rejected.entry(row).or_insert_with(|| Error::data(why));
    }

    fn add_keys(&mut self, records: &Records, settings: &PlanSettings) -> Result<()> {
        let whole = match settings.key_mode {
            KeyMode::None => return Ok(()),
            KeyMode::Kafka => return self.add_coordinates(records, &settings.key_fields),
            KeyMode::RecordHeader => return self.add_headers(records, settings),
            KeyMode::RecordKey => &records.key,
            KeyMode::RecordValue => &records.value,
        };
        let what = if settings.key_mode == KeyMode::RecordKey { "key" } else { "value" };
        if whole.array.data_type() == &DataType::Null {
            return Err(Error::data(format!("the {what} is null, and `pk.mode` takes the primary key from it")));
        }
        for row in (0..records.len()).filter(|row| whole.is_null(*row)) {
            self.reject(row, format!("the {what} is null, and `pk.mode` takes the primary key from it"));
        }
        match (whole.array.data_type(), &settings.key_fields[..]) {
            (DataType::Struct(fields), []) => {
                let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
                self.add_key_fields(whole, &names, what, settings)
            }
            (DataType::Struct(_), names) => self.add_key_fields(whole, names, what, settings),
            (_, [name]) => {
                let field = whole.field.as_ref().clone().with_name(name);
                self.add(&field, &whole.array, true, settings)
            }
            (data_type, names) => Err(Error::data(format!(
                "the {what} is of type {data_type}, which is one column: `pk.fields` must be its name, and not {} names",
                names.len()
            ))),
        }
    }

    fn add_key_fields(&mut self, whole: &Column, names: &[String], what: &str, settings: &PlanSettings) -> Result<()> {
        let structs = whole.array.as_struct();
        for name in names {
            let Some((place, field)) = structs.fields().find(name) else {
                let known = field_names(structs.fields());
                return Err(Error::data(format!("the {what} has no field `{name}` of `pk.fields`: it has {known}")));
            };
            let array = child(structs.column(place), structs.nulls())?;
            self.add(field, &array, true, settings)?;
        }
        Ok(())
    }

    fn add_coordinates(&mut self, records: &Records, names: &[String]) -> Result<()> {
        let name = |place: usize| names.get(place).map_or(KAFKA_COLUMNS[place], String::as_str);
        let len = records.len();
        let topic: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&*records.topic, len)));
        let partition: ArrayRef = Arc::new(Int32Array::from_iter_values(std::iter::repeat_n(
            records.kafka_partition.unwrap_or_default(),
            len,
        )));
        let offsets = (0..len).map(|row| records.offset(row).unwrap_or_default());
        let offsets: ArrayRef = Arc::new(Int64Array::from_iter_values(offsets));
        for (place, array) in [topic, partition, offsets].into_iter().enumerate() {
            let field = Field::new(name(place), array.data_type().clone(), false);
            self.columns.push(PlannedColumn { field, array, is_key: true });
        }
        Ok(())
    }

    fn add_headers(&mut self, records: &Records, settings: &PlanSettings) -> Result<()> {
        for name in &settings.key_fields {
            let last = |row: usize| {
                let headers = records.headers.as_ref()?.get(row)?;
                headers.iter().rev().find(|header| *header.name == **name)
            };
            let array = header_values((0..records.len()).map(last));
            let field = Field::new(name, array.data_type().clone(), true);
            self.add(&field, &array, true, settings)?;
        }
        Ok(())
    }

    fn add_values(&mut self, records: &Records, settings: &PlanSettings) -> Result<()> {
        let value = &records.value;
        match value.array.data_type() {
            // only rows that are rejected or remove something
            DataType::Null => Ok(()),
            DataType::Struct(_) => {
                let is_named = |list: &[String], name: &str| {
                    list.iter().any(|entry| match entry.split_once(':') {
                        Some((topic, field)) => topic == &*records.topic && field == name,
                        None => entry == name,
                    })
                };
                let is_written = |name: &str| {
                    (settings.included.is_empty() || is_named(&settings.included, name))
                        && !is_named(&settings.excluded, name)
                };
                self.add_fields("", &value.array, settings, &is_written)
            }
            _ => {
                let field = value.field.as_ref().clone().with_name(&settings.text_column);
                self.add(&field, &value.array, false, settings)
            }
        }
    }

    fn add_fields(
        &mut self,
        prefix: &str,
        structs: &ArrayRef,
        settings: &PlanSettings,
        is_written: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let structs = structs.as_struct();
        for (field, array) in structs.fields().iter().zip(structs.columns()) {
            if prefix.is_empty() && !is_written(field.name()) {
                continue;
            }
            let name = format!("{prefix}{}", field.name());
            let array = child(array, structs.nulls())?;
            if settings.values.nested == Nested::Flatten && matches!(field.data_type(), DataType::Struct(_)) {
                self.add_fields(&format!("{name}_"), &array, settings, is_written)?;
                continue;
            }
            let is_nullable = field.is_nullable() || structs.null_count() > 0 && !prefix.is_empty();
            let field = field.as_ref().clone().with_name(name).with_nullable(is_nullable);
            self.add(&field, &array, false, settings)?;
        }
        Ok(())
    }

    /// Adds a column, unless it is there: of a field of the value with the name of a key, the key counts.
    fn add(&mut self, field: &Field, array: &ArrayRef, is_key: bool, settings: &PlanSettings) -> Result<()> {
        if self.columns.iter().any(|column| column.field.name() == field.name()) {
            return Ok(());
        }
        let mut refused = Vec::new();
        let (field, array) = written(field, array, &settings.values, &mut refused)?;
        for row in refused {
            self.reject(
                row,
                format!("the value of field `{}` has no place in type {}", field.name(), field.data_type()),
            );
        }
        if is_key {
            for row in (0..array.len()).filter(|row| array.is_null(*row)) {
                self.reject(row, format!("field `{}` of the primary key is null", field.name()));
            }
        }
        let field = if is_key { field.with_nullable(false) } else { field };
        self.columns.push(PlannedColumn { field, array, is_key });
        Ok(())
    }
}

/// The names of fields, for messages.
fn field_names(fields: &Fields) -> String {
    fields.iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
}

/// The values of a header, as numbers where all of them are integers, else as texts.
fn header_values<'a>(headers: impl Iterator<Item = Option<&'a Header>> + Clone) -> ArrayRef {
    let integer = |header: &Header| match header.value {
        Value::Int8(number) => Some(i64::from(number)),
        Value::Int16(number) => Some(i64::from(number)),
        Value::Int32(number) => Some(i64::from(number)),
        Value::Int64(number) => Some(number),
        _ => None,
    };
    if headers.clone().flatten().all(|header| integer(header).is_some()) {
        return Arc::new(headers.map(|header| header.and_then(integer)).collect::<Int64Array>());
    }
    let text = |header: &Header| match (&header.text, &header.value) {
        (Some(text), _) => Some(text.to_string()),
        (None, Value::String(text)) => Some(text.clone()),
        (None, Value::Boolean(truth)) => Some(truth.to_string()),
        (None, Value::Float32(number)) => Some(number.to_string()),
        (None, Value::Float64(number)) => Some(number.to_string()),
        _ => integer(header).map(|number| number.to_string()),
    };
    Arc::new(headers.map(|header| header.and_then(text)).collect::<StringArray>())
}

/// Values of a struct's field, null also where the struct is.
pub(super) fn child(array: &ArrayRef, parent: Option<&NullBuffer>) -> Result<ArrayRef> {
    match parent.filter(|nulls| nulls.null_count() > 0) {
        None => Ok(Arc::clone(array)),
        Some(_) if array.data_type() == &DataType::Null => Ok(Arc::clone(array)),
        Some(nulls) => {
            let nulls = NullBuffer::union(Some(nulls), array.logical_nulls().as_ref());
            Ok(make_array(array.to_data().into_builder().nulls(nulls).build()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{BooleanArray, StructArray};
    use arrow::util::display::array_value_to_string;
    use chrono_tz::Tz;
    use volley_api::testing::{column, consumed, texts};

    use super::*;

    pub(crate) fn settings(key_mode: KeyMode, key_fields: &[&str]) -> PlanSettings {
        PlanSettings {
            key_mode,
            key_fields: key_fields.iter().map(|name| (*name).to_owned()).collect(),
            included: Vec::new(),
            excluded: Vec::new(),
            text_column: "record_value".to_owned(),
            deletes: key_mode == KeyMode::RecordKey,
            values: ValueSettings {
                date_zone: Tz::UTC,
                timestamp_fields: Vec::new(),
                counts_nanos: false,
                fills_defaults: true,
                nested: Nested::Json,
                means_debezium: false,
            },
        }
    }

    fn orders() -> Records {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
        let paid: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None]));
        let fields = vec![Field::new("id", DataType::Int64, false), Field::new("paid", DataType::Boolean, true)];
        let nulls = NullBuffer::from(vec![true, false]);
        let value = StructArray::try_new(fields.into(), vec![ids, paid], Some(nulls)).unwrap();
        Records { key: texts(["a", "b"]), ..consumed("orders", 3, 5, column(value)) }
    }

    fn plan(records: &Records, settings: &PlanSettings) -> Result<Planned> {
        let removes = (0..records.len()).map(|row| settings.deletes && records.value.is_null(row)).collect();
        Planned::new(records, removes, settings)
    }

    fn shown(planned: &Planned) -> Vec<String> {
        let column = |column: &PlannedColumn| {
            let key = if column.is_key { "*" } else { "" };
            format!("{key}{}={}", column.field.name(), array_value_to_string(&column.array, 0).unwrap())
        };
        planned.columns.iter().map(column).collect()
    }

    #[test]
    fn the_key_is_what_the_mode_says() {
        let of = |mode, fields: &[&str]| shown(&plan(&orders(), &settings(mode, fields)).unwrap());
        assert_eq!(of(KeyMode::None, &[]), ["id=7", "paid=true"]);
        assert_eq!(of(KeyMode::RecordKey, &["k"]), ["*k=a", "id=7", "paid=true"]);
        assert_eq!(of(KeyMode::RecordKey, &["id"]), ["*id=a", "paid=true"], "the key counts");
        assert_eq!(of(KeyMode::RecordValue, &["id"]), ["*id=7", "paid=true"]);
        let coordinates = ["*__connect_topic=orders", "*__connect_partition=3", "*__connect_offset=5"];
        assert_eq!(of(KeyMode::Kafka, &[])[..3], coordinates);
        assert_eq!(of(KeyMode::Kafka, &["t", "p", "o"])[..3], ["*t=orders", "*p=3", "*o=5"]);
        for (mode, fields, said) in [
            (KeyMode::RecordKey, &[][..], "`pk.fields`"),
            (KeyMode::RecordKey, &["a", "b"], "`pk.fields`"),
            (KeyMode::RecordValue, &["nothing"], "`nothing`"),
        ] {
            let error = plan(&orders(), &settings(mode, fields)).unwrap_err().to_string();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn a_null_value_removes_a_row_or_is_rejected() {
        let planned = plan(&orders(), &settings(KeyMode::RecordKey, &["k"])).unwrap();
        assert_eq!((planned.removes, planned.rejected.len()), (vec![false, true], 0));
        let planned = plan(&orders(), &settings(KeyMode::None, &[])).unwrap();
        assert_eq!(planned.rejected.keys().copied().collect::<Vec<_>>(), [1]);
    }

    #[test]
    fn headers_are_a_key_of_numbers_or_texts() {
        let header = |value| vec![Header::new("h", value)];
        let with = |values: [Value; 2]| {
            let headers = Some(Arc::new(values.map(header).to_vec()));
            plan(&Records { headers, ..orders() }, &settings(KeyMode::RecordHeader, &["h"])).unwrap()
        };
        assert_eq!(shown(&with([Value::Int8(1), Value::Int64(2)]))[0], "*h=1");
        assert_eq!(shown(&with([Value::Int8(1), Value::String("a".to_owned())]))[0], "*h=1");
        let without = plan(&orders(), &settings(KeyMode::RecordHeader, &["h"])).unwrap();
        assert_eq!(without.rejected.len(), 2);
    }

    #[test]
    fn fields_are_chosen_and_values_without_fields_have_a_column() {
        let chosen = PlanSettings { included: vec!["paid".to_owned()], ..settings(KeyMode::RecordValue, &["id"]) };
        assert_eq!(shown(&plan(&orders(), &chosen).unwrap()), ["*id=7", "paid=true"]);
        let none = PlanSettings { included: vec!["x".to_owned()], ..settings(KeyMode::None, &[]) };
        assert!(plan(&orders(), &none).is_err());
        let lines = consumed("lines", 0, 0, texts(["one"]));
        assert_eq!(shown(&plan(&lines, &settings(KeyMode::None, &[])).unwrap()), ["record_value=one"]);
    }

    #[test]
    fn a_struct_in_a_struct_is_json_columns_or_refused() {
        let inner = orders().value.array;
        let field = Field::new("order", inner.data_type().clone(), true);
        let value = StructArray::try_new(vec![field].into(), vec![inner], None).unwrap();
        let records = consumed("orders", 0, 0, column(value));
        let of = |nested| {
            let mut settings = settings(KeyMode::None, &[]);
            settings.values.nested = nested;
            plan(&records, &settings)
        };
        assert_eq!(shown(&of(Nested::Json).unwrap()), [r#"order={"id":7,"paid":true}"#]);
        assert_eq!(shown(&of(Nested::Flatten).unwrap()), ["order_id=7", "order_paid=true"]);
        assert!(of(Nested::Fail).unwrap_err().to_string().contains("`order`"));
    }
}
