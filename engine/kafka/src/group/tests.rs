//! How a member reacts to a coordinator that fails.

use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiKey;
use tokio::time::timeout;
use volley_api::ErrorKind;

use super::fake_coordinator::{FakeCoordinator, MEMBER, Reaction};
use super::{GroupError, GroupEvent, GroupMember, GroupSettings, Joined, MemberLoss};

const SOON: Duration = Duration::from_secs(20);
const SESSION: Duration = Duration::from_millis(600);
const RETRY: Duration = Duration::from_millis(20);

fn member(coordinator: &FakeCoordinator) -> GroupMember {
    let given = [("bootstrap.servers", coordinator.address()), ("retry.backoff.ms", RETRY.as_millis().to_string())];
    let given = given.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    let settings = GroupSettings {
        session_timeout: SESSION,
        heartbeat_interval: Duration::from_millis(100),
        ..GroupSettings::new("group", "connect")
    };
    GroupMember::start(&given, settings).unwrap()
}

async fn join(member: &GroupMember) -> Joined {
    let protocols = vec![("sessioned".to_owned(), Bytes::from_static(b"metadata"))];
    timeout(SOON, member.join(protocols)).await.expect("an answer").unwrap()
}

async fn join_and_sync(member: &GroupMember) -> Joined {
    let joined = join(member).await;
    assert_eq!(sync(member).await.unwrap(), "work");
    joined
}

async fn sync(member: &GroupMember) -> Result<Bytes, GroupError> {
    timeout(SOON, member.sync(vec![(MEMBER.to_owned(), Bytes::from_static(b"work"))])).await.expect("an answer")
}

async fn event(member: &GroupMember) -> GroupEvent {
    timeout(SOON, member.next_event()).await.expect("an event")
}

fn refuse(error: ResponseError) -> Reaction {
    Reaction::Refuse(error)
}

#[tokio::test]
async fn a_new_member_joins_with_the_id_that_it_is_given() {
    let coordinator = FakeCoordinator::start().await;
    coordinator.next(ApiKey::JoinGroup, &[refuse(ResponseError::MemberIdRequired)]);
    let member = member(&coordinator);
    let joined = join_and_sync(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER]);
    assert!(joined.is_leader());
    assert_eq!(joined.members, [(MEMBER.to_owned(), Bytes::from_static(b"metadata"))]);
    member.leave("done").await;
    assert_eq!(coordinator.seen(ApiKey::LeaveGroup), [MEMBER]);
    join(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, ""]);
}

#[tokio::test]
async fn a_join_goes_on_while_the_coordinator_loads_moves_or_hangs_up() {
    let coordinator = FakeCoordinator::start().await;
    coordinator.next(ApiKey::FindCoordinator, &[refuse(ResponseError::CoordinatorNotAvailable)]);
    coordinator.next(
        ApiKey::JoinGroup,
        &[
            refuse(ResponseError::CoordinatorLoadInProgress),
            refuse(ResponseError::NotCoordinator),
            Reaction::CloseConnection,
            refuse(ResponseError::RebalanceInProgress),
        ],
    );
    join_and_sync(&member(&coordinator)).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup).len(), 5);
    assert_eq!(coordinator.seen(ApiKey::FindCoordinator).len(), 4);
}

#[tokio::test]
async fn a_join_as_an_unknown_member_becomes_one_of_a_new_member() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    join_and_sync(&member).await;
    coordinator.next(ApiKey::JoinGroup, &[refuse(ResponseError::UnknownMemberId)]);
    join_and_sync(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, ""]);
}

#[tokio::test]
async fn who_goes_on_with_its_work_is_told_when_the_generation_is_over() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    let rejoin = async || {
        let protocols = vec![("sessioned".to_owned(), Bytes::from_static(b"metadata"))];
        timeout(SOON, member.rejoin(protocols)).await.expect("an answer")
    };
    assert!(matches!(rejoin().await, Err(GroupError::Reset)), "there was none");
    join_and_sync(&member).await;
    assert_eq!(rejoin().await.unwrap().generation, 2);
    coordinator.next(ApiKey::JoinGroup, &[refuse(ResponseError::UnknownMemberId)]);
    assert!(matches!(rejoin().await, Err(GroupError::Reset)));
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, MEMBER]);
    join_and_sync(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, MEMBER, ""]);
}

#[tokio::test]
async fn a_sync_says_what_is_to_be_done() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    assert!(matches!(sync(&member).await, Err(GroupError::Reset)), "nobody syncs before joining");
    join(&member).await;
    coordinator.next(ApiKey::SyncGroup, &[refuse(ResponseError::CoordinatorLoadInProgress), Reaction::CloseConnection]);
    assert_eq!(sync(&member).await.unwrap(), "work");
    coordinator.next(ApiKey::SyncGroup, &[refuse(ResponseError::RebalanceInProgress)]);
    assert!(matches!(sync(&member).await, Err(GroupError::Rejoin)));
    assert_eq!(member.status().generation, 1, "heartbeats go on, so that the session lives until the next join");
    coordinator.next(ApiKey::SyncGroup, &[refuse(ResponseError::IllegalGeneration)]);
    assert!(matches!(sync(&member).await, Err(GroupError::Rejoin)));
    join(&member).await;
    coordinator.next(ApiKey::SyncGroup, &[refuse(ResponseError::UnknownMemberId)]);
    assert!(matches!(sync(&member).await, Err(GroupError::Reset)));
    join(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, ""]);
    coordinator.next(ApiKey::SyncGroup, &[refuse(ResponseError::GroupAuthorizationFailed)]);
    assert!(matches!(sync(&member).await, Err(GroupError::Fatal(error)) if error.kind() == ErrorKind::Config));
}

