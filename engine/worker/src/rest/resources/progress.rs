//! `/volley/connectors/{name}/progress`: the progress of a connector's tasks on all workers of the group.
//!
//! ```text
//!  user ──► worker ── ?forward=false ──► each worker that has tasks, by the states of the tasks
//! ```
//! With `forward=false` a worker reports only its own tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use futures::future::join_all;
use volley_net::HttpAnswer;

use crate::herder::{ConnectorProgress, NotCounted, TaskStateInfo, WorkerProgress};
use crate::peers::{PeerRequest, error_message};
use crate::rest::error::RestResult;
use crate::rest::resources::forwarding::{FORWARD, Forwarding};
use crate::rest::resources::query::QueryParams;
use crate::rest::state::RestState;
use crate::storage::State as TaskState;

/// Time limit for all other workers together.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// The answer of a worker that does not have this path.
const NO_SUCH_PATH: &str = "HTTP 404 Not Found";

/// `GET /volley/connectors/{name}/progress`: rows, bytes, lag, rates, files, last commit, per task and in total; and the
/// completion of a bounded connector.
pub(crate) async fn progress(
    State(state): State<RestState>,
    Path(name): Path<String>,
    query: QueryParams,
    forwarding: Forwarding,
) -> RestResult<Json<ConnectorProgress>> {
    let mut progress = state.herder.progress(&name).await?;
    if query.flag(FORWARD, true) {
        // A connector without states has no known tasks.
        let Ok(status) = state.herder.connector_status(&name).await else { return Ok(Json(progress)) };
        let (here, instance) = (state.herder.worker_id(), status.connector);
        let elsewhere = tasks_elsewhere(status.tasks, &here);
        let instance_has_no_tasks = instance.worker_id != here && !elsewhere.contains_key(&instance.worker_id);
        progress
            .add(join_all(elsewhere.into_iter().map(|(worker, tasks)| ask(&state, &forwarding, worker, tasks))).await);
        // of a connector in Java the instance has a process, too
        if instance_has_no_tasks && instance.state != TaskState::Unassigned.to_string() && !progress.java.is_empty() {
            let other = ask(&state, &forwarding, instance.worker_id, Vec::new()).await;
            progress.java.extend(other.map(|other| other.java).unwrap_or_default());
        }
    }
    Ok(Json(progress))
}

/// The tasks on other workers, by worker.
fn tasks_elsewhere(tasks: Vec<TaskStateInfo>, here: &str) -> BTreeMap<String, Vec<usize>> {
    let mut elsewhere = BTreeMap::<String, Vec<usize>>::new();
    let unassigned = TaskState::Unassigned.to_string();
    for task in tasks.into_iter().filter(|task| task.worker_id != here && task.state != unassigned) {
        elsewhere.entry(task.worker_id).or_default().push(task.id);
    }
    elsewhere
}

async fn ask(
    state: &RestState,
    forwarding: &Forwarding,
    worker: String,
    tasks: Vec<usize>,
) -> Result<WorkerProgress, NotCounted> {
    let reason = match forwarding.to_one(&format!("{}://{worker}", state.scheme)) {
        Err(_) => "its address cannot be part of a URL".to_owned(),
        Ok(request) => match answer(state, request).await {
            Ok(progress) => return Ok(progress),
            Err(reason) => reason,
        },
    };
    Err(NotCounted { worker_id: worker, tasks, reason })
}

/// The other worker's answer, or the reason why there is none.
async fn answer(state: &RestState, request: PeerRequest) -> Result<WorkerProgress, String> {
    let answer = tokio::time::timeout(ANSWER_LIMIT, state.peers.send(request)).await;
    let answer = answer.map_err(|_| format!("it did not answer within {} s", ANSWER_LIMIT.as_secs()))?;
    let answer = answer.map_err(|error| format!("it was not reached: {error}"))?;
    match answer.status {
        200 => serde_json::from_slice(&answer.body).map_err(|error| format!("its answer cannot be read: {error}")),
        _ => Err(refusal(&answer)),
    }
}

