//! Debezium's `JdbcSinkConnector` on real databases: changes into tables.

use serde_json::{Value, json};

use crate::jdbc_sink_worker::{Target, order, write};
use crate::testbed::Kafka;

/// A change as Debezium's connectors send it.
fn change(operation: &str, before: Value, after: Value) -> String {
    let row = |name: &str| {
        json!({"field": name, "type": "struct", "optional": true, "name": "shop.orders.Value", "fields": [
            {"field": "id", "type": "int32", "optional": false},
            {"field": "name", "type": "string", "optional": true},
            {"field": "at", "type": "int64", "optional": true, "name": "io.debezium.time.MicroTimestamp", "version": 1},
        ]})
    };
    let source = json!({"field": "source", "type": "struct", "optional": false, "fields": [
        {"field": "schema", "type": "string", "optional": true}, {"field": "table", "type": "string", "optional": true}]});
    json!({
        "schema": {"type": "struct", "optional": false, "name": "shop.orders.Envelope", "fields": [
            row("before"), row("after"), source, {"field": "op", "type": "string", "optional": false}]},
        "payload": {"before": before, "after": after, "source": {"schema": "s", "table": "orders"}, "op": operation},
    })
    .to_string()
}

#[test]
fn changes_of_debezium_keep_a_table_as_its_origin_is() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("server.shop", 1);
    let row = |id: i64, name: &str| json!({"id": id, "name": name, "at": 1_767_323_045_678_901_i64});
    let key = |id: i64| {
        json!({"schema": {"type": "struct", "optional": false, "fields": [
            {"field": "id", "type": "int32", "optional": false}]}, "payload": {"id": id}})
        .to_string()
    };
    let events = [
        (key(9), Some(change("r", Value::Null, row(9, "gone with the rest")))),
        (key(0), Some(change("t", Value::Null, Value::Null))),
        (key(1), Some(change("c", Value::Null, row(1, "one")))),
        (key(2), Some(change("c", Value::Null, row(2, "two")))),
        (key(1), Some(change("u", row(1, "one"), row(1, "uno")))),
        (key(2), Some(change("d", row(2, "two"), Value::Null))),
        (key(2), None),
        (key(3), Some(order(3, "flat"))),
    ];
    let pairs: Vec<_> = events.iter().map(|(key, value)| (key.as_str(), value.as_deref())).collect();
    kafka.produce_pairs(&topic, &pairs);
    for target in Target::all("changes") {
        let keys = [
            ("connector.class", "io.debezium.connector.jdbc.JdbcSinkConnector"),
            ("connection.username", "volley"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
            ("insert.mode", "upsert"),
            ("primary.key.mode", "record_key"),
            ("delete.enabled", "true"),
            ("truncate.enabled", "true"),
            ("schema.evolution", "basic"),
            ("collection.name.format", "copy_${topic}"),
            ("quote.identifiers", "true"),
        ];
        write(kafka, &target, &topic, &keys);
        let table = target.quoted(&format!("copy_{}", topic.replace('.', "_")));
        assert_eq!(
            target.sql(&format!("SELECT id, name FROM {table} ORDER BY id")),
            "1|uno\n3|flat",
            "{}",
            target.name()
        );
        let at = target.sql(&format!("SELECT at FROM {table} WHERE id = 1"));
        let expected = if let Target::Sqlite(_) = target { "1767323045678" } else { "2026-01-02 03:04:05.678901" };
        assert_eq!(at, expected, "{}", target.name());
    }
}
