//! The log of the code under test, for whoever looks into a failure: `RUST_LOG=debug cargo test …`.

use tracing_subscriber::EnvFilter;

/// Shows what `RUST_LOG` asks for; by default nothing.
pub(crate) fn log_as_asked() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off"));
    // Another test may have been first.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
}
