//! Builds the routers from the resources.

use axum::Router;

use super::front::front;
use super::routes::{Route, admin_routes, main_routes};
use super::state::RestState;
use crate::rest::front::gate::gated;

/// All resources, those under `/admin` only `with_admin`.
pub(crate) fn router(state: RestState, with_admin: bool) -> Router {
    let mut routes = main_routes();
    if with_admin {
        routes.extend(admin_routes());
    }
    assemble(routes, state)
}

/// Only `/admin`, for `admin.listeners`.
pub(crate) fn admin_router(state: RestState) -> Router {
    assemble(admin_routes(), state)
}

fn assemble(routes: Vec<Route>, state: RestState) -> Router {
    let resources = routes.into_iter().fold(Router::new(), |router, route| {
        router.route(route.path, gated(route.resource, route.takes, route.gives, route.open_to, &state.settings))
    });
    front::before(resources.with_state(state.clone()), state)
}
