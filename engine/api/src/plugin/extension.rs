//! Plug-ins of plug-ins: a connector may let its users name an implementation of an interface of its own by class, such as
//! a file format or a partitioner, and other crates may bring further ones.
//!
//! ```
//! use volley_api::{ConfigDef, ConfigMap, Extension, Plugin, PluginFactory, Result};
//!
//! trait Format: Send {
//!     fn extension(&self) -> &str;
//! }
//! struct Csv;
//! impl Format for Csv {
//!     fn extension(&self) -> &str {
//!         "csv"
//!     }
//! }
//! let factory = PluginFactory::Extension(Extension::of::<dyn Format>(|_: &ConfigMap| Ok(Box::new(Csv))));
//! let plugin = Plugin::new("CsvFormat", "1.0", "Files of comma separated values.", ConfigDef::new(), factory);
//! // a task: context.plugins().new_extension::<dyn Format>("CsvFormat", &config)
//! # assert_eq!(plugin.class, "CsvFormat");
//! ```

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use crate::{ConfigMap, Result};

type New<I> = Box<dyn Fn(&ConfigMap) -> Result<Box<I>> + Send + Sync>;

/// Makes instances of one interface, which its plug-in and those who use it share.
#[derive(Clone)]
pub struct Extension {
    interface: &'static str,
    /// A `New<I>`.
    new: Arc<dyn Any + Send + Sync>,
}

impl Extension {
    /// An implementation of the interface `I`, mostly a `dyn Trait`, made from its configuration.
    pub fn of<I: ?Sized + 'static>(new: impl Fn(&ConfigMap) -> Result<Box<I>> + Send + Sync + 'static) -> Self {
        let new: New<I> = Box::new(new);
        Self { interface: type_name::<I>(), new: Arc::new(new) }
    }

    /// The name of the interface, for messages.
    pub fn interface(&self) -> &'static str {
        self.interface
    }

    /// An instance; `None` if it implements another interface.
    pub fn create<I: ?Sized + 'static>(&self, config: &ConfigMap) -> Option<Result<Box<I>>> {
        self.new.downcast_ref::<New<I>>().map(|new| new(config))
    }
}

impl fmt::Debug for Extension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extension").field("interface", &self.interface).finish_non_exhaustive()
    }
}
