use super::rehearsal::Rehearsal;
use super::*;
use crate::base::Kind;

const PATIENCE: Duration = Duration::from_secs(10);

#[test]
fn files_are_put_whole_with_their_rights() {
    let it = Rehearsal::new();
    it.file("/data/x.new", "left over");
    it.root.keep("/data/x", "one", 0o600).unwrap();
    it.root.keep("/data/x", "two", 0o600).unwrap();
    assert_eq!((it.text("/data/x").as_str(), it.mode("/data/x")), ("two", 0o600));
    assert!(!it.root.has("/data/x.new"));
    it.root.link("/run/l", "/usr/share/zoneinfo/UTC").unwrap();
    it.root.link("/run/l", "/elsewhere").unwrap();
    assert_eq!(fs::read_link(it.root.at("/run/l")).unwrap(), Path::new("/elsewhere"));
    assert_eq!(it.root.read("/no/such").unwrap(), None);
    it.root.remove("/no/such").unwrap();
    it.file("/file", "");
    assert!(it.root.put("/file/x", "", 0o644).unwrap_err().to_string().starts_with("/file/x: "));
}

#[test]
fn programs_have_deadlines_and_their_complaints_are_told() {
    let it = Rehearsal::new();
    let error = it.root.run("networkctl", &[], PATIENCE).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (Kind::Unsupported, "networkctl is not installed")
    );
    it.program("networkctl", "echo fine; test \"$1\" = 'a b;c' || { echo no such link >&2; exit 3; }");
    assert_eq!(it.root.run("networkctl", &["a b;c"], PATIENCE).unwrap(), "fine\n");
    let error = it.root.run("networkctl", &["x"], PATIENCE).unwrap_err();
    assert_eq!(error.to_string(), "networkctl: no such link");
    it.program("slow", "exec sleep 60");
    let error = it.root.run("slow", &[], Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
    it.program("loud", "head -c 1000000 /dev/zero");
    assert_eq!(it.root.run("loud", &[], PATIENCE).unwrap().len() as u64, MAX_OUTPUT);
}
