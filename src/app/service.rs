//! What answers at the gateway's own endpoints: the store, the token service, and a runtime of
//! their own, so that a slow store holds up no worker.

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};

use super::StartError;
use crate::endpoint::{Desk, Endpoints};
use crate::service::TokenService;

/// More would take time from the workers.
const THREADS: usize = 2;

/// The service at work.
pub(super) struct Service {
    runtime: Runtime,
    desk: Desk,
}

impl Service {
    pub(super) fn start() -> Result<Self, StartError> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("service")
            .enable_all()
            .build()
            .map_err(|error| StartError::System("a thread", error))?;
        let service = Arc::new(TokenService {});
        let desk = Desk::new(Arc::new(Endpoints::new(service)), runtime.handle().clone());
        Ok(Self { runtime, desk })
    }

    /// Where workers hand requests over.
    pub(super) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Ends it. What was acknowledged is stored; what was not may be lost.
    pub(super) fn stop(self) {
        self.runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    }
}
