//! Sums what all workers counted, at the moment of a scrape.

use std::{collections::BTreeMap, fmt, sync::Arc};

use prometheus::{
    core::{Collector as PrometheusCollector, Desc},
    proto::MetricFamily,
};

use super::{
    cell::{Cell, Cells, Label},
    control::{ControlMetrics, HashingPool},
    family::Family,
    histogram::{Histogram, Reading},
    process::Process,
    route::RouteVerdict,
    worker::{
        Handshake, PasswordCheck, Protocol, STATUS_CLASSES, TokenMemory, UpstreamConnection,
        WorkerMetrics,
    },
};
use crate::telemetry::access_log::LogCounters;

/// What a scrape reads from.
pub struct Sources {
    /// One for each worker thread, all of one [`super::Layout`].
    pub workers: Vec<Arc<WorkerMetrics>>,
    /// The control plane's.
    pub control: Arc<ControlMetrics>,
    /// The access log's, if there is one.
    pub access_log: Option<Arc<LogCounters>>,
    /// The program's own log's.
    pub log: Option<Arc<LogCounters>>,
    /// Reads the state of the hashing pool.
    pub hashing: Option<Box<dyn Fn() -> HashingPool + Send + Sync>>,
    /// When the process started, in Unix seconds.
    pub started_at: u64,
}

impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Sources")
            .field("workers", &self.workers.len())
            .finish_non_exhaustive()
    }
}

macro_rules! families {
    ($($constant:ident = $name:literal, $help:literal, [$($label:literal),*];)*) => {
        $(const $constant: Family = Family::new($name, $help, &[$($label),*]);)*
        /// Every family that a scrape may show.
        const FAMILIES: &[Family] = &[$($constant),*];
    };
}

families! {
    ACCEPT_ERRORS = "doorward_accept_errors_total", "Failed accepts; the listener backs off.", [];
    BUILD = "doorward_build_info", "Always 1; the version is in the label.", ["version"];
    CERTIFICATES = "doorward_certificate_expiry_timestamp_seconds", "End of each certificate in service, as Unix time.", ["certificate"];
    CONNECTIONS = "doorward_connections_total", "Connections accepted.", ["listener"];
    CONNECTIONS_ACTIVE = "doorward_connections", "Connections that are open.", ["listener"];
    CONNECTIONS_PARKED = "doorward_connections_parked", "Open connections that have gone quiet and hold little memory.", ["listener"];
    CONNECTIONS_REFUSED = "doorward_connections_refused_total", "Connections closed at once because a limit was reached.", ["listener"];
    DECISIONS = "doorward_decisions_total", "Decisions, by reason.", ["reason"];
    GENERATION = "doorward_generation", "Number of the snapshot that is served.", [];
    HANDSHAKES = "doorward_handshakes_total", "TLS handshakes, by outcome.", ["outcome"];
    HASHING_BUSY = "doorward_hashing_busy_threads", "Hashing threads at work.", [];
    HASHING_THREADS = "doorward_hashing_threads", "Hashing threads.", [];
    HASHING_WAITING = "doorward_hashing_queue_depth", "Password verifications that wait for a thread.", [];
    LOADED_AT = "doorward_generation_timestamp_seconds", "When that snapshot took effect, as Unix time.", [];
    LOG_DROPPED = "doorward_log_lines_dropped_total", "Log lines dropped: queue full or not writable.", ["log"];
    LOG_ERRORS = "doorward_log_write_errors_total", "Failed writes of a log.", ["log"];
    LOG_WRITTEN = "doorward_log_lines_total", "Log lines written.", ["log"];
    PASSWORDS = "doorward_password_checks_total", "Checks of a password, by outcome.", ["outcome"];
    PASSWORD_SECONDS = "doorward_password_check_seconds", "Time to hash and compare a password, with the wait.", [];
    PROCESS_CPU = "process_cpu_seconds_total", "CPU time used, user and system.", [];
    PROCESS_FDS = "process_open_fds", "Open file descriptors.", [];
    PROCESS_MAX_FDS = "process_max_fds", "Limit of open file descriptors.", [];
    PROCESS_RESIDENT = "process_resident_memory_bytes", "Resident memory.", [];
    PROCESS_START = "process_start_time_seconds", "Start of the process, as Unix time.", [];
    PROCESS_THREADS = "process_threads", "Threads of the process.", [];
    PROCESS_VIRTUAL = "process_virtual_memory_bytes", "Virtual memory.", [];
    RECEIVED = "doorward_received_bytes_total", "Bytes of request bodies.", [];
    RELOADS = "doorward_reloads_total", "Reloads, by outcome.", ["outcome"];
    RELOAD_GOOD = "doorward_last_reload_success", "1 if the last reload took effect or none was tried, else 0.", [];
    REQUESTS = "doorward_requests_total", "Requests, by protocol and class of status.", ["protocol", "status"];
    REQUESTS_ACTIVE = "doorward_requests_active", "Requests in progress.", [];
    REQUEST_SECONDS = "doorward_request_seconds", "Time from a request's head to the end of its response.", [];
    ROUTE_ERRORS = "doorward_route_errors_total", "Requests of a route that ended with a status of 500 or above.", ["route"];
    ROUTE_REQUESTS = "doorward_route_requests_total", "Requests, by route and verdict.", ["route", "verdict"];
    ROUTE_SECONDS = "doorward_route_request_seconds", "Time of a route's requests.", ["route"];
    SENT = "doorward_sent_bytes_total", "Bytes of response bodies.", [];
    TOKENS = "doorward_token_memory_total", "Tokens looked up in the memory of verified ones.", ["outcome"];
    TOKEN_SECONDS = "doorward_token_verification_seconds", "Time to verify a token that was not remembered.", [];
    UPSTREAM_ACTIVE = "doorward_upstream_connections", "Connections to upstreams that are open.", [];
    UPSTREAM_CONNECTIONS = "doorward_upstream_connections_total", "Connections that requests asked for, by outcome.", ["outcome"];
    UPSTREAM_SECONDS = "doorward_upstream_first_byte_seconds", "Time from sending a request to its response's head.", [];
    WORKERS = "doorward_workers", "Worker threads.", [];
}

