//! The life of a member: joins, leads if it has to, tells the fetcher what it gets and what it has to give up, and joins again.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::sleep;
use tracing::{debug, info, warn};
use volley_api::{Error, Result, TopicPartition};

use super::cluster::Cluster;
use super::own_settings::OwnSettings;
use super::place::Place;
use super::topic_lookup::partition_counts;
use crate::assignors::{Assignor, GroupMate, PartitionCounts, Subscription, assignment_message, assignment_of};
use crate::consumer::consumer_events::Rebalance;
use crate::group::{GroupError, GroupEvent, GroupMember, GroupResult, Joined, MemberLoss};

/// How often a leader looks for topics that do not exist yet.
const MISSING: Duration = Duration::from_secs(1);

/// How long a leader tries to find out about topics before others are waiting for too long.
const LOOK_UP: Duration = Duration::from_secs(20);

/// The pause after something that another attempt may not cure.
const REFUSED: Duration = Duration::from_secs(2);

/// The topics of a group, as its leader has dealt them out.
#[derive(Debug)]
struct Led {
    topics: BTreeSet<String>,
    counts: PartitionCounts,
}

/// A member and its owner's place.
pub(super) struct MemberTask {
    member: GroupMember,
    cluster: Arc<Cluster>,
    place: Arc<Place>,
    settings: Arc<OwnSettings>,
    topics: watch::Receiver<Option<Vec<String>>>,
    /// Those of the last join.
    joined_with: Vec<String>,
    /// Given to the fetcher, and not given up.
    owned: BTreeSet<TopicPartition>,
    /// In which `owned` was assigned.
    generation: i32,
    is_cooperative: bool,
    /// Set where the member has to join again: others wait for what it has given up.
    is_join_due: bool,
    /// Whether the fetcher was told of an assignment since the member joined as a new one.
    has_told: bool,
    led: Option<Led>,
}

impl MemberTask {
    pub(super) fn new(
        member: GroupMember,
        cluster: Arc<Cluster>,
        place: Arc<Place>,
        settings: Arc<OwnSettings>,
    ) -> Self {
        Self {
            member,
            cluster,
            topics: place.topics(),
            place,
            joined_with: Vec::new(),
            owned: BTreeSet::new(),
            generation: -1,
            is_cooperative: settings.is_cooperative(),
            settings,
            is_join_due: false,
            has_told: false,
            led: None,
        }
    }

    /// Runs until it is aborted.
    pub(super) async fn run(mut self) {
        loop {
            let Some(topics) = self.wanted_topics().await else { return };
            if topics.is_empty() {
                self.leave_for_now().await;
                if self.topics.changed().await.is_err() {
                    return;
                }
                continue;
            }
            self.joined_with.clone_from(&topics);
            match self.join(topics).await {
                Ok(()) => self.stay().await,
                Err(error) => self.recover(error).await,
            }
        }
    }

    async fn wanted_topics(&mut self) -> Option<Vec<String>> {
        self.topics.wait_for(Option::is_some).await.ok().and_then(|topics| topics.clone())
    }

    /// Joins and takes what the leader gives. Partitions that it takes away are given up when this returns.
    async fn join(&mut self, topics: Vec<String>) -> GroupResult<()> {
        self.is_join_due = false;
        self.led = None;
        let subscription = Subscription {
            topics,
            owned: if self.is_cooperative { self.owned.iter().cloned().collect() } else { Vec::new() },
            generation: self.generation,
            rack: self.settings.rack.clone(),
            user_data: None,
        };
        let protocols = self.settings.assignors.iter();
        let protocols =
            protocols.map(|assignor| (assignor.name().to_owned(), assignor.metadata(subscription.clone()))).collect();
        let joined = if self.owned.is_empty() {
            self.member.join(protocols).await?
        } else {
            self.member.rejoin(protocols).await?
        };
        let assignor = Assignor::named(&joined.protocol).ok_or_else(|| {
            let error = format!("group {} has chosen the unknown assignor `{}`", self.cluster.group(), joined.protocol);
            GroupError::Fatal(Error::fatal(error))
        })?;
        let shares = if joined.is_leader() { self.lead(assignor, &joined).await? } else { Vec::new() };
        let assignment = self.member.sync(shares).await?;
        let assigned = assignment_of(assignment).map_err(GroupError::Fatal)?;
        self.take(assignor, joined.generation, assigned.into_iter().collect()).await;
        Ok(())
    }

