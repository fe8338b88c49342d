//! Law 5: what is in memory is bounded by settings, however slow the sink and however much there is to read.

use std::time::Duration;

use crate::testbed::{Kafka, wait_until};
use crate::worker_process::{Volley, request};

const MIB: u64 = 1024 * 1024;

#[test]
fn a_slow_sink_does_not_fill_the_memory_with_what_it_has_not_taken_yet() {
    let kafka = Kafka::shared();
    let topic = kafka.topic("large", 16);
    // hardly compressible, as it is the unpacked answers of the broker that occupy memory
    let mut random = 1_u64;
    kafka.produce(&topic, 150_000, |number, _, value| {
        value.extend_from_slice(format!("{{\"n\":{number},\"filler\":\"").as_bytes());
        for _ in 0..250 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            value.extend_from_slice(format!("{:08x}", random >> 32).as_bytes());
        }
        value.extend_from_slice(b"\"}");
        (number % 16) as i32
    });
    let volley = Volley::new();
    volley.worker(
        &kafka.bootstrap_servers(),
        &[("volley.memory.budget.bytes", "8388608"), ("volley.batch.max.rows", "1000")],
    );
    volley.file(
        "sink.properties",
        &[("name", &topic), ("connector.class", "Blackhole"), ("topics", &topic), ("delay.ms", "200")],
    );
    let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    let rest = worker.rest();
    let idle = worker.resident_bytes();
    let progress = |member: &str| {
        let (_, progress) = request(&rest, "GET", &format!("/volley/connectors/{topic}/progress"), None);
        progress["total"][member].as_u64().unwrap_or_default()
    };
    wait_until(Duration::from_secs(60), "the sink is at work", || (progress("rows_out") >= 15_000).then_some(()));
    let (read, delivered) = (progress("rows_in"), progress("rows_out"));
    assert!(read - delivered < 20_000, "{read} rows were read, {delivered} delivered");
    let more = worker.resident_bytes().saturating_sub(idle);
    // 8 MiB of budget, the consumer's own queue, and what is being decoded; all of the topic would be 300 MiB
    assert!(more < 160 * MIB, "{} MiB more than idle", more / MIB);
}
