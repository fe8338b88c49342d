//! Conformance tests for every status store.

use super::{
    ConnectorTaskId, State, Status, StatusBackingStore, StatusKey, TaskProgressSnapshot, TaskRun, TopicStatus,
};

fn status(state: State, worker: &str, generation: i32) -> Status {
    let trace = (state == State::Failed).then(|| "why\n\tat where".to_owned());
    Status { state, trace, worker_id: worker.into(), generation, version: Some("1.0".into()) }
}

fn task(task: usize) -> ConnectorTaskId {
    ConnectorTaskId { connector: "a-0".into(), task }
}

/// Runs the suite against an empty store; after `settle` all statuses put before are visible.
pub(crate) fn assert_status_store_conforms(store: &dyn StatusBackingStore, settle: &dyn Fn()) {
    let put = |key: &StatusKey, status: Option<Status>| {
        store.put(key.clone(), status);
        settle();
    };
    let connector = StatusKey::Connector("a-0".into());
    assert_eq!(store.get(&connector), None, "nothing is stored at first");
    let failed = status(State::Failed, "w:1", 3);
    put(&connector, Some(failed.clone()));
    assert_eq!(store.get(&connector), Some(failed));
    put(&connector, Some(status(State::Running, "v:1", 7)));
    put(&connector, Some(status(State::Failed, "w:1", 6)));
    assert_eq!(store.get(&connector).map(|status| status.worker_id), Some("v:1".into()), "an old owner gives way");
    put(&connector, Some(status(State::Restarting, "w:1", 6)));
    assert_eq!(store.get(&connector).map(|status| status.state), Some(State::Restarting), "others write as they like");

    for number in [10, 2, 0] {
        put(&StatusKey::Task(task(number)), Some(status(State::Running, "w:1", 7)));
    }
    let other = ConnectorTaskId { connector: "a".into(), task: 0 };
    put(&StatusKey::Task(other.clone()), Some(status(State::Paused, "w:1", 7)));
    put(&StatusKey::Task(task(2)), Some(status(State::Unassigned, "v:1", 7)));
    let tasks: Vec<_> = store.tasks("a-0").into_iter().map(|(number, status)| (number, status.state)).collect();
    assert_eq!(tasks, [(0, State::Running), (2, State::Running), (10, State::Running)], "a late UNASSIGNED is ignored");
    put(&StatusKey::Task(task(10)), None);
    put(&connector, None);
    assert_eq!((store.tasks("a-0").len(), store.tasks("a").len()), (2, 1));
    assert_eq!(store.get(&connector), None);
    assert_task_runs(store, settle);
    assert_topics(store, settle, &other);
}

fn assert_task_runs(store: &dyn StatusBackingStore, settle: &dyn Fn()) {
    let run = |run| TaskRun { run, is_done: true, started_at: 1, progress: TaskProgressSnapshot::default() };
    for number in [10, 2] {
        store.put_task_run(task(number), Some(run(5)));
    }
    store.put_task_run(task(2), Some(run(6)));
    settle();
    assert_eq!(store.task_runs("a-0"), [(2, run(6)), (10, run(5))], "the latest counts");
    assert_eq!(store.task_runs("a"), []);
    store.put_task_run(task(2), None);
    settle();
    assert_eq!(store.task_runs("a-0"), [(10, run(5))]);
}

fn assert_topics(store: &dyn StatusBackingStore, settle: &dyn Fn(), other: &ConnectorTaskId) {
    let topic = |topic: &str, task: &ConnectorTaskId, discover_timestamp| TopicStatus {
        topic: topic.into(),
        task: task.clone(),
        discover_timestamp,
    };
    store.put_topic(topic("t-1", &task(0), 1));
    store.put_topic(topic("t-1", &task(2), 2));
    store.put_topic(topic("t-0", &task(0), 3));
    store.put_topic(topic("t-1", other, 4));
    settle();
    let first = [topic("t-0", &task(0), 3), topic("t-1", &task(0), 1)];
    assert_eq!(store.topics("a-0"), first, "who came first stays");
    store.put_topic(topic("t-2", &task(0), 5));
    store.reset_topics("a-0");
    settle();
    assert_eq!(store.topics("a-0"), [], "those that were on their way, too");
    assert_eq!(store.topics("a"), [topic("t-1", other, 4)]);
    store.put_topic(topic("t-1", &task(2), 6));
    settle();
    assert_eq!(store.topics("a-0"), [topic("t-1", &task(2), 6)], "after a reset it counts anew");
}
