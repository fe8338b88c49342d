//! Both clients that fetch against three brokers, of which some die, move their partitions, or fall silent: nothing is lost,
//! nothing comes twice, each partition stays in order, and nothing waits longer than the time-outs say.

mod readers;

use std::time::{Duration, Instant};

use rdkafka::admin::{AdminOptions, NewPartitions};
use rdkafka::{Offset, TopicPartitionList};
use volley_api::TopicPartition;

use crate::delivered_rows::{assert_exactly_once, on_disk};
use crate::testbed::{BROKERS, HIDDEN, KafkaCluster, wait_until};
use crate::worker_process::Volley;
use readers::{Load, Reader, SOON, Writer};

/// A partition for each broker to lead.
const ONE_EACH: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
/// A broker that answers nothing is given up after this time.
const IMPATIENT: (&str, &str) = ("request.timeout.ms", "3000");

fn write_numbers(cluster: &KafkaCluster, topic: &str, records: usize) {
    cluster.produce(topic, records, |number, _, value| {
        value.extend_from_slice(number.to_string().as_bytes());
        0
    });
}

fn delete_before(cluster: &KafkaCluster, topic: &str, offset: i64) {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, 0, Offset::Offset(offset)).unwrap();
    let deleted = futures::executor::block_on(cluster.admin().delete_records(&list, &AdminOptions::new())).unwrap();
    assert!(deleted.elements()[0].error().is_ok());
}

#[test]
fn partitions_go_on_whichever_broker_is_killed() {
    let mut cluster = KafkaCluster::shared();
    let topic = cluster.topic("killed", &ONE_EACH, &[]);
    let load = Load::start(&cluster, &topic, 3, &[]);
    for (id, partition) in [(1, 0), (2, 1)] {
        cluster.kill(id);
        cluster.await_leader(&topic, partition, |leader| leader != id);
        load.await_flow("after its leader was killed");
        cluster.heal();
        cluster.await_in_sync(&topic, partition, &BROKERS);
        cluster.elect_preferred(&topic, partition);
        cluster.await_leader(&topic, partition, |leader| leader == id);
        load.await_flow("with the leader of before");
    }
    load.assert_nothing_lost_and_nothing_twice(&cluster);
}

#[test]
fn partitions_go_on_where_they_are_moved_to() {
    let cluster = KafkaCluster::shared();
    let topic = cluster.topic("moved", &[&[1, 2], &[2, 1]], &[]);
    let load = Load::start(&cluster, &topic, 2, &[]);
    // the old leader is no replica any more
    for replicas in [[3, 2], [2, 1], [1, 3]] {
        cluster.reassign(&topic, 0, &replicas);
        cluster.elect_preferred(&topic, 0);
        cluster.await_leader(&topic, 0, |leader| leader == replicas[0]);
        load.await_flow("on other brokers");
    }
    // the leader alone moves, to and fro
    for _ in 0..3 {
        for replicas in [[1, 2], [2, 1]] {
            cluster.reassign(&topic, 1, &replicas);
            cluster.elect_preferred(&topic, 1);
            cluster.await_leader(&topic, 1, |leader| leader == replicas[0]);
        }
    }
    load.await_flow("after elections");
    load.assert_nothing_lost_and_nothing_twice(&cluster);
}

#[test]
fn partitions_go_on_when_all_brokers_were_killed() {
    let mut cluster = KafkaCluster::shared();
    let topic = cluster.topic("all-killed", &ONE_EACH, &[]);
    let load = Load::start(&cluster, &topic, 3, &[]);
    for id in BROKERS {
        cluster.kill(id);
    }
    cluster.heal();
    for partition in 0..3 {
        cluster.await_leader(&topic, partition, |_| true);
    }
    load.await_flow("after all brokers were killed");
    // without any broker that saw the last records, the producer may write some again, or in another order
    load.assert_all_is_read_once(&cluster);
}

