//! Which version of each request both sides know.

use std::collections::BTreeMap;

use kafka_protocol::messages::ApiVersionsResponse;
use kafka_protocol::protocol::VersionRange;
use volley_api::{Error, Result};

use super::api::Api;

/// What a broker says that it understands.
#[derive(Debug, Default)]
pub(super) struct Versions {
    ranges: BTreeMap<i16, VersionRange>,
}

impl Versions {
    pub(super) fn of(response: &ApiVersionsResponse) -> Self {
        let range = |min, max| VersionRange { min, max };
        Self {
            ranges: response
                .api_keys
                .iter()
                .map(|api| (api.api_key, range(api.min_version, api.max_version)))
                .collect(),
        }
    }

    /// Whether the broker has said so yet.
    pub(super) fn are_known(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// The highest version of `R` that both sides know.
    pub(super) fn highest<R: Api>(&self) -> Result<i16> {
        self.highest_up_to::<R>(i16::MAX)
    }

    /// The same, of those up to `most`.
    pub(super) fn highest_up_to<R: Api>(&self, most: i16) -> Result<i16> {
        let unsupported = |theirs: &str| {
            Error::fatal(format!("the broker knows {theirs} of {:?}, this side {}", R::KEY, R::VERSIONS))
                .with_exception("org.apache.kafka.common.errors.UnsupportedVersionException")
        };
        let theirs = self.ranges.get(&(R::KEY as i16)).ok_or_else(|| unsupported("no version"))?;
        let ours = VersionRange { min: R::VERSIONS.min, max: R::VERSIONS.max.min(most) };
        let both = ours.intersect(theirs);
        if both.is_empty() { Err(unsupported(&format!("versions {theirs}"))) } else { Ok(both.max) }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::messages::api_versions_response::ApiVersion;
    use kafka_protocol::messages::{HeartbeatRequest, JoinGroupRequest};
    use kafka_protocol::protocol::Message;
    use proptest::prelude::*;

    use super::*;

    fn broker(key: i16, min: i16, max: i16) -> Versions {
        let api = ApiVersion::default().with_api_key(key).with_min_version(min).with_max_version(max);
        Versions::of(&ApiVersionsResponse::default().with_api_keys(vec![api]))
    }

    proptest! {
        #[test]
        fn the_version_is_the_highest_that_both_know(min in 0_i16..20, more in 0_i16..20) {
            let ours = JoinGroupRequest::VERSIONS;
            let max = min + more;
            match broker(JoinGroupRequest::KEY as i16, min, max).highest::<JoinGroupRequest>() {
                Ok(version) => {
                    prop_assert_eq!(version, max.min(ours.max));
                    prop_assert!(version >= min);
                }
                Err(_) => prop_assert!(min > ours.max || max < ours.min),
            }
        }
    }

    #[test]
    fn a_request_that_the_broker_does_not_know_is_named() {
        let error = broker(JoinGroupRequest::KEY as i16, 0, 9).highest::<HeartbeatRequest>().unwrap_err();
        assert!(error.to_string().contains("Heartbeat"), "{error}");
    }
}
