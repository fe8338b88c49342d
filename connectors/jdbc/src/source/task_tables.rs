//! The tables of a task, in its configuration.

use volley_api::ConfigMap;

use crate::database::{TableId, split_outside};

/// The key that tells a task its tables; Java's connector has the same.
const TABLES: &str = "tables";

/// The configurations of at most `max_tasks` tasks that share the tables, dealt in turns.
pub(super) fn task_configs(config: &ConfigMap, tables: &[TableId], max_tasks: usize, quote: char) -> Vec<ConfigMap> {
    let tasks = tables.len().min(max_tasks);
    (0..tasks).map(|task| task_config(config, tables, task, tasks, quote)).collect()
}

/// The configuration of one of `tasks` tasks that share the tables.
pub(super) fn task_config(config: &ConfigMap, tables: &[TableId], task: usize, tasks: usize, quote: char) -> ConfigMap {
    let own: Vec<_> = tables.iter().skip(task).step_by(tasks).map(|table| table.in_sql(Some(quote))).collect();
    let mut config = config.clone();
    config.insert(TABLES.to_owned(), own.join(","));
    config
}

/// The tables of a task; names that no one has written so are passed over.
pub(super) fn tables_of(config: &ConfigMap, quote: char) -> Vec<TableId> {
    let text = config.get(TABLES).map_or("", String::as_str);
    split_outside(text, quote, ',').into_iter().filter_map(|table| TableId::parse(table.trim(), quote)).collect()
}

#[cfg(test)]
mod tests {
    use volley_api::testing::config_map;

    use super::*;

    #[test]
    fn tables_are_dealt_in_turns_and_arrive_as_they_are() {
        let tables: Vec<_> =
            ["a", "b,c", "d\"e", "f.g", "h"].map(|table| TableId::new(None, Some("public"), table)).to_vec();
        let config = config_map(&[("name", "x")]);
        let tasks = task_configs(&config, &tables, 2, '"');
        assert_eq!(tasks.len(), 2);
        assert_eq!(tables_of(&tasks[0], '"'), [tables[0].clone(), tables[2].clone(), tables[4].clone()]);
        assert_eq!(tables_of(&tasks[1], '"'), [tables[1].clone(), tables[3].clone()]);
        assert_eq!(task_configs(&config, &tables, 9, '"').len(), 5);
        assert!(task_configs(&config, &[], 9, '"').is_empty());
        assert!(tables_of(&config, '"').is_empty());
    }
}