    /// Decides who gets what.
    async fn lead(&mut self, assignor: Assignor, joined: &Joined) -> GroupResult<Vec<(String, Bytes)>> {
        let mate = |(id, metadata): &(String, Bytes)| {
            // a member that cannot be understood gets nothing, and stops no other
            let subscription = Subscription::decode(metadata.clone()).unwrap_or_else(|error| {
                warn!(group = self.cluster.group(), member = id, %error, "a member says nothing that can be read");
                Subscription::default()
            });
            GroupMate { member_id: id.clone(), instance_id: joined.instance_ids.get(id).cloned(), subscription }
        };
        let mates: Vec<_> = joined.members.iter().map(mate).collect();
        let topics = mates.iter().flat_map(|mate| mate.subscription.topics.iter().cloned()).collect();
        let counts = self.look_up(&topics).await.map_err(|error| match error.is_retriable() {
            true => GroupError::Coordinator(error),
            false => GroupError::Fatal(error),
        })?;
        let shares = assignor.assign(&mates, &counts);
        debug!(
            group = self.cluster.group(),
            assignor = assignor.name(),
            members = mates.len(),
            "assigned as the leader"
        );
        self.led = Some(Led { topics, counts });
        Ok(shares.into_iter().map(|(id, share)| (id, assignment_message(&share))).collect())
    }