/// Reads [`Sources`] whenever the registry is gathered.
pub(super) struct Collector {
    sources: Sources,
    descriptions: Vec<Desc>,
}

impl Collector {
    pub(super) fn new(sources: Sources) -> prometheus::Result<Self> {
        let descriptions = FAMILIES.iter().map(Family::desc).collect::<Result<_, _>>()?;
        Ok(Self { sources, descriptions })
    }

    fn sum(&self, cell: impl Fn(&WorkerMetrics) -> &Cell) -> u64 {
        self.sources.workers.iter().fold(0, |sum, worker| sum.wrapping_add(cell(worker).read()))
    }

    fn sums(&self, cells: impl Fn(&WorkerMetrics) -> &Cells) -> Vec<u64> {
        let mut sums = Vec::<u64>::new();
        for worker in &self.sources.workers {
            for (place, value) in cells(worker).iter().enumerate() {
                match sums.get_mut(place) {
                    Some(sum) => *sum = sum.wrapping_add(value),
                    None => sums.push(value),
                }
            }
        }
        sums
    }

    fn reading(&self, histogram: impl Fn(&WorkerMetrics) -> &Histogram) -> Reading {
        let mut reading = Reading::default();
        self.sources.workers.iter().for_each(|worker| reading.add(histogram(worker)));
        reading
    }

    fn labelled<L: Label>(
        &self,
        family: &Family,
        cells: impl Fn(&WorkerMetrics) -> &Cells,
    ) -> MetricFamily {
        family.counters(L::NAMES.iter().copied().zip(self.sums(cells)))
    }

    fn requests(&self) -> Vec<MetricFamily> {
        let labels = Protocol::NAMES
            .iter()
            .flat_map(|protocol| STATUS_CLASSES.iter().map(move |class| (*protocol, *class)));
        let requests = labels.zip(self.sums(|worker| &worker.requests));
        let reasons = self.sources.workers.first().map_or(&[][..], |worker| worker.layout.reasons);
        let decisions = reasons.iter().copied().zip(self.sums(|worker| &worker.decisions));
        vec![
            REQUESTS.counters_by_two(requests.map(|((protocol, class), n)| (protocol, class, n))),
            REQUESTS_ACTIVE.gauge(self.sum(|worker| &worker.requests_active)),
            REQUEST_SECONDS.histogram(&self.reading(|worker| &worker.request_seconds)),
            DECISIONS.counters(decisions),
            RECEIVED.counter(self.sum(|worker| &worker.bytes_received)),
            SENT.counter(self.sum(|worker| &worker.bytes_sent)),
        ]
    }