fn refusal(answer: &HttpAnswer) -> String {
    match error_message(answer) {
        Some((404, Some(message))) if message == NO_SUCH_PATH => {
            "it is a worker of Java, which does not count this".to_owned()
        }
        Some((_, message)) => format!("it answered {}: {}", answer.status, message.unwrap_or_default()),
        None => format!("it answered {}", answer.status),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::FromRequestParts;
    use axum::http::{HeaderMap, Request, StatusCode, Uri};
    use axum::routing::get;
    use axum::{Json, Router};
    use serde_json::json;
    use tokio::net::TcpListener;

    use super::*;
    use crate::herder::Herder;
    use crate::rest::tests::test_state;
    use crate::testing::test_herder;

    async fn ask_at(answers: Option<Router>) -> Result<WorkerProgress, NotCounted> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let worker = listener.local_addr().unwrap().to_string();
        let serving = async move {
            match answers {
                Some(router) => axum::serve(listener, router).await.unwrap(),
                None => std::future::pending::<()>().await,
            }
        };
        let state = test_state(test_herder() as Arc<dyn Herder>);
        let request = Request::get("/volley/connectors/a%20b/progress?x=y").header("authorization", "Basic x");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let Ok(forwarding) = Forwarding::from_request_parts(&mut parts, &()).await;
        tokio::select! {
            answer = ask(&state, &forwarding, worker, vec![3]) => answer,
            () = serving => unreachable!(),
        }
    }

    #[tokio::test]
    async fn another_worker_is_asked_for_its_own_tasks_with_the_user_s_credentials() {
        let own = |uri: Uri, headers: HeaderMap| async move {
            assert_eq!(uri.to_string(), "/volley/connectors/a%20b/progress?forward=false&x=y");
            assert_eq!(headers["authorization"], "Basic x");
            Json(
                json!({ "name": "a b", "tasks": [{ "id": 3, "state": "RUNNING", "rows_in": 7 }], "rates": {}, "later": 1 }),
            )
        };
        let progress = ask_at(Some(Router::new().fallback(get(own)))).await.unwrap();
        assert_eq!((progress.tasks[0].id, progress.tasks[0].progress.rows_in), (3, 7));
    }

    #[tokio::test]
    async fn whoever_cannot_say_is_named_with_the_reason() {
        let answering = |status: StatusCode, message: &'static str| {
            let body = json!({ "error_code": status.as_u16(), "message": message });
            Some(Router::new().fallback(get(move || async move { (status, Json(body)) })))
        };
        let java = ask_at(answering(StatusCode::NOT_FOUND, NO_SUCH_PATH)).await.unwrap_err();
        assert_eq!((&java.tasks[..], java.reason.contains("Java")), (&[3][..], true));
        let behind = ask_at(answering(StatusCode::NOT_FOUND, "Connector a b not found")).await.unwrap_err();
        assert_eq!(behind.reason, "it answered 404: Connector a b not found");
        let strange = ask_at(Some(Router::new().fallback(get(|| async { "yes" })))).await.unwrap_err();
        assert!(strange.reason.starts_with("its answer cannot be read: "), "{}", strange.reason);
    }

    #[tokio::test(start_paused = true)]
    async fn a_worker_that_is_silent_is_given_up() {
        assert_eq!(ask_at(None).await.unwrap_err().reason, "it did not answer within 5 s");
    }

    #[test]
    fn tasks_are_elsewhere_that_another_worker_has_and_not_only_had() {
        let task = |id, worker_id: &str, state: &str| TaskStateInfo {
            id,
            state: state.to_owned(),
            worker_id: worker_id.to_owned(),
            trace: None,
            version: None,
        };
        let tasks = vec![
            task(0, "b:1", "RUNNING"),
            task(1, "a:1", "RUNNING"),
            task(2, "b:1", "PAUSED"),
            task(3, "c:1", "UNASSIGNED"),
            task(4, "d:1", "FAILED"),
        ];
        let expected = BTreeMap::from([("b:1".to_owned(), vec![0, 2]), ("d:1".to_owned(), vec![4])]);
        assert_eq!(tasks_elsewhere(tasks, "a:1"), expected);
    }
}