#[tokio::test]
async fn a_rebalance_is_told_once_for_each_generation() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    coordinator.always(ApiKey::Heartbeat, Some(refuse(ResponseError::RebalanceInProgress)));
    for _ in 0..2 {
        join_and_sync(&member).await;
        assert!(matches!(event(&member).await, GroupEvent::RebalanceInProgress));
        assert!(timeout(SESSION, member.next_event()).await.is_err());
    }
}

#[tokio::test]
async fn a_rebalance_that_follows_another_is_heard_of_long_before_a_heartbeat_is_due() {
    let coordinator = FakeCoordinator::start().await;
    let hour = Duration::from_secs(3_600);
    let settings =
        GroupSettings { session_timeout: hour * 3, heartbeat_interval: hour, ..GroupSettings::new("group", "connect") };
    let given = [("bootstrap.servers".to_owned(), coordinator.address())];
    let member = GroupMember::start(&given.into_iter().collect(), settings).unwrap();
    join_and_sync(&member).await;
    coordinator.next(ApiKey::Heartbeat, &[refuse(ResponseError::RebalanceInProgress)]);
    assert!(matches!(event(&member).await, GroupEvent::RebalanceInProgress));
}

#[tokio::test]
async fn a_member_that_is_out_says_why_and_stops_its_heartbeats() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    join_and_sync(&member).await;
    coordinator.next(ApiKey::Heartbeat, &[refuse(ResponseError::IllegalGeneration)]);
    assert!(matches!(event(&member).await, GroupEvent::MemberLost(MemberLoss::IllegalGeneration)));
    join_and_sync(&member).await;
    coordinator.next(ApiKey::Heartbeat, &[refuse(ResponseError::UnknownMemberId)]);
    assert!(matches!(event(&member).await, GroupEvent::MemberLost(MemberLoss::UnknownMember)));
    let heartbeats = coordinator.seen(ApiKey::Heartbeat).len();
    assert!(timeout(SESSION, member.next_event()).await.is_err());
    assert_eq!(coordinator.seen(ApiKey::Heartbeat).len(), heartbeats);
    join_and_sync(&member).await;
    assert_eq!(coordinator.seen(ApiKey::JoinGroup), ["", MEMBER, ""]);
    coordinator.next(ApiKey::Heartbeat, &[refuse(ResponseError::GroupAuthorizationFailed)]);
    match event(&member).await {
        GroupEvent::MemberLost(MemberLoss::Refused(error)) => assert!(error.to_string().contains("group"), "{error}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_coordinator_that_falls_silent_is_lost_with_the_session_and_the_membership_goes_on_when_it_is_back() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    let joined = join_and_sync(&member).await;
    let silent = Some(Reaction::Silence);
    coordinator.always(ApiKey::FindCoordinator, silent);
    coordinator.always(ApiKey::Heartbeat, silent);
    let started = Instant::now();
    assert!(matches!(event(&member).await, GroupEvent::CoordinatorLost(error) if error.is_retriable()));
    assert!(started.elapsed() < SESSION * 3, "told after {:?}", started.elapsed());
    assert!(matches!(member.join(Vec::new()).await, Err(GroupError::Coordinator(_))));
    coordinator.always(ApiKey::Heartbeat, None);
    coordinator.always(ApiKey::FindCoordinator, None);
    assert!(matches!(event(&member).await, GroupEvent::CoordinatorFound));
    assert_eq!(member.status().generation, joined.generation);
}

#[tokio::test]
async fn a_short_interruption_is_mended_without_a_word() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    let joined = join_and_sync(&member).await;
    let before = member.status().heartbeats;
    coordinator.next(
        ApiKey::Heartbeat,
        &[
            Reaction::CloseConnection,
            refuse(ResponseError::NotCoordinator),
            refuse(ResponseError::CoordinatorLoadInProgress),
        ],
    );
    assert!(timeout(SESSION * 2, member.next_event()).await.is_err());
    assert!(member.status().heartbeats > before);
    assert_eq!(member.status().generation, joined.generation);
}

#[tokio::test]
async fn a_coordinator_that_never_is_one_is_lost_and_not_asked_without_pause() {
    let coordinator = FakeCoordinator::start().await;
    let member = member(&coordinator);
    join_and_sync(&member).await;
    coordinator.always(ApiKey::Heartbeat, Some(refuse(ResponseError::NotCoordinator)));
    let started = Instant::now();
    assert!(matches!(event(&member).await, GroupEvent::CoordinatorLost(_)));
    let asked = coordinator.seen(ApiKey::FindCoordinator).len() as u128;
    assert!(
        asked <= 2 + started.elapsed().as_millis() / RETRY.as_millis() * 5 / 4,
        "{asked} in {:?}",
        started.elapsed()
    );
    coordinator.always(ApiKey::Heartbeat, None);
    assert!(matches!(event(&member).await, GroupEvent::CoordinatorFound));
}
