use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;
use crate::base::Kind;
use crate::base::secret::Secret;
use crate::base::spec::{Connect, OnvifSpec, RtspTransport, SourceKind, SourceSpec, Trust};
use crate::store::PresetAlias;

fn source(token: &str, password: &str) -> SourceSpec {
    SourceSpec {
        token: token.to_owned(),
        name: format!("Camera {token}"),
        kind: SourceKind::Stream,
        url: "rtsp://192.0.2.1/main".to_owned(),
        sub_url: None,
        user: "admin".to_owned(),
        password: Secret::new(password),
        audio: true,
        connect: Connect::OnDemand,
        transport: RtspTransport::Tcp,
        onvif: None,
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn tokens(store: &Store) -> Vec<String> {
    store.sources().unwrap().into_iter().map(|spec| spec.token).collect()
}

fn error(dir: &Path) -> Error {
    Store::open(dir).err().unwrap()
}

#[test]
fn sources_come_back_after_a_restart_in_the_order_they_were_added() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for token in ["zulu", "alpha", "mike"] {
        store.insert_source(&source(token, "hunter2")).unwrap();
    }
    store.delete_source("alpha").unwrap();
    store.insert_source(&source("alpha", "")).unwrap();
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert_eq!(
        store.sources().unwrap(),
        [source("zulu", "hunter2"), source("mike", "hunter2"), source("alpha", "")]
    );
}

#[test]
fn a_changed_source_keeps_its_place_and_what_was_not_changed() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (first, last) = (source("a", "hunter2"), source("b", "swordfish"));
    store.insert_source(&first).unwrap();
    store.insert_source(&last).unwrap();
    let changed = SourceSpec {
        name: "Gate".into(),
        url: "rtsp://192.0.2.2/x?pwd=opensesame".into(),
        sub_url: Some("rtsp://192.0.2.2/y?pwd=opensesame".into()),
        audio: false,
        connect: Connect::Always,
        ..first.clone()
    };
    store.update_source(&first, &changed).unwrap();
    assert_eq!(store.sources().unwrap(), [changed.clone(), last.clone()]);
    let row = |column: &str| -> String {
        let query = format!("SELECT {column} FROM sources WHERE token = 'a'");
        store.db().query_row(&query, [], |row| row.get(0)).unwrap()
    };
    assert_eq!(row("sub_url"), "rtsp://192.0.2.2/y?pwd=******");

    // As a source is known whose secrets could not be decrypted.
    let without = SourceSpec { password: Secret::default(), ..changed.clone() };
    let renamed = SourceSpec { name: "Door".into(), ..without.clone() };
    store.update_source(&without, &renamed).unwrap();
    assert_eq!(store.sources().unwrap()[0], SourceSpec { name: "Door".into(), ..changed.clone() });
    let bare = SourceSpec { sub_url: None, password: Secret::default(), ..changed.clone() };
    store.update_source(&changed, &bare).unwrap();
    assert_eq!(store.sources().unwrap(), [bare.clone(), last]);
    let unknown = source("c", "");
    assert_eq!(store.update_source(&unknown, &unknown).unwrap_err().kind(), Kind::NotFound);
}

fn onvif(token: &str, trust: Trust) -> SourceSpec {
    let at = OnvifSpec {
        host: "fe80::1%eth0".to_owned(),
        port: 8080,
        path: "/onvif/device_service".to_owned(),
        trust,
        main: Some("quality h264".to_owned()),
        sub: None,
    };
    let plain = source(token, "hunter2");
    SourceSpec { kind: SourceKind::Onvif, url: String::new(), onvif: Some(at), ..plain }
}

#[test]
fn onvif_sources_come_back_and_only_a_first_certificate_is_pinned() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let (first, second) = ("0a".repeat(32), "0b".repeat(32));
    let mut kept = vec![
        onvif("plain", Trust::Plain),
        onvif("first", Trust::FirstUse),
        onvif("any", Trust::Any),
        onvif("pinned", Trust::Pinned(first.clone())),
    ];
    kept.iter().for_each(|spec| store.insert_source(spec).unwrap());
    assert_eq!(store.sources().unwrap(), kept);
    for pin in [&first, &second] {
        kept.iter().for_each(|spec| store.pin_source(&spec.token, pin).unwrap());
    }
    kept[1] = onvif("first", Trust::Pinned(first));
    assert_eq!(store.sources().unwrap(), kept);
    // The pin stays with somebody who knows nothing of it.
    let (old, mut new) = (onvif("first", Trust::FirstUse), onvif("first", Trust::FirstUse));
    new.audio = false;
    store.update_source(&old, &new).unwrap();
    kept[1].audio = false;
    assert_eq!(store.sources().unwrap(), kept);
}

