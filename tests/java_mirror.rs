//! MirrorMaker's connectors, unmodified, between two clusters: topics, where groups are in them, and heartbeats.

mod flow;
mod internal_records;

use serde_json::{Value, json};

use crate::testbed::{Kafka, Vendor, host_of, signal, wait_until};
use flow::{Flow, PARTITIONS, SOON, ends, is_copy, messages, of_partition, upstream, write};
use internal_records::last_of_each_key;

fn at_ends(topic: &str) -> Vec<Option<i64>> {
    ends(topic).into_iter().map(Some).collect()
}

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
fn assert_nothing_is_missed(flow: &Flow, group: &str, topic: &str) {
    let (originals, copies) = (upstream().read_topic(topic), Kafka::shared().read_topic(&flow.copy_of(topic)));
    for checkpoint in flow.checkpoints_of(group, topic) {
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
    let (readers, late_readers) = (Kafka::shared().unique("readers"), Kafka::shared().unique("late-readers"));
    let late_topic = upstream().unique("mirrored-late");
    write(&topic);
    flow.put_source(&[&topic, &late_topic]);
    flow.await_copy(&topic);
    upstream().commit(&readers, &topic, &ends(&topic), "");
    flow.put_checkpoints(&[&topic, &late_topic], &[&readers, &late_readers]);
    flow.await_group(&readers, &topic, &at_ends(&topic));

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
    // of a place that no sync is near to there may be no newer checkpoint
    let mut behind = ends(&topic);
    behind[0] -= 10;
    upstream().commit(&readers, &topic, &behind, "");
    flow.await_group(&readers, &topic, &[None, Some(behind[1]), Some(behind[2])]);
    assert_nothing_is_missed(&flow, &readers, &topic);

    signal(host_of(flow.group.worker(0).pid(), "checkpoints"), "KILL");
    upstream().commit(&readers, &topic, &ends(&topic), "");
    wait_until(SOON, "the connector has failed", || {
        let status = flow.group.ask(0, "GET", "/connectors/checkpoints/status", None);
        (status["tasks"][0]["state"] == "FAILED").then_some(())
    });
    flow.group.ask(0, "POST", "/connectors/checkpoints/restart?includeTasks=true", None);
    flow.await_group(&readers, &topic, &at_ends(&topic));
    assert_nothing_is_missed(&flow, &readers, &topic);

    // the connectors find what is new, and have their tasks configured anew
    upstream().create_topic(&late_topic, PARTITIONS, &[]);
    write(&late_topic);
    flow.await_copy(&late_topic);
    upstream().commit(&late_readers, &late_topic, &ends(&late_topic), "");
    flow.await_group(&late_readers, &late_topic, &at_ends(&late_topic));
    assert_syncs_are_true(&flow, &late_topic);
    assert_nothing_is_missed(&flow, &late_readers, &late_topic);
}

#[test]
fn offset_syncs_checkpoints_and_heartbeats_are_those_of_a_java_worker() {
    let topic = upstream().topic("mirrored", PARTITIONS);
    let readers = Kafka::shared().unique("readers");
    write(&topic);
    let flows = [Vendor::Volley, Vendor::Java].map(Flow::new);
    for flow in &flows {
        flow.put_source(&[&topic]);
        flow.await_copy(&topic);
    }
    let last: Vec<_> = ends(&topic).iter().map(|end| end - 1).collect();
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
        flow.put_checkpoints(&[&topic], &[&readers]);
        flow.put_heartbeats();
    }
    let [volley, java] = flows.each_ref().map(|flow| {
        let copy = flow.copy_of(&topic);
        let mut checkpoints = flow.await_group(&readers, &topic, &at_ends(&topic));
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

/// What REST says of the source, with the same name of the cluster for all.
fn told(flow: &Flow, method: &str, target: &str, body: Option<&Value>) -> (u16, String) {
    let (status, mut answer) = flow.group.worker(0).ask(method, &format!("/connectors/source/{target}"), body);
    if let Some(offsets) = answer.get_mut("offsets").and_then(Value::as_array_mut) {
        offsets.sort_by_key(Value::to_string);
    }
    (status, answer.to_string().replace(&flow.from, "FROM"))
}

#[test]
fn offsets_of_mirror_maker_are_shown_and_altered_as_on_a_java_worker() {
    let topic = upstream().topic("mirrored", PARTITIONS);
    write(&topic);
    let flows = [Vendor::Volley, Vendor::Java].map(Flow::new);
    let [volley, java] = flows.each_ref().map(|flow| {
        flow.put_source(&[&topic]);
        flow.await_copy(&topic);
        flow.group.ask(0, "PUT", "/connectors/source/stop", None);
        flow.group.await_state("source", "STOPPED", 0);
        let offset = |partition: Value, offset: Value| json!({"offsets": [{"partition": partition, "offset": offset}]});
        let place = |partition: i32| json!({"cluster": flow.from, "topic": topic, "partition": partition});
        let refused = [
            offset(place(0), json!({"offset": -1})),
            offset(place(0), json!({"offset": "5"})),
            offset(place(0), json!({"place": 5})),
            offset(json!({"cluster": flow.from, "topic": topic}), json!({"offset": 5})),
        ];
        let mut said = vec![told(flow, "GET", "offsets", None)];
        said.extend(refused.iter().map(|body| told(flow, "PATCH", "offsets", Some(body))));
        said.push(told(flow, "PATCH", "offsets", Some(&offset(place(0), json!({"offset": 49})))));
        said.push(told(flow, "PATCH", "offsets", Some(&offset(place(1), Value::Null))));
        said.push(told(flow, "GET", "offsets", None));
        flow.group.ask(0, "PUT", "/connectors/source/resume", None);
        wait_until(SOON, "it has copied again from where it was put", || {
            let copied = messages(Kafka::shared(), &flow.copy_of(&topic));
            let lengths: Vec<_> = (0..PARTITIONS).map(|partition| of_partition(&copied, partition).len()).collect();
            (lengths == [150, 200, 100]).then_some(())
        });
        said
    });
    assert_eq!(volley, java);
    assert_eq!(volley.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [200, 500, 500, 500, 500, 200, 200, 200]);
}
