//! The same bytes and shares as those of Java's classes (kafka-clients 4.3).

use bytes::Bytes;
use volley_api::TopicPartition;

use super::*;

/// `assignor;topic=partitions,…;member/instance=topics|…;what each member gets|…`, where `0-1` stands for `t0-1`.
const SHARES: &str = include_str!("reference.txt");

fn bytes(hex: &str) -> Bytes {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn owned() -> Vec<TopicPartition> {
    [("t", 0), ("t", 2), ("ü.a", 7)].map(|(topic, number)| TopicPartition::new(topic, number)).into()
}

fn subscription() -> Subscription {
    Subscription {
        topics: vec!["t".to_owned(), "ü.a".to_owned()],
        owned: owned(),
        generation: 5,
        rack: Some("r1".to_owned()),
        user_data: None,
    }
}

const TOPICS: &str = "000000020001740004c3bc2e61";
const OWNED: &str = "000000020001740000000200000000000000020004c3bc2e610000000100000007";

#[test]
fn subscriptions_are_java_s_byte_by_byte_and_read_in_every_version() {
    let latest = format!("0003{TOPICS}ffffffff{OWNED}0000000500027231");
    assert_eq!(subscription().encode(), bytes(&latest));
    let sticky = format!("0003{TOPICS}0000000400000005{OWNED}0000000500027231");
    assert_eq!(Assignor::CooperativeSticky.metadata(subscription()), bytes(&sticky));
    assert_eq!(Assignor::Range.metadata(subscription()), bytes(&latest));
    let bare = Subscription { topics: vec!["t".to_owned()], generation: -1, ..Subscription::default() };
    assert_eq!(bare.encode(), bytes("000300000001000174ffffffff00000000ffffffffffff"));

    let read = |hex: &str| Subscription::decode(bytes(hex)).unwrap();
    assert_eq!(read(&latest), subscription());
    let oldest = Subscription { owned: Vec::new(), generation: -1, rack: None, ..subscription() };
    assert_eq!(read(&format!("0000{TOPICS}ffffffff")), oldest);
    let first = Subscription { generation: -1, rack: None, ..subscription() };
    assert_eq!(read(&format!("0001{TOPICS}ffffffff{OWNED}")), first);
    let told_beside = read(&format!("0001{TOPICS}0000000400000005{OWNED}"));
    assert_eq!((told_beside.generation, told_beside.owned), (5, owned()));
    assert_eq!(read(&format!("0002{TOPICS}ffffffff{OWNED}00000005")), Subscription { rack: None, ..subscription() });
    // a version of later years, with more behind it
    assert_eq!(read(&format!("0009{TOPICS}ffffffff{OWNED}000000050002723101020304")), subscription());
}

#[test]
fn assignments_are_java_s_byte_by_byte_and_read_in_every_version() {
    assert_eq!(assignment_message(&owned()), bytes(&format!("0003{OWNED}ffffffff")));
    assert_eq!(assignment_message(&[]), bytes("000300000000ffffffff"));
    for version in ["0000", "0001", "0002", "0003", "0007"] {
        assert_eq!(assignment_of(bytes(&format!("{version}{OWNED}ffffffff"))).unwrap(), owned());
    }
    assert_eq!(assignment_of(Bytes::new()).unwrap(), []);
}

fn member(text: &str) -> GroupMate {
    let (name, topics) = text.split_once('=').unwrap();
    let (id, instance) = name.split_once('/').unwrap();
    let topics = topics.split(',').filter(|topic| !topic.is_empty()).map(str::to_owned).collect();
    GroupMate {
        member_id: id.to_owned(),
        instance_id: Some(instance.to_owned()).filter(|instance| !instance.is_empty()),
        subscription: Subscription { topics, generation: -1, ..Subscription::default() },
    }
}

#[test]
fn ranges_and_rounds_are_those_that_a_java_leader_gives() {
    for case in SHARES.lines() {
        let [assignor, counts, members, expected] = <[&str; 4]>::try_from(Vec::from_iter(case.split(';'))).unwrap();
        let counts = counts.split(',').map(|text| text.split_once('=').unwrap());
        let counts = counts.map(|(topic, count)| (topic.to_owned(), count.parse().unwrap())).collect();
        let members: Vec<_> = members.split('|').map(member).collect();
        let shares = Assignor::named(assignor).unwrap().assign(&members, &counts);
        let told: Vec<String> = shares
            .values()
            .map(|share| {
                let mut share: Vec<_> = share.iter().map(|partition| partition.to_string()[1..].to_owned()).collect();
                share.sort_unstable();
                share.join(",")
            })
            .collect();
        assert_eq!(told.join("|"), expected, "{case}");
    }
}
