//! A registry inside the process.

mod mock_registry;
mod scopes;

pub use scopes::forget_mock_registry;
pub(crate) use scopes::mock_registry;
