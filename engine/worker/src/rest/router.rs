//! Which path is which resource.

use axum::Router;
use axum::routing::{get, post, put};

use super::state::RestState;
use super::{connectors, front, loggers, offsets, plugins, progress, root, tasks};

/// Everything but `/admin`, unless `with_admin`.
pub fn router(state: RestState, with_admin: bool) -> Router {
    let resources = Router::new()
        .route("/", get(root::server_info))
        .route("/health", get(root::health))
        .route("/connectors", get(connectors::list).post(connectors::create))
        .route("/connectors/{name}", get(connectors::info).delete(connectors::delete))
        .route(
            "/connectors/{name}/config",
            get(connectors::config).put(connectors::put_config).patch(connectors::patch_config),
        )
        .route("/connectors/{name}/status", get(connectors::status))
        .route("/connectors/{name}/pause", put(connectors::pause))
        .route("/connectors/{name}/resume", put(connectors::resume))
        .route("/connectors/{name}/stop", put(connectors::stop))
        .route("/connectors/{name}/restart", post(connectors::restart))
        .route("/connectors/{name}/topics", get(connectors::topics))
        .route("/connectors/{name}/topics/reset", put(connectors::reset_topics))
        .route("/connectors/{name}/tasks", get(tasks::list))
        .route("/connectors/{name}/tasks/{task}/status", get(tasks::status))
        .route("/connectors/{name}/tasks/{task}/restart", post(tasks::restart))
        .route("/connectors/{name}/offsets", get(offsets::list).patch(offsets::alter).delete(offsets::reset))
        .route("/connector-plugins", get(plugins::list))
        .route("/connector-plugins/{plugin}/config", get(plugins::definitions))
        .route("/connector-plugins/{plugin}/config/validate", put(plugins::validate))
        .route("/volley/connectors/{name}/progress", get(progress::progress));
    let resources = if with_admin { resources.merge(admin_routes()) } else { resources };
    front::before(resources.with_state(state))
}

/// `/admin` alone, for `admin.listeners`.
pub fn admin_router(state: RestState) -> Router {
    front::before(admin_routes().with_state(state))
}

fn admin_routes() -> Router<RestState> {
    Router::new()
        .route("/admin/loggers", get(loggers::list))
        .route("/admin/loggers/{logger}", get(loggers::get).put(loggers::put))
}
