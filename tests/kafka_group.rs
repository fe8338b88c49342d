//! Membership in a group, against a real broker.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::time::timeout;
use volley_api::{ConfigMap, Error, ErrorKind};
use volley_kafka::{GroupError, GroupEvent, GroupMember, GroupSettings, Joined, MemberLoss};

use crate::testbed::{Kafka, SESSION, properties};

const SOON: Duration = Duration::from_secs(60);
const SESSION_TIMEOUT: Duration = Duration::from_millis(2_000);

fn settings(group: &str) -> GroupSettings {
    GroupSettings {
        session_timeout: SESSION_TIMEOUT,
        rebalance_timeout: Duration::from_secs(20),
        heartbeat_interval: Duration::from_millis(200),
        ..GroupSettings::new(group, "connect")
    }
}

fn member(given: &ConfigMap, group: &str) -> GroupMember {
    GroupMember::start(given, settings(group)).unwrap()
}

fn offer(metadata: &'static str) -> Vec<(String, Bytes)> {
    vec![("sessioned".to_owned(), Bytes::from_static(metadata.as_bytes())), ("default".to_owned(), Bytes::new())]
}

/// What the leader gives each member: its own id, and how many members there are.
fn assignments(joined: &Joined) -> Vec<(String, Bytes)> {
    let count = joined.members.len();
    joined.members.iter().map(|(id, _)| (id.clone(), Bytes::from(format!("{id} of {count}")))).collect()
}

/// Joins and syncs until a generation has `size` members; answers with it, and how often it had to join.
async fn settle(member: &GroupMember, metadata: &'static str, size: usize) -> Joined {
    let settling = async {
        loop {
            let joined = match member.join(offer(metadata)).await {
                Ok(joined) => joined,
                Err(GroupError::Coordinator(_)) => continue,
                Err(error) => panic!("could not join: {error}"),
            };
            match member.sync(assignments(&joined)).await {
                Ok(assignment) if assignment == format!("{} of {size}", joined.member_id) => return joined,
                Ok(_) => until_rebalance(member).await,
                Err(GroupError::Rejoin | GroupError::Reset | GroupError::Coordinator(_)) => {}
                Err(error) => panic!("could not sync: {error}"),
            }
        }
    };
    timeout(SOON, settling).await.expect("the group settles")
}

async fn until_rebalance(member: &GroupMember) {
    while !matches!(event(member).await, GroupEvent::RebalanceInProgress | GroupEvent::MemberLost(_)) {}
}

async fn event(member: &GroupMember) -> GroupEvent {
    timeout(SOON, member.next_event()).await.expect("an event")
}

/// Waits for `period`, in which nothing must happen to the member.
async fn outlive(member: &GroupMember, period: Duration) {
    if let Ok(event) = timeout(period, member.next_event()).await {
        panic!("the member did not outlive {period:?}: {event:?}");
    }
}

