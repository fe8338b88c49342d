//! Until when everything is settled: every transaction that began before has ended.
//!
//! A database tells which transactions are under way, and when it looked. Once all those of one look have ended,
//! everything before that look is settled: what began before it was among them, or had ended already.

use std::collections::{HashSet, VecDeque};

use crate::database::{OpenTransactions, Timestamp};

/// Looks that are remembered at most: one transaction that takes long should not fill the memory.
const MOST_LOOKS: usize = 64;
const SECOND_MILLIS: i64 = 1_000;

/// What the looks so far say.
#[derive(Debug, Default)]
pub(in crate::source) struct Settling {
    /// In the order in which they were made, from the first that is not settled on.
    looks: VecDeque<Look>,
    /// Names of renamed transactions that were seen.
    renamed: HashSet<String>,
    settled: Option<Timestamp>,
}

#[derive(Debug)]
struct Look {
    at: Timestamp,
    /// The transactions of it that have not ended.
    open: HashSet<String>,
}

impl Settling {
    /// Takes a look; the time before which everything is settled, in whole seconds: a column may have no more. `None`:
    /// nobody knows yet.
    pub(in crate::source) fn look(&mut self, found: OpenTransactions) -> Option<Timestamp> {
        let OpenTransactions { at, names, renamed } = found;
        // under its former name each of these may have been in any look
        let appeared: Vec<_> = renamed.iter().filter(|name| !self.renamed.contains(*name)).cloned().collect();
        self.renamed = renamed.iter().cloned().collect();
        let open: HashSet<String> = names.into_iter().chain(renamed).collect();
        for look in &mut self.looks {
            look.open.extend(appeared.iter().cloned());
            look.open.retain(|name| open.contains(name));
        }
        if self.looks.len() == MOST_LOOKS {
            self.looks.pop_back();
        }
        self.looks.push_back(Look { at, open });
        while let Some(look) = self.looks.front().filter(|look| look.open.is_empty()) {
            self.settled = self.settled.max(Some(look.at));
            self.looks.pop_front();
        }
        self.settled.map(|at| Timestamp::from_millis(at.millis().div_euclid(SECOND_MILLIS) * SECOND_MILLIS))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn open(second: i64, names: &[&str], renamed: &[&str]) -> OpenTransactions {
        let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        OpenTransactions {
            at: Timestamp::from_millis(second * 1_000 + 999),
            names: texts(names),
            renamed: texts(renamed),
        }
    }

    fn second(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_millis(second * 1_000))
    }

    #[test]
    fn everything_is_settled_up_to_a_look_whose_transactions_have_ended() {
        let mut settling = Settling::default();
        assert_eq!(settling.look(open(1, &["a"], &[])), None);
        assert_eq!(settling.look(open(2, &["a", "b"], &[])), None);
        assert_eq!(settling.look(open(3, &["b"], &[])), second(1));
        assert_eq!(settling.look(open(4, &["c"], &[])), second(3));
        assert_eq!(settling.look(open(5, &[], &[])), second(5));
    }

    #[test]
    fn a_transaction_that_gets_another_name_is_waited_for_all_the_same() {
        let mut settling = Settling::default();
        assert_eq!(settling.look(open(1, &["a"], &[])), None);
        assert_eq!(settling.look(open(2, &[], &["prepared"])), None);
        assert_eq!(settling.look(open(3, &[], &["prepared"])), None);
        assert_eq!(settling.look(open(4, &[], &[])), second(4));
    }

    #[test]
    fn one_transaction_that_takes_long_fills_no_memory_and_ends_the_wait() {
        let mut settling = Settling::default();
        for at in 0..1_000 {
            assert_eq!(settling.look(open(at, &["long"], &[])), None);
        }
        assert!(settling.looks.len() <= MOST_LOOKS);
        assert!(settling.look(open(2_000, &[], &[])) == second(2_000));
    }

    proptest! {
        /// Transactions begin, are prepared (under another name) and end, and looks are taken, in any order: nothing
        /// that is under way began before what is settled.
        #[test]
        fn what_is_under_way_began_after_what_is_settled(steps in prop::collection::vec((0_u8..4, 0_usize..4), 1..80)) {
            let mut settling = Settling::default();
            let mut running: BTreeMap<String, i64> = BTreeMap::new();
            for (now, (step, which)) in steps.into_iter().enumerate() {
                let now = now as i64;
                let name = running.keys().nth(which).cloned();
                match (step, name) {
                    (0, _) => { running.insert(format!("t{now}"), now); }
                    (1, Some(name)) => { running.remove(&name); }
                    (2, Some(name)) if !name.starts_with('p') => {
                        let began = running.remove(&name).unwrap();
                        running.insert(format!("p{name}"), began);
                    }
                    _ => {
                        let (renamed, names): (Vec<_>, Vec<_>) = running.keys().cloned().partition(|name| name.starts_with('p'));
                        let at = Timestamp::from_millis(now * 1_000);
                        if let Some(settled) = settling.look(OpenTransactions { at, names, renamed }) {
                            for began in running.values() {
                                prop_assert!(Timestamp::from_millis(began * 1_000) >= settled);
                            }
                        }
                    }
                }
            }
        }
    }
}
