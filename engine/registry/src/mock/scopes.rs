//! Mock registries by name: whoever names the same one shares it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::mock_registry::MockRegistry;

static SCOPES: Mutex<BTreeMap<String, Arc<MockRegistry>>> = Mutex::new(BTreeMap::new());

/// The registry of a scope; the first who asks makes it. It stays until it is forgotten, with all its schemas: it is for
/// trying things out.
pub(crate) fn mock_registry(scope: &str) -> Arc<MockRegistry> {
    let mut scopes = SCOPES.lock();
    let registry = scopes.entry(scope.to_owned()).or_insert_with(|| Arc::new(MockRegistry::new(scope)));
    Arc::clone(registry)
}

/// Forgets the registry `mock://scope`: who names it next begins with an empty one. Clients that have it keep it.
pub fn forget_mock_registry(scope: &str) {
    SCOPES.lock().remove(scope);
}
