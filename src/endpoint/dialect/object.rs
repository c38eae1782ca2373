//! Bodies that are JSON objects.

use serde::de::DeserializeOwned;

/// Reads an object. An array, which serde would take for one, is none.
pub(super) fn read_object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let is_object = body.trim_ascii_start().first() == Some(&b'{');
    is_object.then(|| serde_json::from_slice(body).ok()).flatten()
}