    async fn look_up(&self, topics: &BTreeSet<String>) -> Result<PartitionCounts> {
        let mut attempts = self.cluster.attempts("look up the topics of the group", LOOK_UP);
        loop {
            match attempts.bounded(partition_counts(&self.cluster, topics, &self.joined_with)).await {
                Ok(counts) => return Ok(counts),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn take(&mut self, assignor: Assignor, generation: i32, assigned: BTreeSet<TopicPartition>) {
        self.generation = generation;
        self.place.joined(assignor.is_cooperative());
        info!(
            client = self.settings.client,
            group = self.cluster.group(),
            generation,
            partitions = assigned.len(),
            assignor = assignor.name(),
            "joined the group"
        );
        let added: Vec<_> = assigned.difference(&self.owned).cloned().collect();
        let gone: Vec<_> = self.owned.difference(&assigned).cloned().collect();
        if !gone.is_empty() {
            self.is_join_due = true;
            if let Some(loss) = self.give_up(gone).await {
                return self.lose(loss).await;
            }
        }
        // what is new may be nothing; the first time that is told too
        if !self.is_cooperative || !added.is_empty() || !self.has_told {
            self.has_told = true;
            self.place.tell(Rebalance::Assign(added));
        }
        self.owned = assigned;
    }

    /// Stays in the group until there is reason to join again, and prepares that.
    async fn stay(&mut self) {
        if self.is_join_due {
            return;
        }
        let (cluster, topics, settings) =
            (Arc::clone(&self.cluster), self.joined_with.clone(), Arc::clone(&self.settings));
        let mut looked_up = pin!(tell_missing(&cluster, &topics, &settings.client));
        let mut is_looked_up = false;
        loop {
            let is_over = tokio::select! {
                biased;
                event = self.member.next_event() => match event {
                    GroupEvent::MemberLost(loss) => return self.lose(loss).await,
                    GroupEvent::RebalanceInProgress => true,
                    // reading goes on meanwhile: the session tells whether the group has gone on
                    GroupEvent::CoordinatorLost(_) | GroupEvent::CoordinatorFound => false,
                },
                changed = self.topics.changed() => match changed {
                    Ok(()) => self.are_topics_new(),
                    Err(_) => return,
                },
                found = &mut looked_up, if !is_looked_up => {
                    is_looked_up = true;
                    if let Err(error) = found {
                        self.place.refuse(error);
                    }
                    false
                }
                () = topics_differ(&self.cluster, self.led.as_ref(), &self.joined_with, self.settings.refresh) => true,
            };
            if is_over {
                break;
            }
        }
        if !self.is_cooperative
            && let Some(loss) = self.give_up(self.owned.iter().cloned().collect()).await
        {
            self.lose(loss).await;
        }
    }

    fn are_topics_new(&mut self) -> bool {
        let wanted = self.topics.borrow_and_update();
        wanted.as_ref() != Some(&self.joined_with)
    }

    /// Has the fetcher give up partitions, while they are still owned. Returns how they were lost instead.
    async fn give_up(&mut self, partitions: Vec<TopicPartition>) -> Option<MemberLoss> {
        if partitions.is_empty() {
            return None;
        }
        let mut given_up = self.place.given_up();
        given_up.borrow_and_update();
        for partition in &partitions {
            self.owned.remove(partition);
        }
        self.place.tell(Rebalance::Revoke { partitions, lost: false });
        let mut loss = None;
        loop {
            tokio::select! {
                biased;
                // the fetcher is gone where this fails, and so will be this task
                _ = given_up.changed() => return loss,
                event = self.member.next_event() => {
                    if let GroupEvent::MemberLost(how) = event {
                        self.place.lose();
                        loss = Some(how);
                    }
                }
            }
        }
    }

    /// Others may have what is owned.
    async fn lose(&mut self, loss: MemberLoss) {
        self.generation = -1;
        self.has_told = false;
        let mut polls = self.place.polls();
        polls.borrow_and_update();
        self.place.lose();
        let group = self.cluster.group();
        match &loss {
            MemberLoss::PollTimeout => warn!(
                client = self.settings.client,
                group, "more than `max.poll.interval.ms` passed between two polls, the group went on without us"
            ),
            MemberLoss::Refused(error) => {
                warn!(client = self.settings.client, group, %error, "the group refuses this consumer");
                self.place.refuse(error.clone());
            }
            loss => warn!(client = self.settings.client, group, ?loss, "lost the place in the group, joining again"),
        }
        let partitions: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
        if !partitions.is_empty() {
            let mut given_up = self.place.given_up();
            given_up.borrow_and_update();
            self.place.tell(Rebalance::Revoke { partitions, lost: true });
            let _ = given_up.changed().await;
        }
        match loss {
            // whoever does not read keeps others from doing so
            MemberLoss::PollTimeout => drop(polls.changed().await),
            MemberLoss::Refused(_) => sleep(REFUSED).await,
            _ => {}
        }
    }

    async fn recover(&mut self, error: GroupError) {
        match error {
            GroupError::Rejoin => {}
            GroupError::Reset => self.lose(MemberLoss::UnknownMember).await,
            GroupError::Coordinator(error) => {
                debug!(client = self.settings.client, group = self.cluster.group(), %error, "could not join yet");
                sleep(self.cluster.pauses().next()).await;
            }
            GroupError::Fatal(error) => self.lose(MemberLoss::Refused(error)).await,
        }
    }

    /// Without topics there is nothing to be a member for.
    async fn leave_for_now(&mut self) {
        let owned = self.owned.iter().cloned().collect();
        self.give_up(owned).await;
        self.generation = -1;
        self.has_told = false;
        self.member.leave("there are no topics to consume").await;
    }
}

/// Names the topics that do not exist.
///
/// # Errors
/// `Config` when the consumer may not see one of them.
async fn tell_missing(cluster: &Cluster, topics: &[String], client: &str) -> Result<()> {
    let wanted = topics.iter().cloned().collect();
    let mut pauses = cluster.pauses();
    loop {
        match partition_counts(cluster, &wanted, topics).await {
            Ok(counts) => {
                let missing: Vec<_> = wanted.iter().filter(|topic| !counts.contains_key(*topic)).collect();
                if !missing.is_empty() {
                    warn!(client, topics = ?missing, "a topic does not exist, waiting for it");
                }
                return Ok(());
            }
            Err(error) if error.is_retriable() => sleep(pauses.next()).await,
            Err(error) => return Err(error),
        }
    }
}

/// Resolves when the group's topics are not those any more that its leader has dealt out; never for one that does not lead.
async fn topics_differ(cluster: &Cluster, led: Option<&Led>, own: &[String], refresh: Duration) {
    let Some(led) = led else { return pending().await };
    loop {
        let is_any_missing = led.topics.iter().any(|topic| !led.counts.contains_key(topic));
        sleep(if is_any_missing { MISSING.min(refresh) } else { refresh }).await;
        match partition_counts(cluster, &led.topics, own).await {
            Ok(counts) if counts != led.counts => {
                info!(
                    group = cluster.group(),
                    "topics of the group have come, gone or grown, its partitions are dealt anew"
                );
                return;
            }
            Ok(_) => {}
            Err(error) => debug!(group = cluster.group(), %error, "could not look up the topics of the group"),
        }
    }
}
