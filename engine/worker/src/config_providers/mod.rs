//! The config providers that Kafka ships: files, directories, environment variables.

mod allowed_paths;
mod directory;
mod env_var;
mod file;
mod registration;

pub use directory::DirectoryConfigProvider;
pub use env_var::EnvVarConfigProvider;
pub use file::FileConfigProvider;
pub use registration::plugins;
