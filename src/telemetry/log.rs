//! The program's own log: what it does, on standard error.
//!
//! Only this program's events are shown at the chosen level. Of the libraries only warnings and
//! errors are, whatever the level: at `trace` an HTTP library prints headers, and with them
//! credentials. Hidden characters that reached a message are escaped.

use std::{
    fmt,
    io::{self, Write},
    str::FromStr,
    sync::Arc,
    time::Duration,
};

use tracing::{Level, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    fmt::{MakeWriter, layer},
    layer::SubscriberExt,
    reload,
    util::{SubscriberInitExt, TryInitError},
};

use super::access_log::{Lines, LogCounters, LogWriter, Sink, is_hidden};

/// What may wait to be written to standard error.
const QUEUE_BYTES: usize = 256 * 1024;
/// How long an ending program waits for its last lines.
const PATIENCE: Duration = Duration::from_secs(1);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl Format {
    /// What `log.format` means: `auto` is text on a terminal and JSON elsewhere.
    ///
    /// # Errors
    ///
    /// [`UnknownFormat`] for any other word.
    pub fn choose(setting: &str, is_terminal: bool) -> Result<Self, UnknownFormat> {
        match setting {
            "auto" if is_terminal => Ok(Self::Text),
            "auto" => Ok(Self::Json),
            _ => setting.parse(),
        }
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, UnknownFormat> {
        match word {
            "json" => Ok(Self::Json),
            "text" => Ok(Self::Text),
            _ => Err(UnknownFormat),
        }
    }
}

/// The word names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no log format of this name: write `auto`, `json` or `text`")]
pub struct UnknownFormat;

/// Changes the level while the program runs.
#[derive(Clone)]
pub struct LevelControl(Arc<dyn Fn(Level) + Send + Sync>);

impl LevelControl {
    /// Shows this program's events of `level` and above from now on.
    pub fn set(&self, level: Level) {
        (self.0)(level);
    }
}

impl fmt::Debug for LevelControl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LevelControl")
    }
}

/// This process's log. When it is dropped, the lines that wait are written: keep it to the end of
/// `main`.
#[derive(Debug)]
pub struct Log {
    writer: LogWriter,
    level: LevelControl,
}

impl Log {
    /// Sends this process's events to standard error from now on, by way of a thread and a bounded
    /// queue.
    ///
    /// # Errors
    ///
    /// [`InitError`]; what failed was the system, or a second call.
    pub fn init(format: Format, level: Level) -> Result<Self, InitError> {
        let writer = LogWriter::start(Sink::Stderr, format, QUEUE_BYTES)?;
        let lines = writer.lines();
        let (subscriber, level) = subscriber(format, level, move || -> Lines { lines.clone() });
        subscriber.try_init()?;
        Ok(Self { writer, level })
    }

    /// Changes the level while the program runs.
    #[must_use]
    pub fn level(&self) -> &LevelControl {
        &self.level
    }

    /// Lines written and dropped.
    #[must_use]
    pub fn counters(&self) -> Arc<LogCounters> {
        self.writer.counters()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.writer.flush(PATIENCE); // nobody reads: nobody misses them
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The process has a subscriber already.
    #[error("the process has a log already")]
    Second(#[from] TryInitError),
    /// No thread, or no standard error.
    #[error("cannot start the log's thread")]
    Thread(#[from] io::Error),
}

/// A subscriber that writes lines to what `writer` makes.
pub fn subscriber<W>(
    format: Format,
    level: Level,
    writer: W,
) -> (impl Subscriber + Send + Sync, LevelControl)
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let (filter, handle) = reload::Layer::new(targets(level));
    let lines = layer().with_ansi(false).with_writer(Harmless(writer));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match format {
        Format::Json => Box::new(lines.json().flatten_event(true).with_filter(filter)),
        Format::Text => Box::new(lines.with_filter(filter)),
    };
    let set = move |level| {
        let _ = handle.reload(targets(level)); // fails only when the subscriber is gone
    };
    (tracing_subscriber::registry().with(lines), LevelControl(Arc::new(set)))
}

fn targets(level: Level) -> Targets {
    Targets::new()
        .with_default(LevelFilter::from_level(level).min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), level)
}

/// Escapes hidden characters in what the formatter writes; it writes a line at a time.
#[derive(Debug)]
struct Harmless<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Harmless<W> {
    type Writer = HarmlessWriter<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        HarmlessWriter(self.0.make_writer())
    }
}

