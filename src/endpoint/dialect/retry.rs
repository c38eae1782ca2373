//! When to come back.

use std::time::Duration;

use http::HeaderValue;

/// For a store that is away, or passwords that wait.
pub(super) const SOON: Duration = Duration::from_secs(2);

/// The value of `Retry-After`: whole seconds, at least one.
pub(super) fn retry_after(after: Duration) -> HeaderValue {
    HeaderValue::from(after.as_millis().div_ceil(1000).try_into().unwrap_or(u64::MAX).max(1))
}
