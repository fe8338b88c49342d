//! Configurations as this worker shows them: unchanged as in Kafka Connect, or with hidden secrets, as
//! `volley.rest.secrets` requires. Every answer with a configuration uses this module.

use serde_json::Value;
use volley_api::ConfigMap;

use crate::herder::{ConnectorInfo, TaskInfo};
use crate::json_config::GivenConfig;
use crate::rest::error::RestResult;
use crate::rest::state::RestState;
use crate::secret_mask::mask_secrets;

const CLASS: &str = "connector.class";

impl RestState {
    /// A connector, with hidden secrets if required.
    pub(crate) async fn shown_connector(&self, name: &str) -> RestResult<ConnectorInfo> {
        Ok(self.shown(self.herder.connector_info(name).await?))
    }

    /// The herder's description of a connector, with hidden secrets if required.
    pub(crate) fn shown(&self, mut info: ConnectorInfo) -> ConnectorInfo {
        if self.settings.hides_secrets {
            info.config.values = mask_secrets(&info.config.values, self.herder.plugins());
        }
        info
    }

    /// Another worker's description of a connector, with hidden secrets if required.
    pub(crate) fn shown_relayed(&self, mut info: Value) -> Value {
        if self.settings.hides_secrets
            && let Some(Value::Object(members)) = info.get_mut("config")
            && let Ok(config) = GivenConfig::from_json(members.clone())
        {
            let masked = mask_secrets(&config.values, self.herder.plugins());
            members.extend(masked.into_iter().map(|(key, value)| (key, value.into())));
        }
        info
    }

    /// The tasks of a connector, with hidden secrets if required.
    pub(crate) async fn shown_tasks(&self, name: &str) -> RestResult<Vec<TaskInfo>> {
        let mut tasks = self.herder.task_infos(name).await?;
        if self.settings.hides_secrets {
            // The connector's class defines which keys are secrets, and a task's configuration need not name it.
            let connector = self.herder.connector_info(name).await?;
            let class = connector.config.values.get(CLASS);
            for task in &mut tasks {
                task.config = self.masked_task(&task.config, class);
            }
        }
        Ok(tasks)
    }

    fn masked_task(&self, config: &ConfigMap, class: Option<&String>) -> ConfigMap {
        let mut with_class = config.clone();
        if let Some(class) = class {
            with_class.entry(CLASS.to_owned()).or_insert_with(|| class.clone());
        }
        let mut masked = mask_secrets(&with_class, self.herder.plugins());
        masked.retain(|key, _| config.contains_key(key));
        masked
    }
}