#[test]
fn a_sources_presets_go_with_it() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let alias = PresetAlias { token: "1".into(), name: "gate".into(), camera_token: "000".into() };
    for token in ["a", "b"] {
        store.insert_source(&onvif(token, Trust::Plain)).unwrap();
        store.put_preset(token, &alias).unwrap();
    }
    store.delete_source("a").unwrap();
    assert_eq!(store.presets("a").unwrap(), []);
    assert_eq!(store.presets("b").unwrap(), [alias]);
}

#[test]
fn used_and_unknown_tokens_are_refused_and_nothing_changes() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.insert_source(&source("token1", "first")).unwrap();
    let used = store.insert_source(&source("token1", "second")).unwrap_err();
    assert_eq!((used.kind(), used.to_string().as_str()), (Kind::Refused, "token token1 is used already"));
    let unknown = store.delete_source("token2").unwrap_err();
    assert_eq!((unknown.kind(), unknown.to_string().as_str()), (Kind::NotFound, "token token2 is not known"));
    assert_eq!(store.sources().unwrap(), [source("token1", "first")]);
}

#[test]
fn only_the_owner_can_read_the_data() {
    let parent = TempDir::new().unwrap();
    let dir = parent.path().join("data");
    let store = Store::open(&dir).unwrap();
    store.insert_source(&source("token1", "hunter2")).unwrap();
    assert_eq!(mode(&dir), 0o700);
    for file in ["h5edge.db", "h5edge.db-wal", "secret.key"] {
        assert_eq!(mode(&dir.join(file)), 0o600, "{file}");
    }
}

#[test]
fn no_file_but_the_key_helps_to_read_a_password() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.insert_source(&source("token1", "hunter2")).unwrap();
    store.insert_source(&source("token2", "hunter2")).unwrap();
    for file in fs::read_dir(dir.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(7).any(|part| part == b"hunter2"));
    }
    // Bound to its token: moved to another row it does not open.
    store
        .db()
        .execute("UPDATE sources SET password = (SELECT password FROM sources WHERE token = 'token1')", [])
        .unwrap();
    let passwords: Vec<_> = store.sources().unwrap().into_iter().map(|spec| spec.password).collect();
    assert_eq!(passwords, [Secret::new("hunter2"), Secret::default()]);
}

#[test]
fn a_lost_key_costs_the_passwords_until_it_is_put_back() {
    let dir = TempDir::new().unwrap();
    Store::open(dir.path()).unwrap().insert_source(&source("token1", "hunter2")).unwrap();
    let key = dir.path().join("secret.key");
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().sources().unwrap(), [source("token1", "")]);
    fs::write(&key, kept).unwrap();
    assert_eq!(Store::open(dir.path()).unwrap().sources().unwrap(), [source("token1", "hunter2")]);
    fs::write(&key, b"short").unwrap();
    assert!(
        error(dir.path())
            .to_string()
            .ends_with("secret.key has 5 bytes where 32 belong: restore it from a backup")
    );
}

#[test]
fn a_database_from_the_future_is_left_alone() {
    let dir = TempDir::new().unwrap();
    Store::open(dir.path()).unwrap().db().pragma_update(None, "user_version", 99).unwrap();
    let error = error(dir.path());
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("h5edge.db: the database is of version 99"), "{error}");
}

#[test]
fn a_damaged_database_is_reported_and_kept() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for n in 0..200 {
        store.insert_source(&source(&format!("token{n}"), "")).unwrap();
    }
    drop(store);
    let path = dir.path().join("h5edge.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let error = error(dir.path());
    assert_eq!(error.kind(), Kind::Internal);
    assert!(error.to_string().contains("h5edge.db: the database is damaged"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn commits_are_synced_and_constraints_hold() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let db = store.db();
    let pragma = |name: &str| -> String {
        db.query_row(&format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}"), [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(
        (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")),
        ("wal".into(), "2".into(), "1".into())
    );
}

#[test]
fn the_host_id_stays() {
    let dir = TempDir::new().unwrap();
    let first = Store::open(dir.path()).unwrap().host_id().unwrap();
    assert!(uuid::Uuid::parse_str(&first).is_ok());
    assert_eq!(Store::open(dir.path()).unwrap().host_id().unwrap(), first);
}

#[tokio::test]
async fn run_works_off_the_runtime() {
    let dir = TempDir::new().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.run(|store| store.insert_source(&source("token1", ""))).await.unwrap();
    assert_eq!(tokio::task::spawn_blocking(move || tokens(&store)).await.unwrap(), ["token1"]);
}
