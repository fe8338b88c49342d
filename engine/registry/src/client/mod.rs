//! The client: asks each thing once.

mod bounded_map;
mod caches;
mod latest_cache;
mod references;
mod registry_client;
mod shared_clients;
#[cfg(test)]
mod tests;

pub use references::ResolvedReference;
pub use registry_client::RegistryClient;