    fn connections(&self) -> Vec<MetricFamily> {
        let names = |sums: Vec<u64>| {
            let listeners = self.sources.workers.first().map(|worker| &worker.layout.listeners);
            listeners.into_iter().flatten().map(|name| &**name).zip(sums)
        };
        vec![
            CONNECTIONS.counters(names(self.sums(|worker| &worker.connections_opened))),
            CONNECTIONS_ACTIVE.gauges(names(self.sums(|worker| &worker.connections_active))),
            CONNECTIONS_PARKED.gauges(names(self.sums(|worker| &worker.connections_parked))),
            CONNECTIONS_REFUSED.counters(names(self.sums(|worker| &worker.connections_refused))),
            ACCEPT_ERRORS.counter(self.sum(|worker| &worker.accept_errors)),
            self.labelled::<Handshake>(&HANDSHAKES, |worker| &worker.handshakes),
            self.labelled::<UpstreamConnection>(&UPSTREAM_CONNECTIONS, |worker| {
                &worker.upstream_connections
            }),
            UPSTREAM_ACTIVE.gauge(self.sum(|worker| &worker.upstream_active)),
            UPSTREAM_SECONDS.histogram(&self.reading(|worker| &worker.first_byte_seconds)),
        ]
    }

    fn verification(&self) -> Vec<MetricFamily> {
        let mut families = vec![
            self.labelled::<TokenMemory>(&TOKENS, |worker| &worker.token_memory),
            TOKEN_SECONDS.histogram(&self.reading(|worker| &worker.token_seconds)),
            self.labelled::<PasswordCheck>(&PASSWORDS, |worker| &worker.passwords),
            PASSWORD_SECONDS.histogram(&self.reading(|worker| &worker.password_seconds)),
        ];
        if let Some(read) = &self.sources.hashing {
            let HashingPool { threads, busy, waiting } = read();
            families.extend([
                HASHING_THREADS.gauge(threads),
                HASHING_BUSY.gauge(busy),
                HASHING_WAITING.gauge(waiting),
            ]);
        }
        families
    }

    fn routes(&self) -> Vec<MetricFamily> {
        let mut routes = BTreeMap::<Box<str>, ([u64; 2], Reading, u64)>::new();
        for worker in &self.sources.workers {
            worker.routes.for_each(|name, metrics| {
                let (requests, seconds, errors) = routes.entry(name.into()).or_default();
                for (sum, value) in requests.iter_mut().zip(metrics.requests.iter()) {
                    *sum = sum.wrapping_add(value);
                }
                seconds.add(&metrics.seconds);
                *errors = errors.wrapping_add(metrics.errors.read());
            });
        }
        let requests = routes.iter().flat_map(|(name, (requests, ..))| {
            RouteVerdict::NAMES.iter().zip(requests).map(|(verdict, n)| (&**name, *verdict, *n))
        });
        vec![
            ROUTE_REQUESTS.counters_by_two(requests),
            ROUTE_SECONDS.histograms(routes.iter().map(|(name, route)| (&**name, &route.1))),
            ROUTE_ERRORS.counters(routes.iter().map(|(name, route)| (&**name, route.2))),
        ]
    }

    fn control(&self) -> Vec<MetricFamily> {
        let control = &self.sources.control;
        let (succeeded, failed) = control.reloads();
        let certificates = control.certificates();
        let mut families = vec![
            BUILD.gauges([(env!("CARGO_PKG_VERSION"), 1)].into_iter()),
            GENERATION.gauge(control.generation()),
            LOADED_AT.gauge(control.loaded_at()),
            RELOADS.counters([("failed", failed), ("succeeded", succeeded)].into_iter()),
            RELOAD_GOOD.gauge(u64::from(control.is_last_reload_good())),
            CERTIFICATES.gauges(certificates.iter().map(|each| (&*each.name, each.expires))),
            WORKERS.gauge(u64::try_from(self.sources.workers.len()).unwrap_or(u64::MAX)),
        ];
        let logs = [("access", &self.sources.access_log), ("own", &self.sources.log)];
        let logs = logs.iter().filter_map(|(name, log)| Some((*name, log.as_ref()?)));
        families.extend([
            LOG_WRITTEN.counters(logs.clone().map(|(name, log)| (name, log.written()))),
            LOG_DROPPED.counters(logs.clone().map(|(name, log)| (name, log.dropped()))),
            LOG_ERRORS.counters(logs.map(|(name, log)| (name, log.errors()))),
        ]);
        families
    }

