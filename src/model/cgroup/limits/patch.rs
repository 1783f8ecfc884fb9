//! [`LimitPatch`]: other values for some limits of a group.

use std::collections::BTreeMap;

use super::{LimitFile, LimitValue, Limits};

/// Which limits get which values; the others stay as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LimitPatch(BTreeMap<LimitFile, LimitValue>);

impl LimitPatch {
    /// The value for this file, where it gets one.
    #[must_use]
    pub fn get(&self, file: LimitFile) -> Option<LimitValue> {
        self.0.get(&file).copied()
    }

    /// Sets nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Files and values in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (LimitFile, LimitValue)> {
        self.0.iter().map(|(file, value)| (*file, *value))
    }

    /// The limits with the values of this patch.
    #[must_use]
    pub fn applied_to(&self, mut limits: Limits) -> Limits {
        for (file, value) in self.iter() {
            file.set(&mut limits, Some(value));
        }
        limits
    }
}

impl FromIterator<(LimitFile, LimitValue)> for LimitPatch {
    fn from_iter<I: IntoIterator<Item = (LimitFile, LimitValue)>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}
