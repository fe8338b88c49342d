//! `DropHeaders`: removes headers by name.
//!
//! ```text
//! transforms.drop.type=org.apache.kafka.connect.transforms.DropHeaders
//! transforms.drop.headers=trace,span
//! ```

use std::collections::HashSet;
use std::sync::Arc;

use volley_api::{
    ConfigDef, ConfigMap, Header, KAFKA_VERSION, Plugin, PluginFactory, Records, Result, Transformation, Transformed,
};

use crate::columns::{check_lists, field_list};

const HEADERS: &str = "headers";

/// Removes all headers of some names.
#[derive(Clone, Debug)]
pub struct DropHeaders {
    names: HashSet<String>,
}

impl DropHeaders {
    /// The keys of this transformation.
    pub fn config_def() -> ConfigDef {
        ConfigDef::new().key(field_list(HEADERS, "Names of the headers to remove."))
    }

    /// From its configuration, prefix stripped.
    ///
    /// # Errors
    /// `Config` if no header is named.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        check_lists(config, &[HEADERS], false)?;
        let config = Self::config_def().parse(config)?;
        Ok(Self { names: config.list(HEADERS).iter().cloned().collect() })
    }

    fn is_kept(&self, header: &Header) -> bool {
        !self.names.contains(&*header.name)
    }
}

impl Transformation for DropHeaders {
    fn apply(&mut self, mut records: Records) -> Result<Transformed> {
        if let Some(headers) = &mut records.headers
            && headers.iter().flatten().any(|header| !self.is_kept(header))
        {
            let kept = headers.iter().map(|row| row.iter().filter(|header| self.is_kept(header)).cloned().collect());
            *headers = Arc::new(kept.collect());
        }
        Ok(Transformed::of(records))
    }
}

pub(crate) fn plugin() -> Plugin {
    Plugin::new(
        "org.apache.kafka.connect.transforms.DropHeaders",
        KAFKA_VERSION,
        "Removes the headers of some names.",
        DropHeaders::config_def(),
        PluginFactory::transformation(DropHeaders::new),
    )
}
