use std::time;

use super::*;

/// Bytes that a test can look at while the sink writes them.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `work` under a logger made from `toml`, and returns the lines without their time.
fn logged(toml: &str, work: impl FnOnce(&Clock, &Sink<Shared>)) -> Vec<String> {
    let config = super::super::config::Config::parse(toml, "test").unwrap().log;
    let (clock, out) = (Clock::simulated(time::SystemTime::UNIX_EPOCH), Shared::default());
    let sink = Arc::new(Sink::new(clock.clone(), &config, out.clone()));
    let subscriber = subscriber(&config, levels(&config), false, sink.clone());
    tracing::subscriber::with_default(subscriber, || work(&clock, &sink));
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn without_time(line: &str) -> &str {
    line.split_once("Z ").unwrap().1.trim_start()
}

#[test]
fn levels_go_by_module() {
    let lines = logged("[log]\nlevel = 'warn'\nmodules = { 'h5edge::source' = 'debug' }", |_, _| {
        tracing::info!(target: "h5edge::api", "hidden");
        tracing::debug!(target: "h5edge::source::rtsp", "shown");
        tracing::trace!(target: "h5edge::source::rtsp", "hidden");
        tracing::warn!(target: "h5edge::api", "shown too");
    });
    let lines: Vec<_> = lines.iter().map(|line| without_time(line)).collect();
    assert_eq!(lines, ["DEBUG h5edge::source::rtsp: shown", "WARN h5edge::api: shown too"]);
}

#[test]
fn repeated_lines_collapse_and_others_do_not() {
    let lines = logged("[log]\ncollapse_seconds = 10", |clock, sink| {
        for _ in 0..6 {
            tracing::warn!(token = "token1", "no answer");
        }
        tracing::warn!(token = "token2", "no answer");
        clock.advance(Duration::from_secs(10));
        sink.line(" INFO other");
    });
    let lines: Vec<_> = lines.iter().map(|line| without_time(line)).collect();
    assert_eq!(
        lines,
        [
            r#"WARN h5edge::base::log::tests: no answer token="token1""#,
            r#"WARN h5edge::base::log::tests: no answer token="token2""#,
            r#"WARN h5edge::base::log::tests: no answer token="token1" (5 times)"#,
            "INFO other",
        ]
    );
}

#[test]
fn json_lines_parse_and_carry_the_count() {
    let lines = logged("[log]\nformat = 'json'", |_, sink| {
        for _ in 0..3 {
            tracing::error!(token = "a{\"}", "gone}}");
        }
        sink.close();
    });
    let lines: Vec<serde_json::Value> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["message"], "gone}");
    assert_eq!(lines[0]["token"], "a{\"}");
    assert!(lines[0]["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(lines[0].get("times"), None);
    assert_eq!(lines[1]["times"], 2);
}

#[test]
fn a_line_feed_from_outside_makes_no_second_line() {
    let lines = logged("", |_, _| tracing::info!("camera says\n2026-01-01T00:00:00Z ERROR all lost"));
    assert_eq!(lines.len(), 1);
}

#[test]
fn the_thread_tells_without_another_line_and_ends() {
    let config = Log { collapse_seconds: 1, ..Log::default() };
    let out = Shared::default();
    let sink = Arc::new(Sink::new(Clock::real(), &config, out.clone()));
    let thread = std::thread::spawn({
        let sink = sink.clone();
        move || sink.tell_when_due()
    });
    sink.line("again");
    sink.line("again");
    let deadline = time::Instant::now() + Duration::from_secs(10);
    let told = || String::from_utf8_lossy(&out.0.lock().unwrap()).lines().count();
    while told() < 2 && time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(told(), 2);
    sink.close();
    thread.join().unwrap();
}