#[test]
fn a_broker_that_falls_silent_delays_only_its_own_partitions_and_those_as_long_as_a_request_may_take() {
    let mut cluster = KafkaCluster::shared();
    let topic = cluster.topic("silent", &ONE_EACH, &[]);
    let load = Load::start(&cluster, &topic, 3, &[IMPATIENT]);
    cluster.freeze(2);
    load.await_flow_of(&[0, 2], "while another broker is silent");
    cluster.await_leader(&topic, 1, |leader| leader != 2);
    load.await_flow("after a broker fell silent");
    cluster.heal();
    cluster.await_in_sync(&topic, 1, &BROKERS);
    load.await_flow("after it speaks again");
    load.assert_nothing_lost_and_nothing_twice(&cluster);
}

#[test]
fn partitions_of_a_broker_that_cannot_be_reached_wait_and_others_go_on() {
    let cluster = KafkaCluster::shared();
    let topic = cluster.topic("hidden", &ONE_EACH, &[]);
    let load = Load::begin(&cluster, &topic, 3, &[("bootstrap.servers", &cluster.outer_bootstrap_servers())]);
    load.await_flow_of(&[0, 1], "beside a broker that cannot be reached");
    for reader in &load.readers {
        assert!(!reader.read().contains_key(&2), "{}: partition 2 is led by broker {HIDDEN}", reader.client);
    }
    cluster.reassign(&topic, 2, &[1, 2]);
    load.await_flow("since all leaders can be reached");
    load.assert_nothing_lost_and_nothing_twice(&cluster);
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let cluster = KafkaCluster::shared();
    let topic = cluster.topic("added", &ONE_EACH[..1], &[]);
    let group = cluster.unique("group");
    let given = cluster.properties(&[("group.id", &group), ("metadata.max.age.ms", "1000")]);
    let write = |partitions: i32| {
        cluster.produce(&topic, 300, |number, _, value| {
            value.extend_from_slice(number.to_string().as_bytes());
            number as i32 % partitions
        });
    };
    write(1);
    let readers = Reader::pair(&given, &topic);
    readers.iter().for_each(|reader| reader.await_count(300));
    let assignment: [&[i32]; 2] = [&[2, 3, 1], &[3, 1, 2]];
    let added = NewPartitions::new(&topic, 3).assign(&assignment);
    let made = futures::executor::block_on(cluster.admin().create_partitions([&added], &AdminOptions::new())).unwrap();
    assert!(made[0].is_ok(), "{made:?}");
    (1..3).for_each(|partition| _ = cluster.await_leader(&topic, partition, |_| true));
    write(3);
    // a rebalance may let records come again, of which none is committed here
    for reader in &readers {
        let what = format!("{} has read all three partitions", reader.client);
        wait_until(SOON, &what, || {
            let read = reader.read();
            let is_whole = |partition: &i32| {
                let Some(read) = read.get(partition) else { return false };
                read.first().is_some_and(|(offset, _)| *offset == 0)
                    && read.last().is_some_and(|(offset, _)| *offset == if *partition == 0 { 399 } else { 99 })
            };
            [0, 1, 2].iter().all(is_whole).then_some(())
        });
    }
}

#[test]
fn a_topic_that_is_made_again_on_other_brokers_is_read_from_its_beginning() {
    let cluster = KafkaCluster::shared();
    let topic = cluster.topic("again", &[&[1, 2]], &[]);
    write_numbers(&cluster, &topic, 50);
    // librdkafka takes the new topic for the old one
    let reader = Reader::start("native", cluster.properties(&[]), &topic);
    reader.await_count(50);
    let mut expected: Vec<i64> = (0..50).collect();
    for replicas in [[2, 3], [3, 1]] {
        let deleted = futures::executor::block_on(cluster.admin().delete_topics(&[&topic], &AdminOptions::new()));
        assert!(deleted.unwrap()[0].is_ok());
        wait_until(SOON, "the topic is gone", || cluster.leader(&topic, 0).is_none().then_some(()));
        cluster.create_topic(&topic, &[&replicas], &[]);
        // more than before, so that the old position is within the new log
        write_numbers(&cluster, &topic, 80);
        expected.extend(0..80);
        reader.await_count(expected.len());
    }
    let read = reader.read().remove(&0).unwrap();
    assert_eq!(read.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), expected);
}

