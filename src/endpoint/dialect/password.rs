//! A password in a body: wiped when it is no longer needed, and never printed.

use serde::{Deserialize, Deserializer};

use crate::secret::Secret;

/// A text that nobody else is to see.
#[derive(Debug)]
pub(super) struct Password(Secret);

impl Password {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn into_secret(self) -> Secret {
        self.0
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Secret::from(text)))
    }
}
