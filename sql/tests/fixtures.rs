//! Fixed records: two different batches of each kind, since a plan must not remember the first when it sees the second.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringArray, StructArray};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use arrow::json::ReaderBuilder;
use volley_api::schema::{DECIMAL, NAME, without_schema};
use volley_api::testing::{self as kit, origin};
use volley_api::{Column, ConfigMap, Header, Origin, Records, Transformation, Value};
use volley_sql::Sql;

const ORDERS: [&str; 2] = [
    r#"{"id":1,"userId":"ann","amount":10,"price":1.50,"country":"DE","qty":"2","address":{"city":"Bonn","zip":"53111"},"items":[{"sku":"a","n":1},{"sku":"b","n":2}],"tags":["x","y"],"ok":true,"at":"2024-01-02T03:04:05.678Z"}
{"id":2,"userId":"bob","amount":0,"price":20.00,"country":"FR","qty":"x","address":{"city":"Lyon"},"items":[],"tags":[],"ok":false}
{"id":3,"userId":"cid","amount":-5,"country":"ES","qty":"7","items":[{"sku":"c","n":3}],"ok":true}"#,
    r#"{"id":4,"userId":"dan","amount":7,"price":3.25,"country":"IT","qty":"1","address":{"city":"Rom","zip":"00100"},"items":[{"sku":"d","n":4}],"tags":["z"],"ok":true}
null
{"id":6,"userId":"ann","amount":1000,"price":9.99,"country":"DE","qty":"3","ok":false}"#,
];

const EVENTS: [&str; 2] = [
    r#"{"eventType":"view","n":1,"_key":"inner"}
{"eventType":"click","n":2,"_key":null}"#,
    r#"{"eventType":"buy","n":3,"_key":"x"}"#,
];

const TEXTS: [&str; 2] = ["alpha\nbeta", "gamma\nnull"];

/// The two batches named `fixture`: `orders`, `events` (schemaless) or `texts` (strings, not structs).
pub(crate) fn batches(fixture: &str) -> Option<Vec<Records>> {
    let values: Vec<Column> = match fixture {
        "orders" => ORDERS.iter().map(|lines| structs(lines, &order_field())).collect(),
        "events" => EVENTS.iter().map(|lines| structs(lines, &event_field())).collect(),
        "texts" => TEXTS.iter().map(|lines| texts(lines)).collect(),
        _ => return None,
    };
    Some(
        values
            .into_iter()
            .enumerate()
            .map(|(batch, value)| records(fixture, (batch as i64 + 1) * 100, value))
            .collect(),
    )
}

/// Records of one value column, consumed from partition 3 from `first_offset` on.
pub(crate) fn records(topic: &str, first_offset: i64, value: Column) -> Records {
    let len = value.len();
    let timestamps: ScalarBuffer<i64> =
        (0..len as i64).map(|row| if row == 1 { -1 } else { first_offset * 1_000 + row }).collect();
    let keys: StringArray = (0..len).map(|row| Some(format!("k{}", first_offset + row as i64))).collect();
    let header = |row: usize| Header::new("trace", Value::String(format!("t{row}")));
    Records {
        kafka_partition: Some(3),
        key: Column::new(Arc::new(Field::new("key", DataType::Utf8, true)), Arc::new(keys)),
        timestamps: Clone::clone(&timestamps),
        headers: Some(Arc::new((0..len).map(|row| if row == 0 { vec![] } else { vec![header(row)] }).collect())),
        origin: Some(Arc::new(Origin { timestamps, ..Origin::clone(&origin(topic, 3, first_offset, len)) })),
        ..kit::records(topic, value)
    }
}

/// The transformation of `query` with the lookup tables `countries` and `plans`, a secret and some functions.
pub(crate) fn sql(query: &str) -> volley_api::Result<Sql> {
    let lookups = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lookups");
    let config: ConfigMap = [
        ("query", query.to_owned()),
        ("lookup.countries.path", format!("{lookups}/countries.csv")),
        ("lookup.plans.path", format!("{lookups}/plans.jsonl")),
        ("hmac.pii.secret", "Jefe".to_owned()),
        ("function.cents", "(amount) -> amount * 100".to_owned()),
        ("function.full_name", "(a, b) -> tidy(a) || ' ' || tidy(b)".to_owned()),
        ("function.tidy", "x -> trim(x)".to_owned()),
        ("function.town", "a -> a.city".to_owned()),
        ("function.missing", "() -> nothing".to_owned()),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect();
    Sql::new(&config)
}

/// Applies `query` to one batch; it must neither fail nor reject a row.
pub(crate) fn apply(query: &str, records: Records) -> Vec<Records> {
    let transformed = sql(query).unwrap().apply(records).unwrap();
    assert!(transformed.rejected.is_empty(), "{:?}", transformed.rejected);
    transformed.records
}

/// A struct column of these values, one JSON object or `null` a line.
pub(crate) fn structs(lines: &str, field: &FieldRef) -> Column {
    let DataType::Struct(fields) = field.data_type() else { panic!("{field} is no struct") };
    let valid: NullBuffer = lines.lines().map(|line| line != "null").collect();
    let objects = lines.replace("null\n{", "{}\n{");
    let nullable: Fields = fields.iter().map(|field| field.as_ref().clone().with_nullable(true)).collect();
    let schema = Arc::new(arrow::datatypes::Schema::new(nullable));
    let batch = ReaderBuilder::new(schema).build(objects.as_bytes()).unwrap().next().unwrap().unwrap();
    let nulls = Some(valid).filter(|nulls| nulls.null_count() > 0);
    let array = StructArray::try_new(fields.clone(), batch.columns().to_vec(), nulls).unwrap();
    Column::new(Arc::clone(field), Arc::new(array))
}

fn texts(lines: &str) -> Column {
    let array: StringArray = lines.lines().map(|line| (line != "null").then_some(line)).collect();
    let array: ArrayRef = Arc::new(array);
    Column::new(Arc::new(Field::new("value", array.data_type().clone(), true)), array)
}

/// The value of `orders`: a Connect struct with a required `id`.
fn order_field() -> FieldRef {
    let optional = |name: &str, data_type| Field::new(name, data_type, true);
    let item = Fields::from(vec![optional("sku", DataType::Utf8), optional("n", DataType::Int32)]);
    let list = |item| DataType::List(Arc::new(Field::new("item", item, true)));
    let address = Fields::from(vec![optional("city", DataType::Utf8), optional("zip", DataType::Utf8)]);
    let price = optional("price", DataType::Decimal128(38, 2)).with_metadata([(NAME.into(), DECIMAL.into())].into());
    let fields = Fields::from(vec![
        Field::new("id", DataType::Int64, false),
        optional("userId", DataType::Utf8),
        optional("amount", DataType::Int64),
        price,
        optional("country", DataType::Utf8),
        optional("qty", DataType::Utf8),
        optional("address", DataType::Struct(address)),
        optional("items", list(DataType::Struct(item))),
        optional("tags", list(DataType::Utf8)),
        optional("ok", DataType::Boolean),
        optional("at", DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))),
    ]);
    let field = Field::new("value", DataType::Struct(fields), true);
    Arc::new(field.with_metadata([(NAME.into(), "shop.Order".into())].into()))
}

fn event_field() -> FieldRef {
    let fields = Fields::from(vec![
        Field::new("eventType", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
        Field::new("_key", DataType::Utf8, true),
    ]);
    Arc::new(without_schema(Field::new("value", DataType::Struct(fields), true)))
}
