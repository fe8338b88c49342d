//! MirrorMaker's connectors, unmodified, between two clusters: topics, where groups are in them, and heartbeats.

mod flow;
mod internal_records;

use crate::testbed::{Kafka, Vendor, host_of, signal, wait_until};
use flow::{Flow, PARTITIONS, SOON, ends, is_copy, of_partition, upstream, write};
use internal_records::{Checkpoint, last_of_each_key};

/// Each sync names one record, as it stands in both clusters.
fn assert_syncs_are_true(flow: &Flow, topic: &str) {
    let (originals, copies) = (upstream().read_topic(topic), Kafka::shared().read_topic(&flow.copy_of(topic)));
    let syncs: Vec<_> = flow.syncs().into_iter().filter(|sync| sync.partition.0 == topic).collect();
    assert!(!syncs.is_empty(), "there are no offset syncs");
    for sync in syncs {
        let partition = sync.partition.1;
        let original = of_partition(&originals, partition)[sync.upstream as usize];
        let copy = of_partition(&copies, partition)[sync.downstream as usize];
        assert!(is_copy(copy, original), "{sync:?}: {original:?} is not {copy:?}");
    }
}

/// A group that goes on at the copy from a checkpoint misses no record that it would have had at the source.
fn assert_nothing_is_missed_from(checkpoints: &[Checkpoint], topic: &str, copy: &str) {
    let (originals, copies) = (upstream().read_topic(topic), Kafka::shared().read_topic(copy));
    for checkpoint in checkpoints {
        let partition = checkpoint.partition.1;
        let to_come = &of_partition(&originals, partition)[checkpoint.upstream as usize..];
        let coming = &of_partition(&copies, partition)[checkpoint.downstream as usize..];
        let missed = to_come.iter().find(|original| !coming.iter().any(|copy| is_copy(copy, original)));
        assert!(missed.is_none(), "{checkpoint:?} misses {missed:?}");
    }
}

#[test]
fn mirror_maker_copies_topics_and_where_groups_are_though_its_host_is_killed() {
    let flow = Flow::new(Vendor::Volley);
    let topic = upstream().topic("mirrored", PARTITIONS);
    let (copy, readers) = (flow.copy_of(&topic), Kafka::shared().unique("readers"));
    write(&topic);
    flow.put_source(&topic);
    flow.await_copy(&topic);
    upstream().commit(&readers, &topic, &ends(&topic), "");
    flow.put_checkpoints(&topic, &readers);
    flow.await_group(&readers, &topic, &ends(&topic));

    signal(host_of(flow.group.worker(0).pid(), "source"), "KILL");
    write(&topic);
    wait_until(SOON, "the tasks have failed", || {
        let status = flow.group.ask(0, "GET", "/connectors/source/status", None);
        let tasks = status["tasks"].as_array()?.clone();
        tasks.iter().all(|task| task["state"] == "FAILED").then_some(())
    });
    flow.group.ask(0, "POST", "/connectors/source/restart?includeTasks=true", None);
    flow.group.await_state("source", "RUNNING", 2);
    flow.await_copy(&topic);
    // where each record went, which its acknowledgement tells
    assert_syncs_are_true(&flow, &topic);
    let mut in_between = ends(&topic);
    in_between[0] -= 10;
    upstream().commit(&readers, &topic, &in_between, "");
    flow.await_group(&readers, &topic, &in_between);
    assert_nothing_is_missed_from(&flow.checkpoints(), &topic, &copy);

    signal(host_of(flow.group.worker(0).pid(), "checkpoints"), "KILL");
    upstream().commit(&readers, &topic, &ends(&topic), "");
    wait_until(SOON, "the connector has failed", || {
        let status = flow.group.ask(0, "GET", "/connectors/checkpoints/status", None);
        (status["tasks"][0]["state"] == "FAILED").then_some(())
    });
    flow.group.ask(0, "POST", "/connectors/checkpoints/restart?includeTasks=true", None);
    flow.await_group(&readers, &topic, &ends(&topic));
    assert_nothing_is_missed_from(&flow.checkpoints(), &topic, &copy);
}

#[test]
fn offset_syncs_checkpoints_and_heartbeats_are_those_of_a_java_worker() {
    let topic = upstream().topic("mirrored", PARTITIONS);
    let readers = Kafka::shared().unique("readers");
    write(&topic);
    let flows = [Vendor::Volley, Vendor::Java].map(Flow::new);
    for flow in &flows {
        flow.put_source(&topic);
        flow.await_copy(&topic);
    }
    let last = ends(&topic).iter().map(|end| end - 1).collect::<Vec<_>>();
    let [volley, java] = flows.each_ref().map(|flow| {
        wait_until(SOON, "there are syncs of the last records", || {
            let (messages, syncs) = (flow.sync_messages(), flow.syncs());
            let is_there = |partition: usize| {
                syncs
                    .iter()
                    .any(|sync| sync.partition == (topic.clone(), partition as i32) && sync.upstream == last[partition])
            };
            let by_key = last_of_each_key(&messages);
            let values = by_key.into_iter().map(|(key, message)| (key, message.value.clone())).collect::<Vec<_>>();
            (0..PARTITIONS as usize).all(is_there).then_some(values)
        })
    });
    assert_eq!(volley, java, "offset syncs, keys and values");

    upstream().commit(&readers, &topic, &ends(&topic), "read until noon");
    for flow in &flows {
        flow.put_checkpoints(&topic, &readers);
        flow.put_heartbeats();
    }
    let [volley, java] = flows.each_ref().map(|flow| {
        let copy = flow.copy_of(&topic);
        let mut checkpoints = flow.await_group(&readers, &topic, &ends(&topic));
        for checkpoint in &mut checkpoints {
            assert_eq!((&checkpoint.partition.0, &checkpoint.group), (&copy, &readers));
            checkpoint.partition.0 = topic.clone();
        }
        checkpoints
    });
    assert_eq!(volley, java, "checkpoints");

    let versions = flows.each_ref().map(|flow| {
        wait_until(SOON, "there are heartbeats, one after the other", || {
            let heartbeats = flow.heartbeats();
            let is_in_order = heartbeats.is_sorted_by(|one, next| one.timestamp < next.timestamp);
            assert!(is_in_order, "{heartbeats:?}");
            (heartbeats.len() > 1).then(|| heartbeats[0].version)
        })
    });
    assert_eq!(versions[0], versions[1], "heartbeats' versions");
}
