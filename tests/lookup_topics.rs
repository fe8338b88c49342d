//! A compacted topic as a lookup table of SQL.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::delivered_rows::on_disk;
use crate::testbed::Kafka;
use crate::worker_process::Volley;

const RECORDS: i64 = 1_000;

#[test]
fn the_first_record_is_joined_with_all_that_the_topic_of_the_table_has() {
    let kafka = Kafka::shared();
    let customers = kafka.topic_with("customers", 3, &[("cleanup.policy", "compact")]);
    // what is written last counts
    kafka.produce(&customers, 20, |number, key, value| {
        let customer = number % 10;
        key.extend_from_slice(customer.to_string().as_bytes());
        let kind = match (number < 10, customer % 2) {
            (true, _) => "old",
            (false, 0) => "even",
            (false, _) => "odd",
        };
        value.extend_from_slice(format!(r#"{{"kind":"{kind}"}}"#).as_bytes());
        (customer % 3) as i32
    });
    let topic = kafka.topic("joined", 1);
    kafka.produce(&topic, RECORDS as usize, |number, _, value| {
        let record = format!(r#"{{"p":0,"n":{number},"customer":"{}"}}"#, number % 10);
        value.extend_from_slice(record.as_bytes());
        0
    });
    let volley = Volley::new();
    volley.worker(&kafka.bootstrap_servers(), &[]);
    let url = format!("file://{}", volley.path("out").display());
    volley.file(
        "sink.properties",
        &[
            ("name", topic.as_str()),
            ("connector.class", "ObjectStoreSink"),
            ("topics", &topic),
            ("store.url", &url),
            ("volley.mode", "bounded"),
            ("transforms", "sql"),
            ("transforms.sql.type", "Sql"),
            (
                "transforms.sql.query",
                "SELECT p, n FROM records r JOIN customers c ON r.customer = c._key WHERE c.kind = 'even'",
            ),
            ("transforms.sql.lookup.customers.topic", &customers),
        ],
    );
    let end =
        volley.run(Duration::from_secs(120), &["standalone", "worker.properties", "sink.properties", "--until-done"]);
    assert!(end.status.success(), "{}", end.log);
    let even: BTreeMap<(i64, i64), u32> = (0..RECORDS).filter(|n| n % 2 == 0).map(|n| ((0, n), 1)).collect();
    assert_eq!(on_disk(&volley.path("out")).into_iter().collect::<BTreeMap<_, _>>(), even);
}
