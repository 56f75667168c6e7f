//! Logging to standard error: levels per module, text or JSON, repeated lines collapsed.
//!
//! `tracing`'s own formatter makes each line on the thread that logs; [`Sink`] puts the time in front
//! and writes it, or counts it if it said the same a moment ago ([`Collapse`]). One thread sleeps
//! until counted lines are due, and sleeps for good while there are none. Memory: see [`Collapse`].

mod collapse;

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::Subscriber;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{MakeWriter, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use self::collapse::{Collapse, Told};
use super::config::{Format, Level, Log};
use super::time::Clock;
use super::{Error, Result};

/// Overrides levels, in the form `info,h5edge::source=debug`.
const VARIABLE: &str = "H5EDGE_LOG";

/// Keeps the log complete: dropped at the end of `main`, it writes what is still being counted.
pub struct Guard {
    sink: Arc<Sink<io::Stderr>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts logging, once in a process.
///
/// Errors: `BadInput` when `H5EDGE_LOG` makes no sense, `Refused` when logging has been started.
pub fn init(config: &Log) -> Result<Guard> {
    let levels = match std::env::var(VARIABLE) {
        Ok(text) => text.parse().map_err(|error| Error::bad_input(format!("{VARIABLE}: {error}")))?,
        Err(_) => levels(config),
    };
    let out = io::stderr();
    let colour = out.is_terminal();
    let sink = Arc::new(Sink::new(Clock::real(), config, out));
    subscriber(config, levels, colour, sink.clone())
        .try_init()
        .map_err(|error| Error::refused(format!("logging: {error}")))?;
    let thread = std::thread::Builder::new().name("log".into()).spawn({
        let sink = sink.clone();
        move || sink.tell_when_due()
    })?;
    Ok(Guard { sink, thread: Some(thread) })
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.sink.close();
        if let Some(thread) = self.thread.take() {
            // It ends by itself, and a panic in it has been shown already.
            let _ = thread.join();
        }
    }
}

fn levels(config: &Log) -> Targets {
    let targets = config.modules.iter().map(|(module, level)| (module.clone(), filter(*level)));
    // What goes wrong with NATS is told by the cluster, once and in its own words.
    let quiet = ("async_nats".to_owned(), filter(Level::Off));
    Targets::new().with_default(filter(config.level)).with_targets([quiet]).with_targets(targets)
}

fn filter(level: Level) -> tracing::level_filters::LevelFilter {
    use tracing::level_filters::LevelFilter;
    match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    }
}

fn subscriber<W: Write + Send + 'static>(
    config: &Log,
    levels: Targets,
    colour: bool,
    sink: Arc<Sink<W>>,
) -> impl Subscriber + Send + Sync + use<W> {
    let lines = layer().without_time().with_writer(ToSink(sink));
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match config.format {
        Format::Text => lines.with_ansi(colour).boxed(),
        Format::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(levels))
}

/// Where finished lines go.
struct Sink<W> {
    clock: Clock,
    format: Format,
    state: Mutex<State<W>>,
    /// Told when a line begins to be counted, and at the end.
    changed: Condvar,
}

struct State<W> {
    collapse: Collapse,
    out: W,
    closed: bool,
}

impl<W: Write> Sink<W> {
    fn new(clock: Clock, config: &Log, out: W) -> Self {
        let collapse = Collapse::new(Duration::from_secs(config.collapse_seconds));
        let state = Mutex::new(State { collapse, out, closed: false });
        Self { clock, format: config.format, state, changed: Condvar::new() }
    }

    fn line(&self, line: &str) {
        let mut state = self.state();
        let told = state.collapse.line(self.clock.mono(), line);
        self.write(&mut state, &told);
        if told.is_empty() {
            self.changed.notify_one();
        }
    }

    /// Writes summaries when their time comes, until [`Sink::close`].
    fn tell_when_due(&self) {
        let mut state = self.state();
        while !state.closed {
            let told = state.collapse.due(self.clock.mono());
            self.write(&mut state, &told);
            state = match state.collapse.next_due(self.clock.mono()) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(wait) => {
                    self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let told = state.collapse.all();
        self.write(&mut state, &told);
        self.changed.notify_one();
    }

    fn write(&self, state: &mut State<W>, told: &[Told]) {
        for told in told {
            let text = dress(self.format, told);
            // There is nowhere to complain that the log cannot be written.
            let _ = state.out.write_all(text.as_bytes());
        }
    }

    fn state(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The line as it is written: with the time in front and how often it came.
fn dress(format: Format, told: &Told) -> String {
    let mut time = String::new();
    // Writing into a string cannot fail.
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    let line = &told.line;
    match (format, told.times) {
        (Format::Text, 1) => format!("{time} {line}\n"),
        (Format::Text, times) => format!("{time} {line} ({times} times)\n"),
        (Format::Json, times) => {
            let inner = line.strip_prefix('{').and_then(|line| line.strip_suffix('}')).unwrap_or(line);
            let times = if times == 1 { String::new() } else { format!(",\"times\":{times}") };
            format!("{{\"timestamp\":\"{time}\",{inner}{times}}}\n")
        }
    }
}

/// Hands lines from the formatter, which writes each in one piece, to the [`Sink`].
struct ToSink<W>(Arc<Sink<W>>);

impl<'a, W: Write + 'a> MakeWriter<'a> for ToSink<W> {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

impl<W: Write> Write for &ToSink<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // A line feed inside, perhaps from a camera, must not pass for the start of another line.
        let text = String::from_utf8_lossy(line).trim_end().replace('\n', "\\n");
        self.0.line(&text);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