#[test]
fn a_reader_that_is_overtaken_by_retention_goes_on_where_the_reset_policy_says() {
    let cluster = KafkaCluster::shared();
    for policy in ["earliest", "latest", "none"] {
        let topic = cluster.topic("overtaken", &[&[1, 2, 3]], &[]);
        write_numbers(&cluster, &topic, 100);
        let partition = TopicPartition::new(topic.as_str(), 0);
        let group = cluster.unique("group");
        let given = cluster.properties(&[("group.id", &group), ("auto.offset.reset", policy)]);
        let admin = volley_kafka::Admin::connect(&cluster.properties(&[])).unwrap();
        for client in ["librdkafka", "native"] {
            admin.alter_group_offsets(&format!("{group}-{client}"), &[(partition.clone(), 40)].into()).unwrap();
        }
        let readers = Reader::pair(&given, &topic);
        readers.iter().for_each(|reader| reader.await_count(60));
        delete_before(&cluster, &topic, 70);
        readers.iter().for_each(|reader| reader.seek(&partition, 10));
        for reader in &readers {
            if policy == "none" {
                let error = wait_until(SOON, "an error", || reader.error());
                assert!(error.contains(&partition.to_string()) || reader.client == "librdkafka", "{error}");
                continue;
            }
            let what = format!("{} begins anew at {policy}", reader.client);
            wait_until(SOON, &what, || {
                write_numbers(&cluster, &topic, 1);
                let read = reader.read().remove(&0).unwrap();
                (read.len() > 60).then_some(())
            });
            let next = reader.read()[&0][60].0;
            assert!(if policy == "earliest" { next == 70 } else { next >= 100 }, "{}: {next}", reader.client);
        }
    }
}

#[test]
fn a_client_that_is_throttled_reads_all_and_not_faster() {
    const BYTES: usize = 1 << 20;
    const A_SECOND: usize = 80 << 10;
    let cluster = KafkaCluster::shared();
    let topic = cluster.topic("throttled", &[&[1, 2, 3]], &[]);
    cluster.limit_reading("throttled", A_SECOND as f64);
    // no codec makes this smaller
    let mut state = 1_u64;
    // in batches that may each be read: one of more than ten seconds' worth is never let through
    for _ in 0..16 {
        cluster.produce(&topic, BYTES / 1024 / 16, |_, _, value| {
            value.extend((0..1024).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            }));
            0
        });
    }
    let started = Instant::now();
    let given = [("client.id", "throttled"), ("max.partition.fetch.bytes", "65536")];
    let reader = Reader::start("native", cluster.properties(&given), &topic);
    reader.assert_has_read(&cluster.read_topic(&topic));
    // the broker lets through at once what may be read within ten seconds, and holds up what is more
    assert!(started.elapsed() > Duration::from_millis(500), "read within {:?}", started.elapsed());
}

#[test]
fn a_replica_nearby_serves_and_the_leader_does_when_it_is_killed() {
    let mut cluster = KafkaCluster::shared();
    let topic = cluster.topic("nearby", &[&[1, 2, 3]], &[]);
    let partition = TopicPartition::new(topic.as_str(), 0);
    let load = Load::start(&cluster, &topic, 1, &[("client.rack", "rack-2"), IMPATIENT]);
    for reader in &load.readers {
        // A leader that stands still serves nobody: what is read until another one is elected comes from the replica.
        wait_until(SOON * 3, "the replica serves", || {
            cluster.heal();
            cluster.await_in_sync(&topic, 0, &BROKERS);
            cluster.elect_preferred(&topic, 0);
            cluster.await_leader(&topic, 0, |leader| leader == 1);
            load.await_flow("from the replica");
            cluster.freeze(1);
            let before = reader.count();
            reader.seek(&partition, 0);
            reader.await_count(before + 1);
            let served = cluster.leader(&topic, 0).is_none_or(|(leader, _)| leader == 1);
            served.then_some(())
        });
        cluster.heal();
        cluster.await_in_sync(&topic, 0, &BROKERS);
    }
    cluster.kill(2);
    load.await_flow("after the replica was killed");
}

