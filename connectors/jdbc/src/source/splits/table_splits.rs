//! Who reads which range: the key `splits` in the configurations of tasks.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use volley_api::{ConfigMap, Error, Result, SourceContext};

use super::range_reader::RangeReader;
use super::split_offset::{self, RangeState, split_partitions};
use super::split_plan::SplitPlan;
use crate::database::TableId;
use crate::source::config::SourceConfig;
use crate::source::reader::Reader;
use crate::source::stored_offset::stored_offset;
use crate::source::table_reader::TableReader;
use crate::source::task_tables;

/// The key.
const SPLITS: &str = "splits";

/// The range whose task ends the snapshot and goes on behind it.
pub(super) const LAST_TO_END: usize = 0;

/// The configurations of at most `max_tasks` tasks that share the tables, and the ranges of those that are divided.
pub(in crate::source) fn task_configs(
    config: &ConfigMap,
    tables: &[(TableId, Option<Arc<SplitPlan>>)],
    max_tasks: usize,
    quote: char,
) -> Vec<ConfigMap> {
    let whole: Vec<_> = tables.iter().filter(|(_, plan)| plan.is_none()).map(|(table, _)| table.clone()).collect();
    let ranges: usize = tables.iter().filter_map(|(_, plan)| plan.as_ref()).map(|plan| plan.ranges()).sum();
    if ranges == 0 {
        return task_tables::task_configs(config, &whole, max_tasks, quote);
    }
    let tasks = (whole.len() + ranges).min(max_tasks);
    let mut first = whole.len();
    let mut divided = Vec::new();
    for (table, plan) in tables {
        let Some(plan) = plan else { continue };
        divided.push(json!({"table": table.in_sql(Some(quote)), "first": first, "plan": plan.to_text()}));
        first += plan.ranges();
    }
    (0..tasks)
        .map(|task| {
            let mut config = task_tables::task_config(config, &whole, task, tasks, quote);
            let splits = json!({"task": task, "of": tasks, "tables": divided});
            config.insert(SPLITS.to_owned(), splits.to_string());
            config
        })
        .collect()
}

/// A table that is divided, as a task is told it.
struct Divided {
    table: TableId,
    first: usize,
    plan: SplitPlan,
}

/// The readers of the ranges of a task.
pub(in crate::source) fn readers_of(
    config: &SourceConfig,
    task: &ConfigMap,
    quote: char,
    context: &SourceContext,
) -> Result<Vec<TableReader>> {
    let Some(text) = task.get(SPLITS) else { return Ok(Vec::new()) };
    let wrong = || Error::config(format!("the task's `{SPLITS}` is not what the connector writes"));
    let members: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let number = |members: &Map<String, Value>, name: &str| {
        members.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok()).ok_or_else(wrong)
    };
    let (place, of) = (number(&members, "task")?, number(&members, "of")?.max(1));
    let mut readers = Vec::new();
    for divided in members.get("tables").and_then(Value::as_array).ok_or_else(wrong)? {
        let divided = divided.as_object().ok_or_else(wrong)?;
        let text = |name: &str| divided.get(name).and_then(Value::as_str).ok_or_else(wrong);
        let divided = Divided {
            table: TableId::parse(text("table")?, quote).ok_or_else(wrong)?,
            first: number(divided, "first")?,
            plan: SplitPlan::parse(text("plan")?).map_err(|_| wrong())?,
        };
        readers.extend(divided.readers(config, context, |index| (divided.first + index) % of == place)?);
    }
    Ok(readers)
}

impl Divided {
    fn readers(
        &self,
        config: &SourceConfig,
        context: &SourceContext,
        is_own: impl Fn(usize) -> bool,
    ) -> Result<Vec<TableReader>> {
        let Self { table, plan, .. } = self;
        let mode = config.reading.mode;
        if !mode.is_bulk() && !stored_offset(table, |known| context.offsets(known))?.1.is_empty() {
            // the snapshot has ended since the plan was made
            let reader = is_own(LAST_TO_END).then(|| Reader::of_table(config, table.clone(), context)).transpose()?;
            return Ok(reader.map(|reader| TableReader::Whole(Box::new(reader))).into_iter().collect());
        }
        let stored = context.offsets(&split_partitions(table))?;
        let mut states = Vec::new();
        for (index, offset) in stored.into_iter().enumerate() {
            if let Some(offset) = offset.filter(|offset| !offset.is_empty()) {
                let (plan, state) = split_offset::parse(&offset)?;
                states.push((index, plan, state));
            }
        }
        let plan = Arc::new(chosen_plan(config, plan, states.iter().map(|(_, plan, _)| plan)).clone());
        let state_of = |wanted: usize| {
            let found = states.iter().find(|(index, of, _)| *index == wanted && of.at == plan.at);
            found.map_or_else(RangeState::default, |(_, _, state)| state.clone())
        };
        let own = (0..plan.ranges()).filter(|index| is_own(*index));
        own.map(|index| {
            let whole = Reader::of_table(config, table.clone(), context)?;
            let reader =
                RangeReader::new(whole, table.clone(), Arc::clone(&plan), index, state_of(index), (config, context));
            Ok(TableReader::Range(Box::new(reader)))
        })
        .collect()
    }
}

