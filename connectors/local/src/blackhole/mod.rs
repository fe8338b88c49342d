//! A sink that counts and drops its records, for tests and benches.
//!
//! ```properties
//! connector.class=Blackhole
//! topics=orders
//! ```

mod config;
mod sink;

pub(crate) use sink::sink_plugin;
