//! The resource of each path and method.

use axum::routing::{MethodRouter, delete, get, patch, post, put};

use super::openapi;
use super::resources::{connectors, internal, loggers, metrics, offsets, plugins, progress, root, tasks};
use super::state::RestState;
use crate::rest::front::gate::{JSON, MediaType, OpenTo, PLAIN_TEXT, Takes};

/// A resource. `GET` also serves `HEAD`.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    pub(crate) takes: Takes,
    pub(crate) gives: MediaType,
    pub(crate) open_to: OpenTo,
    pub(crate) resource: MethodRouter<RestState>,
}

impl Route {
    fn new(path: &'static str, resource: MethodRouter<RestState>) -> Self {
        Self { path, takes: Takes::Json, gives: JSON, open_to: OpenTo::Users, resource }
    }

    /// Accepts requests of any content type.
    fn taking_anything(self) -> Self {
        Self { takes: Takes::Anything, ..self }
    }

    /// Answers with plain text.
    fn giving_text(self) -> Self {
        Self { gives: PLAIN_TEXT, ..self }
    }

    /// For other workers only.
    fn of_workers(self) -> Self {
        Self { takes: Takes::Anything, open_to: OpenTo::Workers, ..self }
    }
}

/// All resources except those under `/admin`.
pub(crate) fn main_routes() -> Vec<Route> {
    vec![
        Route::new("/", get(root::server_info)).taking_anything(),
        Route::new("/health", get(root::health)).taking_anything(),
        Route::new("/metrics", get(metrics::metrics)).taking_anything().giving_text(),
        Route::new("/openapi.json", get(openapi::document)).taking_anything(),
        Route::new("/connectors", get(connectors::list)),
        Route::new("/connectors", post(connectors::create)),
        Route::new("/connectors/{name}", get(connectors::info)),
        Route::new("/connectors/{name}", delete(connectors::delete)),
        Route::new("/connectors/{name}/config", get(connectors::config)),
        Route::new("/connectors/{name}/config", put(connectors::put_config)),
        Route::new("/connectors/{name}/config", patch(connectors::patch_config)),
        Route::new("/connectors/{name}/status", get(connectors::status)),
        Route::new("/connectors/{name}/pause", put(connectors::pause)),
        Route::new("/connectors/{name}/resume", put(connectors::resume)),
        Route::new("/connectors/{name}/stop", put(connectors::stop)),
        Route::new("/connectors/{name}/restart", post(connectors::restart)),
        Route::new("/connectors/{name}/topics", get(connectors::topics)),
        Route::new("/connectors/{name}/topics/reset", put(connectors::reset_topics)),
        Route::new("/connectors/{name}/tasks", get(tasks::list)),
        Route::new("/connectors/{name}/tasks", post(internal::put_task_configs)).of_workers(),
        Route::new("/connectors/{name}/fence", put(internal::fence)).of_workers(),
        Route::new("/connectors/{name}/tasks/{task}/status", get(tasks::status)),
        Route::new("/connectors/{name}/tasks/{task}/restart", post(tasks::restart)),
        Route::new("/connectors/{name}/offsets", get(offsets::list)),
        Route::new("/connectors/{name}/offsets", patch(offsets::alter)),
        Route::new("/connectors/{name}/offsets", delete(offsets::reset)),
        Route::new("/connector-plugins", get(plugins::list)),
        Route::new("/connector-plugins/{plugin}/config", get(plugins::definitions)),
        Route::new("/connector-plugins/{plugin}/config/validate", put(plugins::validate)),
        Route::new("/volley/connectors/{name}/progress", get(progress::progress)).taking_anything(),
    ]
}

/// The resources under `/admin`.
pub(crate) fn admin_routes() -> Vec<Route> {
    vec![
        Route::new("/admin/loggers", get(loggers::list)),
        Route::new("/admin/loggers/{logger}", get(loggers::get)),
        Route::new("/admin/loggers/{logger}", put(loggers::put)),
    ]
}
