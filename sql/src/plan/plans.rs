//! The plans of a query: one for each combination of key and value type that has occurred.

use std::sync::Arc;

use arrow::datatypes::FieldRef;
use datafusion::prelude::SessionContext;
use volley_api::{Error, RecordFields, Records, Result};

use super::plan_error::plan_error;
use super::query_plan::{QueryPlan, same_field};
use crate::deep_stack::on_deep_stack;
use crate::query::{NamedFields, RowwiseQuery};
use crate::reason::reason_of;

/// Maximum number of plans that are kept.
const KEPT_PLANS: usize = 32;

/// The reason why there is no plan for some records.
#[derive(Debug)]
pub(crate) enum PlanFailure {
    /// The query does not fit the types of the records, for this reason.
    Unfit(String),
    /// Anything else.
    Broken(Error),
}

/// The plans used last, the latest first.
#[derive(Debug, Default)]
pub(crate) struct Plans {
    kept: Vec<Planned>,
    have_fitted: bool,
}

#[derive(Debug)]
enum Planned {
    Fits(Box<QueryPlan>),
    Unfit { key: FieldRef, value: FieldRef, reason: String },
}

impl Planned {
    fn is_for(&self, records: &Records) -> bool {
        match self {
            Self::Fits(plan) => plan.fits(records),
            Self::Unfit { key, value, .. } => {
                same_field(key, &records.key.field) && same_field(value, &records.value.field)
            }
        }
    }
}

impl Plans {
    /// Number of types with a plan.
    pub(crate) fn len(&self) -> usize {
        self.kept.iter().filter(|planned| matches!(planned, Planned::Fits(_))).count()
    }

    /// Whether the query has ever fitted some records.
    pub(crate) fn have_fitted(&self) -> bool {
        self.have_fitted
    }

    /// The field of the values that the query fitted last.
    pub(crate) fn value_field(&self) -> Option<FieldRef> {
        self.kept.iter().find_map(|planned| match planned {
            Planned::Fits(plan) => Some(Arc::clone(plan.value_field())),
            Planned::Unfit { .. } => None,
        })
    }

    /// Forgets all plans.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
    }

    /// Forgets what plans hold of lookup tables, whose rows have changed.
    pub(crate) fn forget_lookup_rows(&mut self) -> Result<()> {
        for planned in &mut self.kept {
            if let Planned::Fits(plan) = planned {
                plan.forget_lookup_rows().map_err(|error| {
                    Error::fatal(format!("could not take the rows of a lookup table: {}", reason_of(&error)))
                })?;
            }
        }
        Ok(())
    }

    /// The plan for these records, created if it does not exist, and whether it is new.
    pub(crate) fn plan(
        &mut self,
        session: &SessionContext,
        query: &RowwiseQuery,
        named: &NamedFields,
        records: &Records,
    ) -> std::result::Result<(&QueryPlan, bool), PlanFailure> {
        let found = self.kept.iter().position(|planned| planned.is_for(records));
        match found {
            Some(0) => {}
            Some(found) => self.kept[..=found].rotate_right(1),
            None => {
                let fields =
                    RecordFields { key: Arc::clone(&records.key.field), value: Arc::clone(&records.value.field) };
                let plan =
                    on_deep_stack(|| QueryPlan::new(session, query, named, &fields)).map_err(PlanFailure::Broken)?;
                let planned = match plan {
                    Ok(plan) => Planned::Fits(Box::new(plan)),
                    Err(error) => Planned::Unfit {
                        key: Arc::clone(&records.key.field),
                        value: Arc::clone(&records.value.field),
                        reason: plan_error(&error, query, &records.topic),
                    },
                };
                self.have_fitted |= matches!(planned, Planned::Fits(_));
                self.kept.insert(0, planned);
                self.kept.truncate(KEPT_PLANS);
            }
        }
        match &self.kept[0] {
            Planned::Fits(plan) => Ok((plan, found.is_none())),
            Planned::Unfit { reason, .. } => Err(PlanFailure::Unfit(reason.clone())),
        }
    }
}
