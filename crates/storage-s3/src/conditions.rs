use std::sync::OnceLock;

use crate::config::ConditionalWrites;

/// Requirement of the condition in upload URLs.
pub(crate) struct Conditions {
    pub(crate) configured: ConditionalWrites,
    /// Result of the probe, once it is known.
    pub(crate) honoured: OnceLock<bool>,
}

impl Conditions {
    pub(crate) const fn new(configured: ConditionalWrites) -> Self {
        Self {
            configured,
            honoured: OnceLock::new(),
        }
    }

    /// Returns true if the probe found that the store ignores the condition.
    pub(crate) fn are_lacking(&self) -> bool {
        self.configured == ConditionalWrites::Auto && self.honoured.get() == Some(&false)
    }

    /// Returns true if uploads require the condition.
    pub(crate) fn are_required(&self) -> bool {
        match self.configured {
            ConditionalWrites::On => true,
            ConditionalWrites::Off => false,
            ConditionalWrites::Auto => *self.honoured.get().unwrap_or(&true),
        }
    }
}