/// The plan that counts: the one that was begun, whatever a connector made of it that could not know. Of those that
/// are stored it is the first; of a bulk, which may be read again and again, the latest.
pub(super) fn chosen_plan<'a>(
    config: &SourceConfig,
    told: &'a SplitPlan,
    stored: impl Iterator<Item = &'a SplitPlan>,
) -> &'a SplitPlan {
    let mode = config.reading.mode;
    let stored = stored.filter(|plan| plan.fits(mode.is_incrementing, mode.is_timestamp));
    match mode.is_bulk() {
        true => stored.chain([told]).max_by_key(|plan| plan.at).unwrap_or(told),
        false => stored.min_by_key(|plan| plan.at).unwrap_or(told),
    }
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::super::split_plan::tests::plan;
    use super::*;
    use crate::source::config::config_keys::Flavour;

    fn config(mode: &str) -> SourceConfig {
        let keys = [
            ("connection.url", "jdbc:test:x"),
            ("mode", mode),
            ("topic.prefix", ""),
            ("volley.mode", "bounded"),
            ("table.splits", "4"),
        ];
        SourceConfig::parse(Flavour::Confluent, &config_map(&keys)).unwrap()
    }

    fn table(name: &str) -> TableId {
        TableId::new(None, Some("s"), name)
    }

    #[test]
    fn each_range_and_each_table_is_one_task_s() {
        let plan = Arc::new(plan(&["1", "2", "3"]));
        let tables = [(table("a"), None), (table("b"), Some(Arc::clone(&plan))), (table("c,\""), None)];
        for tasks in [1, 2, 3, 9] {
            let configs = task_configs(&ConfigMap::new(), &tables, tasks, '"');
            assert_eq!(configs.len(), tasks.min(6));
            let (mut whole, mut ranges) = (Vec::new(), Vec::new());
            for (place, task) in configs.iter().enumerate() {
                whole.extend(task_tables::tables_of(task, '"'));
                let readers = readers_of(&config("incrementing"), task, '"', &SourceContext::new("c", place)).unwrap();
                ranges.extend(readers.iter().filter_map(|reader| match reader {
                    TableReader::Range(range) => Some(range.index()),
                    TableReader::Whole(_) => None,
                }));
            }
            whole.sort();
            ranges.sort_unstable();
            assert_eq!((whole, ranges), (vec![table("a"), table("c,\"")], vec![0, 1, 2, 3]), "{tasks}");
        }
        let whole = task_configs(&ConfigMap::new(), &[(table("a"), None)], 2, '"');
        assert!(whole.len() == 1 && !whole[0].contains_key(SPLITS));
        let broken = config_map(&[(SPLITS, "[]")]);
        assert!(readers_of(&config("incrementing"), &broken, '"', &SourceContext::new("c", 0)).is_err());
    }

    #[test]
    fn the_plan_that_was_begun_counts() {
        let at = |at| SplitPlan { at, ..plan(&["1"]) };
        let chosen =
            |config: &SourceConfig, told: &SplitPlan, stored: &[SplitPlan]| chosen_plan(config, told, stored.iter()).at;
        let numbers = config("incrementing");
        assert_eq!(chosen(&numbers, &at(7), &[]), 7);
        assert_eq!(chosen(&numbers, &at(7), &[at(3), at(5)]), 3);
        let other_mode = SplitPlan { until: None, ..at(2) };
        assert_eq!(chosen(&numbers, &at(7), &[other_mode]), 7);
        let bulk = |at| SplitPlan { until: None, at, ..plan(&["1"]) };
        let all = config("bulk");
        assert_eq!(chosen(&all, &bulk(7), &[bulk(3), bulk(5)]), 7);
        assert_eq!(chosen(&all, &bulk(7), &[bulk(9)]), 9);
    }
}