    fn process(&self) -> Vec<MetricFamily> {
        let process = Process::read();
        vec![
            PROCESS_CPU.counter_seconds(process.cpu_seconds),
            PROCESS_FDS.gauge(process.open_files),
            PROCESS_MAX_FDS.gauge(process.max_files),
            PROCESS_RESIDENT.gauge(process.resident_bytes),
            PROCESS_START.gauge(self.sources.started_at),
            PROCESS_THREADS.gauge(process.threads),
            PROCESS_VIRTUAL.gauge(process.virtual_bytes),
        ]
    }
}

impl PrometheusCollector for Collector {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        [
            self.requests(),
            self.connections(),
            self.verification(),
            self.routes(),
            self.control(),
            self.process(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::*, *};

    const REASONS: &[&str] = &["allowed", "no_credential", "other"];

    fn sources(workers: usize) -> Sources {
        let layout = Arc::new(Layout { reasons: REASONS, listeners: vec!["main".into()] });
        let worker = || Arc::new(WorkerMetrics::new(Arc::clone(&layout)));
        Sources {
            workers: (0..workers).map(|_| worker()).collect(),
            control: Arc::new(ControlMetrics::new()),
            access_log: Some(Arc::default()),
            log: None,
            hashing: Some(Box::new(|| HashingPool { threads: 2, busy: 1, waiting: 7 })),
            started_at: 1_700_000_000,
        }
    }

    #[test]
    fn a_scrape_sums_all_workers() {
        let sources = sources(2);
        let workers = sources.workers.clone();
        let registry = registry(sources).unwrap();

        for worker in &workers {
            worker.connection_opened(0);
            worker.request_started();
            worker.decided(1);
            worker.request_finished(Protocol::Http2, 401, Duration::from_millis(3));
            worker.route("files").served(RouteVerdict::Denied, 401, Duration::from_millis(3));
        }
        workers[0].connection_closed(0);

        let text = encode(&registry).unwrap();
        for line in [
            "doorward_requests_total{protocol=\"h2\",status=\"4xx\"} 2",
            "doorward_requests_total{protocol=\"h1\",status=\"2xx\"} 0",
            "doorward_decisions_total{reason=\"no_credential\"} 2",
            "doorward_connections_total{listener=\"main\"} 2",
            "doorward_connections{listener=\"main\"} 1",
            "doorward_requests_active 0",
            "doorward_request_seconds_bucket{le=\"0.005\"} 2",
            "doorward_request_seconds_count 2",
            "doorward_route_requests_total{route=\"files\",verdict=\"deny\"} 2",
            "doorward_hashing_queue_depth 7",
            "process_start_time_seconds 1700000000",
            "doorward_workers 2",
            "doorward_log_lines_dropped_total{log=\"access\"} 0",
        ] {
            assert!(text.lines().any(|seen| seen == line), "{line} is missing in:\n{text}");
        }
    }

    #[test]
    fn reloads_and_certificates_are_shown() {
        let sources = sources(1);
        let control = Arc::clone(&sources.control);
        let registry = registry(sources).unwrap();

        let certificate = Certificate { name: "gw.example.org".into(), expires: 1_800_000_000 };
        control.loaded(1, 5, vec![certificate]);
        control.reload_failed();

        let text = encode(&registry).unwrap();
        assert!(text.contains("doorward_generation 1\n"));
        assert!(text.contains("doorward_reloads_total{outcome=\"failed\"} 1\n"));
        assert!(text.contains("doorward_last_reload_success 0\n"));
        assert!(text.contains(
            "doorward_certificate_expiry_timestamp_seconds{certificate=\"gw.example.org\"} 1800000000\n"
        ));
    }

    #[test]
    fn every_family_is_described_and_follows_the_naming_rules() {
        let collector = Collector::new(sources(1)).unwrap();

        for family in PrometheusCollector::collect(&collector) {
            let name = family.name();
            assert!(FAMILIES.iter().any(|known| known.name == name), "{name}");
            assert!(name.starts_with("doorward_") || name.starts_with("process_"), "{name}");
            let counts = family.get_field_type() == prometheus::proto::MetricType::COUNTER;
            assert_eq!(counts, name.ends_with("_total"), "{name}");
        }
    }
}
