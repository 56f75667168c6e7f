use std::collections::BTreeSet;

use toml::{Table, Value};

use super::*;
use crate::base::Kind;
use crate::base::spec::SourceKind;

const SAMPLE: &str = include_str!("../../../config/h5edge.sample.toml");

/// The sample with its examples (lines that start with `#` and no blank) switched on.
fn with_examples() -> String {
    SAMPLE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(example) if !example.starts_with(' ') => example,
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn keys(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Table(table) => {
            for (key, value) in table {
                keys(value, &format!("{path}.{key}"), into);
            }
        }
        Value::Array(all) if all.iter().any(Value::is_table) => {
            all.iter().for_each(|value| keys(value, path, into));
        }
        _ => {
            into.insert(path.to_owned());
        }
    }
}

fn all_keys(table: &Table) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    keys(&Value::Table(table.clone()), "", &mut all);
    all
}

fn complaint(text: &str) -> String {
    let error = Config::parse(text, "h5edge.toml").unwrap_err();
    assert_eq!(error.kind(), Kind::BadInput);
    error.to_string()
}

#[test]
fn the_sample_is_the_defaults_with_every_key() {
    assert_eq!(Config::parse(SAMPLE, "sample").unwrap(), Config::default());
    let mut real = all_keys(&Table::try_from(Config::default()).unwrap());
    // Lists of tables are in the examples.
    assert!(real.remove(".source") && real.remove(".webrtc.ice_servers") && real.remove(".volume"));
    assert_eq!(all_keys(&SAMPLE.parse().unwrap()), real);
}

#[test]
fn the_examples_of_the_sample_are_real_and_whole() {
    let text = with_examples();
    let config = Config::parse(&text, "sample").unwrap();
    assert_eq!((config.source.len(), config.webrtc.ice_servers.len()), (2, 2));
    assert_eq!(all_keys(&text.parse().unwrap()), all_keys(&Table::try_from(&config).unwrap()));
}

#[test]
fn errors_name_file_line_column_and_key() {
    let cases = [
        ("[http]\nprot = 1", "h5edge.toml:2:1: http: unknown field `prot`, expected one of `bind`, `port`"),
        ("[htpp]", "h5edge.toml:1:2: unknown field `htpp`"),
        ("[http]\n\nport = 0", "h5edge.toml:3:8: http.port: 0 is not within 1 to 65535"),
        ("[http]\nport = 'x'", "h5edge.toml:2:8: http.port: invalid type"),
        ("[http]\nport = 8443", "http: port and https_port are both 8443"),
        (
            "[http]\ncors_origins = ['https://a.example/']",
            "http.cors_origins: `https://a.example/` is no origin",
        ),
        (
            "[sources]\ndefault_connect = 'auto'",
            "sources.default_connect: `auto` is none of on_demand, always",
        ),
        ("[sources]\nfile_roots = ['media']", "sources.file_roots: `media` is no absolute path"),
        ("[snapshot]\ndeny = ['a b']", "snapshot.deny: `a b` is no name of an element"),
        ("[onvif]\nname = \"a\\nb\"", "onvif.name: at most 64 bytes, none a control"),
        ("[snapshot]\nboard_dir = 'x'", "snapshot.board_dir: `x` is no absolute path"),
        ("[log]\nmodules = { x = 'loud' }", "log.modules.x: unknown variant `loud`"),
        ("[http]\nport = 1\nport = 2", "h5edge.toml:3:1: duplicate key"),
        ("[http", "h5edge.toml:1:"),
        ("[[source]]\ntoken = '../x'\nurl = '/f'", "h5edge.toml:2:9: source.token: a token is"),
        ("[[source]]\ntoken = 'x'\nurl = 'http://h/'", "source.url: expected rtsp://"),
        ("[[source]]\nurl = '/f'", "source: missing field `token`"),
        (
            "[[source]]\ntoken='x'\nurl='/f'\n[[source]]\ntoken='x'\nurl='/g'",
            "source: token `x` is used twice",
        ),
        ("[[webrtc.ice_servers]]\nurls = ['http://x']", "webrtc.ice_servers.urls: `http://x` does not start"),
    ];
    for (text, expected) in cases {
        let shown = complaint(text);
        assert!(shown.contains(expected), "{text:?}: {shown}");
        assert!(shown.starts_with("h5edge.toml:"), "{shown}");
        assert!(shown.split(':').nth(1).is_some_and(|line| line.parse::<u32>().is_ok()), "{shown}");
    }
}

#[test]
fn errors_never_show_a_password() {
    let source = "[[source]]\ntoken = 'x'\n";
    for text in [
        "password = 471147\nurl = '/f'",
        "password = hunter2\nurl = '/f'",
        "password = 'hunter2\nurl = '/f'",
        "url = 'rtsp://u:hunter2@h/'",
        "url = 'rtsp://u:hunter2@h:port/'",
    ] {
        let shown = complaint(&format!("{source}{text}"));
        assert!(!shown.contains("hunter2") && !shown.contains("471147"), "{shown}");
    }
}

#[test]
fn a_source_becomes_what_the_store_keeps() {
    let text = "[[source]]\ntoken = 'token1'\nurl = 'rtsp://h/x'\nuser = 'u'\npassword = 'p'\n\
                connect = 'always'\ntransport = 'udp'\naudio = true\n\
                [[source]]\ntoken = 'token2'\nname = 'Loop'\nurl = '/f.mp4'";
    let config = Config::parse(text, "test").unwrap();
    let specs: Vec<_> = config.source.iter().map(SourceEntry::spec).collect();
    assert_eq!(specs[0].name, "token1");
    assert_eq!((specs[0].kind, specs[1].kind), (SourceKind::Stream, SourceKind::File));
    assert_eq!((specs[0].connect, specs[0].transport), (Connect::Always, RtspTransport::Udp));
    assert_eq!((specs[0].user.as_str(), specs[0].password.expose()), ("u", "p"));
    assert!(specs[0].audio && !specs[1].audio);
}

#[test]
fn load_takes_no_file_and_names_one_that_is_not_there() {
    assert_eq!(Config::load(None).unwrap(), Config::default());
    let error = Config::load(Some(Path::new("/no/such.toml"))).unwrap_err();
    assert!(error.to_string().starts_with("/no/such.toml: "), "{error}");
    let roots = Sources::default().roots(Path::new("/data"));
    assert_eq!(roots, [Path::new("/data/files"), Path::new("/mediastore")]);
}

#[test]
fn a_pin_is_taken_as_people_copy_it() {
    let pin = |text: &str| Config::parse(&format!("[cloud.client]\npin = \"{text}\""), "h5edge.toml");
    let colons = "AB:".repeat(32);
    assert_eq!(pin(colons.trim_end_matches(':')).unwrap().cloud.client.pin, "ab".repeat(32));
    assert_eq!(pin("").unwrap().cloud.client.pin, "");
    assert!(complaint("[cloud.client]\npin = \"ab:cd\"").contains("cloud.client.pin: not the SHA-256"));
}
