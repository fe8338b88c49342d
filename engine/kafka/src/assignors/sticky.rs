//! The cooperative sticky assignor (KIP-54, KIP-429): even shares, and as little as possible moves. What moves is given up first, and
//! assigned in the next round.
//!
//! 1. What a member owns it keeps. Of several who own a partition it is the one with the highest generation.
//! 2. What nobody owns goes to whoever has least and wants it, first those topics that the fewest want.
//! 3. While somebody has at least two more than another who wants one of its partitions, one moves.

use std::collections::BTreeMap;

use volley_api::TopicPartition;

use super::{GroupMate, PartitionCounts, Shares, sorted};

/// Who gets what now. A partition that another member still owns is given to nobody.
pub(super) fn assign_cooperatively(members: &[GroupMate], counts: &PartitionCounts) -> Shares {
    let claims = Claims::of(members);
    let mut shares = Shares::new();
    for (member, mut share) in Balance::new(members, counts, &claims).found() {
        share.retain(|partition| !claims.is_owned_by_another(partition, &member));
        shares.insert(member, share);
    }
    shares
}

/// What members say that they own.
struct Claims<'a> {
    /// The generation and the id of each who claims a partition.
    of: BTreeMap<&'a TopicPartition, Vec<(i32, &'a str)>>,
}

impl<'a> Claims<'a> {
    fn of(members: &'a [GroupMate]) -> Self {
        let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for member in members {
            for partition in &member.subscription.owned {
                let claims: &mut Vec<_> = of.entry(partition).or_default();
                let claim = (member.subscription.generation, member.member_id.as_str());
                if !claims.contains(&claim) {
                    claims.push(claim);
                }
            }
        }
        Self { of }
    }

    /// Whoever has the best claim; `None` where two have the same.
    fn owner(&self, partition: &TopicPartition) -> Option<&'a str> {
        let claims = self.of.get(partition)?;
        let latest = claims.iter().map(|(generation, _)| *generation).max()?;
        let mut owners = claims.iter().filter(|(generation, _)| *generation == latest);
        let (_, owner) = owners.next()?;
        owners.next().is_none().then_some(*owner)
    }

    /// Whether the partition has to be given up by another member before this one can have it.
    fn is_owned_by_another(&self, partition: &TopicPartition, member: &str) -> bool {
        let claims = self.of.get(partition).map_or(&[][..], Vec::as_slice);
        let owns = self.owner(partition) == Some(member);
        !owns && claims.iter().any(|(_, claimer)| *claimer != member)
    }
}

struct Taker<'a> {
    id: &'a str,
    wants: Vec<bool>,
    /// The partitions of each topic.
    share: Vec<Vec<i32>>,
    load: usize,
}

/// Shares on the way to a balance. Topics are known by their places.
struct Balance<'a> {
    topics: Vec<&'a str>,
    takers: Vec<Taker<'a>>,
}

impl<'a> Balance<'a> {
    fn new(members: &'a [GroupMate], counts: &'a PartitionCounts, claims: &Claims<'_>) -> Self {
        let topics: Vec<&str> = counts.keys().map(String::as_str).collect();
        let taker = |member: &&'a GroupMate| Taker {
            id: &member.member_id,
            wants: topics.iter().map(|topic| member.wants(topic)).collect(),
            share: vec![Vec::new(); topics.len()],
            load: 0,
        };
        let takers = sorted(members).iter().map(taker).collect();
        let mut balance = Self { topics, takers };
        let ids: BTreeMap<&str, usize> = balance.takers.iter().enumerate().map(|(at, taker)| (taker.id, at)).collect();
        let mut free = Vec::new();
        for (topic, (name, count)) in counts.iter().enumerate() {
            for number in 0..*count {
                let owner = claims.owner(&TopicPartition::new(name.as_str(), number)).and_then(|id| ids.get(id));
                match owner.filter(|owner| balance.takers[**owner].wants[topic]) {
                    Some(owner) => balance.give(*owner, topic, number),
                    None => free.push((topic, number)),
                }
            }
        }
        let rivals = |topic: usize| balance.takers.iter().filter(|taker| taker.wants[topic]).count();
        free.sort_by_key(|(topic, number)| (rivals(*topic), *topic, *number));
        for (topic, number) in free {
            if let Some(taker) = balance.least_loaded(topic) {
                balance.give(taker, topic, number);
            }
        }
        while balance.move_one() {}
        balance
    }

    fn give(&mut self, taker: usize, topic: usize, number: i32) {
        self.takers[taker].share[topic].push(number);
        self.takers[taker].load += 1;
    }

    fn least_loaded(&self, topic: usize) -> Option<usize> {
        let wanting = self.takers.iter().enumerate().filter(|(_, taker)| taker.wants[topic]);
        wanting.min_by_key(|(_, taker)| taker.load).map(|(at, _)| at)
    }

    /// Moves a partition from whoever has most of those who can spare one. Each move brings two loads nearer to each other, so that
    /// this comes to an end.
    fn move_one(&mut self) -> bool {
        let mut givers: Vec<usize> = (0..self.takers.len()).collect();
        givers.sort_by_key(|at| std::cmp::Reverse(self.takers[*at].load));
        for giver in givers {
            let held = (0..self.topics.len()).filter(|topic| !self.takers[giver].share[*topic].is_empty());
            let moves = held.filter_map(|topic| Some((self.least_loaded(topic)?, topic)));
            let Some((taker, topic)) = moves.min_by_key(|(taker, _)| self.takers[*taker].load) else { continue };
            if self.takers[taker].load + 2 > self.takers[giver].load {
                continue;
            }
            if let Some(number) = self.takers[giver].share[topic].pop() {
                self.takers[giver].load -= 1;
                self.give(taker, topic, number);
                return true;
            }
        }
        false
    }

    fn found(self) -> impl Iterator<Item = (String, Vec<TopicPartition>)> + 'a {
        let topics = self.topics;
        self.takers.into_iter().map(move |taker| {
            let partitions = taker.share.into_iter().zip(&topics).flat_map(|(mut numbers, topic)| {
                numbers.sort_unstable();
                numbers.into_iter().map(move |number| TopicPartition::new(*topic, number))
            });
            (taker.id.to_owned(), partitions.collect())
        })
    }
}
