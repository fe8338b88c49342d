//! Conformance tests for every config store.

use volley_api::testing::config_map;

use super::{ConfigBackingStore, ConfigRecord, RestartRequest, SessionKey, TargetState};

/// Runs the suite against an empty store.
pub(crate) fn assert_config_store_conforms(store: &dyn ConfigBackingStore) {
    assert_eq!(store.snapshot().connectors().count(), 0, "nothing is stored at first");
    store.set_leader(true).expect("lead");
    assert_connectors_and_tasks(store);
    assert_the_rest(store);
    assert_removal(store);
}

fn assert_connectors_and_tasks(store: &dyn ConfigBackingStore) {
    let config = config_map(&[("name", "a-0"), ("text", "ä\u{1}\n\"\\${file:/x:y}"), ("empty", "")]);
    let stopped = ConfigRecord::TargetState("a-0".into(), Some(TargetState::Stopped));
    store.write(&[stopped, ConfigRecord::Connector("a-0".into(), Some(config.clone().into()))]).expect("write");
    let state = store.snapshot();
    assert_eq!(state.connector_config("a-0"), Some(&config));
    assert_eq!(state.target_state("a-0"), Some(TargetState::Stopped), "written before, and holds");

    let tasks = [config_map(&[("task", "0")]), config_map(&[("task", "1")]), config_map(&[])];
    store.write(&ConfigRecord::tasks("a-0", &tasks)).expect("write tasks");
    let committed = store.snapshot();
    assert_eq!(committed.task_configs("a-0"), tasks.iter().collect::<Vec<_>>());
    assert_eq!((committed.task_count("a-0"), committed.task_config_generation("a-0")), (3, Some(0)));
    assert!(committed.offset() > state.offset(), "every record moves the position");
    assert_eq!(state.task_count("a-0"), 0, "a snapshot does not change");

    let changed = config_map(&[("name", "a-0"), ("text", "other")]);
    store.write(&[ConfigRecord::Connector("a-0".into(), Some(changed.clone().into()))]).expect("write");
    let state = store.snapshot();
    assert_eq!(state.connector_config("a-0"), Some(&changed));
    assert_eq!(state.applied_connector_config("a-0"), Some(&config), "until tasks are committed again");
    store.write(&ConfigRecord::tasks("a-0", &[])).expect("write no tasks");
    let state = store.snapshot();
    assert_eq!((state.task_count("a-0"), state.task_config_generation("a-0")), (0, Some(1)));
    assert_eq!(state.applied_connector_config("a-0"), Some(&changed));
}

fn assert_the_rest(store: &dyn ConfigBackingStore) {
    let key = SessionKey { key: "c2VjcmV0".into(), algorithm: "HmacSHA256".into(), creation_timestamp: 1 << 41 };
    let request = RestartRequest { connector: "a-0".into(), only_failed: true, include_tasks: true };
    store
        .write(&[
            ConfigRecord::SessionKey(key.clone()),
            ConfigRecord::Restart(request),
            ConfigRecord::LoggerLevel("org.example".into(), "DEBUG".into()),
            ConfigRecord::TaskCount("a-0".into(), 2),
        ])
        .expect("write");
    store.refresh(std::time::Duration::from_secs(30)).expect("refresh");
    let state = store.snapshot();
    assert_eq!(state.session_key(), Some(&key));
    assert_eq!(state.fenced_task_count("a-0"), Some(2));
    store.write(&[ConfigRecord::TargetState("a-0".into(), Some(TargetState::Paused))]).expect("write");
    assert_eq!(store.snapshot().target_state("a-0"), Some(TargetState::Paused));
}

fn assert_removal(store: &dyn ConfigBackingStore) {
    store.write(&[ConfigRecord::Connector("b".into(), Some(config_map(&[]).into()))]).expect("write");
    let removal = [ConfigRecord::Connector("a-0".into(), None), ConfigRecord::TargetState("a-0".into(), None)];
    store.write(&removal).expect("remove");
    let state = store.snapshot();
    assert_eq!(state.connectors().collect::<Vec<_>>(), ["b"]);
    assert_eq!(state.fenced_task_count("a-0"), Some(2), "what was fenced is remembered");
    store.set_leader(false).expect("lead no longer");
}