#[derive(Debug)]
struct HarmlessWriter<W>(W);

impl<W: Write> Write for HarmlessWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let text = String::from_utf8_lossy(bytes);
        let (line, end) = match text.strip_suffix('\n') {
            Some(line) => (line, "\n"),
            None => (&*text, ""),
        };
        if !line.contains(is_hidden) {
            return self.0.write_all(bytes);
        }
        let mut safe = Vec::with_capacity(line.len() + 16);
        for character in line.chars() {
            if is_hidden(character) {
                write!(safe, "\\u{:04x}", u32::from(character))?;
            } else {
                safe.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        safe.extend_from_slice(end.as_bytes());
        self.0.write_all(&safe)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use tracing::{debug, info, subscriber::with_default, trace, warn};

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Seen(Arc<Mutex<Vec<u8>>>);

    impl Seen {
        fn text(&self) -> String {
            let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            String::from_utf8(bytes.clone()).unwrap()
        }
    }

    impl Write for Seen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(format: Format, level: Level, act: impl FnOnce(&LevelControl)) -> String {
        let seen = Seen::default();
        let writer = seen.clone();
        let (subscriber, control) = subscriber(format, level, move || writer.clone());
        with_default(subscriber, || act(&control));
        seen.text()
    }

    #[test]
    fn a_json_line_has_the_fields_beside_the_message() {
        let text = written(Format::Json, Level::INFO, |_| {
            info!(user.name = "alice", generation = 3, "Issued a token");
        });

        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["user.name"], "alice");
        assert_eq!(value["generation"], 3);
        assert_eq!(value["message"], "Issued a token");
        assert_eq!(value["level"], "INFO");
    }

    #[test]
    fn the_level_can_change_while_running() {
        let text = written(Format::Text, Level::INFO, |control| {
            debug!("before");
            control.set(Level::DEBUG);
            debug!("after");
        });

        assert!(!text.contains("before") && text.contains("after"));
    }

    #[test]
    fn events_go_by_the_queue_and_never_wait() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let writer = LogWriter::start(Sink::File(path.clone()), Format::Text, 1 << 16).unwrap();
        let lines = writer.lines();
        let (subscriber, _control) = subscriber(Format::Text, Level::INFO, move || lines.clone());

        with_default(subscriber, || info!(generation = 4, "Reloaded"));
        assert!(writer.flush(Duration::from_secs(30)));

        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.ends_with("Reloaded generation=4\n"), "{text}");
        assert_eq!(writer.counters().written(), 1);
    }

    #[test]
    fn libraries_are_heard_when_something_is_wrong_only() {
        let text = written(Format::Json, Level::TRACE, |_| {
            trace!(target: "h2::codec", authorization = "Bearer s3cret", "frame");
            debug!(target: "hyper::proto", "authorization: Basic s3cret");
            warn!(target: "rustls", "odd");
            trace!("ours");
        });

        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("odd") && text.contains("ours"));
    }

    #[test]
    fn a_quiet_level_silences_libraries_as_well() {
        let text = written(Format::Text, Level::ERROR, |_| {
            warn!(target: "rustls", "odd");
        });

        assert_eq!(text, "");
    }

    #[test]
    fn hidden_characters_stay_visible_and_on_one_line() {
        let name = "eve\r\nINFO faked\u{1b}[2J\u{202e}\u{9b}";
        for format in [Format::Json, Format::Text] {
            let text = written(format, Level::INFO, |_| info!(user.name = %name, "Met `{name}`"));

            assert_eq!(text.lines().count(), 1, "{text}");
            assert!(!text.trim_end().contains(is_hidden), "{text}");
        }
    }

    #[test]
    fn the_format_follows_the_terminal_unless_it_is_told() {
        assert_eq!(Format::choose("auto", true), Ok(Format::Text));
        assert_eq!(Format::choose("auto", false), Ok(Format::Json));
        assert_eq!(Format::choose("text", false), Ok(Format::Text));
        assert_eq!(Format::choose("json", true), Ok(Format::Json));
        assert_eq!(Format::choose("xml", true), Err(UnknownFormat));
    }
}