/// Joins alone, syncs and leaves.
async fn passes(given: &ConfigMap, group: &str) -> Result<(), GroupError> {
    let member = GroupMember::start(given, GroupSettings::new(group, "connect")).unwrap();
    let joined = timeout(SOON, member.join(offer(""))).await.expect("an answer")?;
    let assignment = member.sync(assignments(&joined)).await?;
    assert_eq!(assignment, format!("{} of 1", joined.member_id));
    member.leave("done").await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_get_what_the_leader_assigns_and_see_others_join_and_leave() {
    let kafka = Kafka::shared();
    let group = kafka.unique("connect-group");
    let given = kafka.properties(&[("client.id", "tester")]);
    let (first, second, third) = (member(&given, &group), member(&given, &group), member(&given, &group));
    let (one, two) = tokio::join!(settle(&first, "one", 2), settle(&second, "two", 2));
    assert_eq!((one.generation, &one.leader_id, one.protocol.as_str()), (two.generation, &two.leader_id, "sessioned"));
    assert_ne!(one.is_leader(), two.is_leader());
    let leader = if one.is_leader() { &one } else { &two };
    let metadata: BTreeSet<_> = leader.members.iter().map(|(_, metadata)| metadata.clone()).collect();
    assert_eq!(metadata, ["one", "two"].map(Bytes::from).into());
    assert!(one.member_id.starts_with("tester"), "{}", one.member_id);

    #[allow(clippy::disallowed_methods, reason = "the test awaits it")]
    let joining = tokio::spawn({
        let third = third.clone();
        async move { settle(&third, "three", 3).await }
    });
    assert!(matches!(event(&first).await, GroupEvent::RebalanceInProgress));
    assert!(matches!(event(&second).await, GroupEvent::RebalanceInProgress));
    let (again_one, again_two) = tokio::join!(settle(&first, "one", 3), settle(&second, "two", 3));
    let three = joining.await.unwrap();
    assert_eq!((&again_one.member_id, &again_two.member_id), (&one.member_id, &two.member_id));
    assert_eq!((again_one.generation, again_two.generation), (three.generation, three.generation));

    let started = Instant::now();
    third.leave("bye").await;
    assert!(matches!(event(&first).await, GroupEvent::RebalanceInProgress));
    assert!(started.elapsed() < SESSION_TIMEOUT, "leaving is seen at once, not after {:?}", started.elapsed());
    let status = first.status();
    assert_eq!((status.member_id, status.generation), (one.member_id, three.generation));
    assert_eq!(status.coordinator, Some(kafka.bootstrap_servers()));
    assert!(status.heartbeats > 0 && status.joins >= 2 && status.syncs >= 2);
    assert_eq!(third.status().generation, -1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_is_killed_is_missed_after_its_session() {
    let kafka = Kafka::shared();
    let group = kafka.unique("connect-group");
    let given = kafka.properties(&[]);
    let (stays, goes) = (member(&given, &group), member(&given, &group));
    tokio::join!(settle(&stays, "", 2), settle(&goes, "", 2));
    drop(goes);
    assert!(matches!(event(&stays).await, GroupEvent::RebalanceInProgress));
    settle(&stays, "", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heartbeats_go_on_while_the_owner_is_busy_also_between_join_and_sync() {
    let kafka = Kafka::shared();
    let member = member(&kafka.properties(&[]), &kafka.unique("connect-group"));
    let joined = member.join(offer("")).await.unwrap();
    outlive(&member, SESSION_TIMEOUT * 2).await;
    let assignment = member.sync(assignments(&joined)).await.unwrap();
    assert_eq!(assignment, format!("{} of 1", joined.member_id));
    outlive(&member, SESSION_TIMEOUT * 2).await;
    assert!(member.status().heartbeats >= 10, "{:?}", member.status());
    assert_eq!(member.status().generation, joined.generation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_does_not_poll_loses_its_membership() {
    let kafka = Kafka::shared();
    let group = kafka.unique("connect-group");
    let limit = Duration::from_millis(1_500);
    let settings = GroupSettings { rebalance_timeout: limit, ..settings(&group) };
    let member = GroupMember::start(&kafka.properties(&[]), settings).unwrap();
    let joined = member.join(offer("")).await.unwrap();
    member.sync(assignments(&joined)).await.unwrap();
    let polling = Instant::now();
    while polling.elapsed() < limit * 2 {
        member.poll();
        outlive(&member, Duration::from_millis(50)).await;
    }
    assert_eq!(member.status().generation, joined.generation);
    assert!(matches!(event(&member).await, GroupEvent::MemberLost(MemberLoss::PollTimeout)));
    assert_eq!(member.status().generation, -1);
    let again = member.join(offer("")).await.unwrap();
    assert_ne!(again.member_id, joined.member_id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_that_is_given_up_or_overtaken_does_no_harm() {
    let kafka = Kafka::shared();
    let group = kafka.unique("connect-group");
    let given = kafka.properties(&[]);
    let (first, second) = (member(&given, &group), member(&given, &group));
    settle(&first, "", 1).await;
    // The first member does not answer the rebalance, so that this join waits.
    assert!(timeout(Duration::from_millis(500), second.join(offer(""))).await.is_err());
    let mut waiting = Box::pin(second.join(offer("")));
    assert!(futures::poll!(&mut waiting).is_pending());
    second.leave("changed its mind").await;
    assert!(matches!(waiting.await, Err(GroupError::Reset)));
    let (one, two) = tokio::join!(settle(&first, "", 2), settle(&second, "", 2));
    assert_eq!(one.generation, two.generation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_outlives_its_broker() {
    let mut kafka = Kafka::start();
    let given = kafka.properties(&[("reconnect.backoff.max.ms", "500")]);
    let (first, second) = (member(&given, "outage"), member(&given, "outage"));
    let (one, two) = tokio::join!(settle(&first, "", 2), settle(&second, "", 2));

    kafka.stop();
    let started = Instant::now();
    for member in [&first, &second] {
        match event(member).await {
            GroupEvent::CoordinatorLost(reason) => assert!(reason.is_retriable(), "{reason:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(started.elapsed() < SESSION_TIMEOUT * 2, "the loss was told after {:?}", started.elapsed());
    assert!(matches!(first.join(offer("")).await, Err(GroupError::Coordinator(_))));
    assert_eq!(first.status().coordinator, None);

    tokio::task::block_in_place(|| kafka.restart());
    for member in [&first, &second] {
        assert!(matches!(event(member).await, GroupEvent::CoordinatorFound | GroupEvent::MemberLost(_)));
    }
    let (again_one, again_two) = tokio::join!(settle(&first, "", 2), settle(&second, "", 2));
    assert_eq!(again_one.generation, again_two.generation);
    assert!(again_one.generation >= one.generation.max(two.generation));
    // Leaving during an outage does not hang.
    kafka.stop();
    let started = Instant::now();
    first.leave("stopping").await;
    assert!(started.elapsed() < Duration::from_secs(10), "leaving took {:?}", started.elapsed());
}

fn login(mechanism: &str, servers: &str, password: &str) -> ConfigMap {
    let class = if mechanism == "PLAIN" { "plain.PlainLoginModule" } else { "scram.ScramLoginModule" };
    let jaas = format!("org.apache.kafka.common.security.{class} required username=\"alice\" password=\"{password}\";");
    properties(&[
        ("bootstrap.servers", servers),
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", mechanism),
        ("sasl.jaas.config", &jaas),
    ])
}

fn refusal(error: GroupError) -> Error {
    match error {
        GroupError::Fatal(error) => error,
        other => panic!("not refused, but {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mechanism_logs_in_and_a_wrong_password_is_refused_at_once() {
    let kafka = Kafka::shared();
    let servers = kafka.sasl_bootstrap_servers();
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        passes(&login(mechanism, &servers, "alice-secret"), &kafka.unique("login")).await.unwrap();
        let started = Instant::now();
        let error = passes(&login(mechanism, &servers, "guess"), &kafka.unique("login")).await.unwrap_err();
        let error = refusal(error);
        assert!(started.elapsed() < Duration::from_secs(5), "{mechanism}: refused after {:?}", started.elapsed());
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.exception().ends_with("SaslAuthenticationException"), "{error:?}");
        let trace = error.trace();
        assert!(trace.contains(mechanism) && trace.contains(&servers) && !trace.contains("guess"), "{trace}");
    }
    let mut token = login("OAUTHBEARER", &servers, "");
    let jaas = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required \
                unsecuredLoginStringClaim_sub=\"alice\";";
    token.insert("sasl.jaas.config".to_owned(), jaas.to_owned());
    passes(&token, &kafka.unique("login")).await.unwrap();
    let jaas = jaas.replace("_sub", "_nobody");
    token.insert("sasl.jaas.config".to_owned(), jaas);
    let error = refusal(passes(&token, &kafka.unique("login")).await.unwrap_err());
    assert!(error.to_string().contains("OAUTHBEARER") || error.to_string().contains("token"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_of_a_login_is_renewed_before_it_ends() {
    let kafka = Kafka::shared();
    let given = login("SCRAM-SHA-512", &kafka.sasl_bootstrap_servers(), "alice-secret");
    let member = member(&given, &kafka.unique("session"));
    let joined = settle(&member, "", 1).await;
    outlive(&member, SESSION * 3).await;
    assert_eq!(member.status().generation, joined.generation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_works_with_a_client_certificate_and_under_a_login() {
    let kafka = Kafka::shared();
    let tls = properties(&[
        ("bootstrap.servers", &kafka.tls_bootstrap_servers()),
        ("security.protocol", "SSL"),
        ("ssl.truststore.type", "PEM"),
        ("ssl.truststore.location", &kafka.trust_store()),
        ("ssl.keystore.type", "PEM"),
        ("ssl.keystore.location", &kafka.key_store()),
    ]);
    passes(&tls, &kafka.unique("tls")).await.unwrap();
    let mut both = login("SCRAM-SHA-512", &kafka.sasl_tls_bootstrap_servers(), "alice-secret");
    both.insert("security.protocol".to_owned(), "SASL_SSL".to_owned());
    both.insert("ssl.truststore.location".to_owned(), kafka.trust_store());
    passes(&both, &kafka.unique("tls")).await.unwrap();

    let mut distrustful = both.clone();
    distrustful.shift_remove("ssl.truststore.location");
    let error = refusal(passes(&distrustful, &kafka.unique("tls")).await.unwrap_err());
    assert!(error.to_string().contains("not trusted"), "{error:?}");
    let mut anonymous = tls.clone();
    anonymous.shift_remove("ssl.keystore.location");
    let error = refusal(passes(&anonymous, &kafka.unique("tls")).await.unwrap_err());
    assert!(error.to_string().contains("certificate"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_group_or_the_listener_does_not_allow_is_said() {
    let kafka = Kafka::shared();
    let group = kafka.unique("connect-group");
    let given = kafka.properties(&[]);
    let present = member(&given, &group);
    settle(&present, "", 1).await;
    let stranger = GroupMember::start(&given, GroupSettings { protocol_type: "other".to_owned(), ..settings(&group) });
    let error = refusal(stranger.unwrap().join(offer("")).await.unwrap_err());
    assert!(error.exception().ends_with("InconsistentGroupProtocolException"), "{error:?}");
    let hasty =
        GroupSettings { session_timeout: Duration::from_millis(900), ..settings(&kafka.unique("connect-group")) };
    let error = refusal(GroupMember::start(&given, hasty).unwrap().join(offer("")).await.unwrap_err());
    assert!(error.to_string().contains("session.timeout.ms"), "{error:?}");
    let not_offered = login("SCRAM-SHA-256", &kafka.bootstrap_servers(), "alice-secret");
    assert!(passes(&not_offered, "x").await.is_err());
    let encrypted = kafka.properties(&[("bootstrap.servers", &kafka.tls_bootstrap_servers())]);
    let error = refusal(passes(&encrypted, "x").await.unwrap_err());
    assert!(error.to_string().contains("security.protocol"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_gone_are_passed_over() {
    let kafka = Kafka::shared();
    let servers = format!("127.0.0.1:1,127.0.0.1:2,{}", kafka.bootstrap_servers());
    passes(&properties(&[("bootstrap.servers", &servers)]), &kafka.unique("connect-group")).await.unwrap();
    // Under another name than the coordinator's, and with an address at which nobody may listen.
    let by_name = kafka.bootstrap_servers().replace("127.0.0.1", "localhost");
    passes(&properties(&[("bootstrap.servers", &by_name)]), &kafka.unique("connect-group")).await.unwrap();
    let nobody = properties(&[("bootstrap.servers", "127.0.0.1:1")]);
    match passes(&nobody, "x").await.unwrap_err() {
        GroupError::Coordinator(error) => assert!(error.trace().contains("127.0.0.1:1"), "{error:?}"),
        other => panic!("{other:?}"),
    }
}
