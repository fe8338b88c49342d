//! Assigns work for the eager protocol, where everything stops at each rebalance.

use std::collections::HashMap;

use volley_java::compare_strings;

use super::ConnectorsAndTasks;
use super::items::Items;

/// Deals connectors, then tasks, both in order of their names, to the members in order of their ids.
pub fn assign_eagerly<'a>(
    configured: &ConnectorsAndTasks,
    members: impl IntoIterator<Item = &'a str>,
) -> HashMap<String, ConnectorsAndTasks> {
    let mut members: Vec<&str> = members.into_iter().collect();
    members.sort_by(|left, right| compare_strings(left, right));
    members.dedup();
    let mut hands = vec![ConnectorsAndTasks::default(); members.len()];
    if !hands.is_empty() {
        let Items { connectors, tasks } = Items::from(configured).sorted();
        let first_task = connectors.len();
        let count = hands.len();
        connectors.into_iter().enumerate().for_each(|(turn, it)| hands[turn % count].connectors.push(it));
        tasks.into_iter().enumerate().for_each(|(turn, it)| hands[(first_task + turn) % count].tasks.push(it));
    }
    members.into_iter().map(str::to_owned).zip(hands).collect()
}