#[test]
fn a_log_that_was_truncated_is_read_on_from_where_it_was_the_same() {
    let mut cluster = KafkaCluster::shared();
    let careless = [("unclean.leader.election.enable", "true"), ("min.insync.replicas", "1")];
    let topic = cluster.topic("truncated", &[&[1, 2]], &careless);
    write_numbers(&cluster, &topic, 100);
    let readers = Reader::pair(&cluster.properties(&[IMPATIENT]), &topic);
    readers.iter().for_each(|reader| reader.await_count(100));
    cluster.kill(2);
    cluster.await_in_sync(&topic, 0, &[1]);
    write_numbers(&cluster, &topic, 50);
    readers.iter().for_each(|reader| reader.await_count(150));
    cluster.kill(1);
    cluster.start_broker(2);
    cluster.await_leader(&topic, 0, |leader| leader == 2);
    // as many as were lost, so that only the epoch tells that they are others
    write_numbers(&cluster, &topic, 70);
    for reader in &readers {
        let what = format!("{} reads on", reader.client);
        wait_until(SOON, &what, || {
            let read = reader.read().remove(&0).unwrap();
            read.last().is_some_and(|(offset, _)| *offset == 169).then_some(())
        });
        let offsets: Vec<i64> = reader.read()[&0].iter().map(|(offset, _)| *offset).collect();
        let expected = (0..150).chain(100..170);
        assert!(expected.eq(offsets.iter().copied()), "{}: {:?}", reader.client, &offsets[140..]);
    }
}

#[test]
fn a_worker_writes_each_row_once_while_brokers_are_killed_and_restarted() {
    let mut cluster = KafkaCluster::shared();
    let topic = cluster.topic("worker", &ONE_EACH, &[]);
    let volley = Volley::new();
    volley.worker(&cluster.bootstrap_servers(), &[("consumer.volley.fetch.client", "native")]);
    let (out, name) = (volley.path("out"), cluster.unique("sink"));
    let url = format!("file://{}", out.display());
    volley.file(
        "sink.properties",
        &[
            ("name", &name),
            ("connector.class", "ObjectStoreSink"),
            ("tasks.max", "2"),
            ("topics", &topic),
            ("store.url", &url),
            ("flush.size", "500"),
            ("rotate.idle.ms", "1000"),
        ],
    );
    let mut worker = volley.start(&["standalone", "worker.properties", "sink.properties"]);
    let writer = Writer::start(&cluster, &topic, 3);
    let mut await_rows = |rows: u64, when: &str| {
        let what = format!("the worker has written {rows} rows {when}");
        wait_until(SOON, &what, || {
            assert!(worker.is_running(), "the worker ended:\n{}", worker.log());
            (on_disk(&out).len() as u64 >= rows).then_some(())
        });
    };
    await_rows(1, "at first");
    cluster.kill(1);
    cluster.await_leader(&topic, 0, |leader| leader != 1);
    await_rows(3 * writer.written(), "after a broker was killed");
    for id in BROKERS {
        cluster.heal();
        (0..3).for_each(|partition| cluster.await_in_sync(&topic, partition, &BROKERS));
        cluster.stop(id);
        await_rows(3 * writer.written(), "after a broker was stopped");
    }
    cluster.heal();
    let written = writer.stop();
    await_rows(3 * written, "at last");
    assert_exactly_once(&on_disk(&out), 3, written as i64);
    worker.stop(SOON);
}
