use super::*;

fn found(duty: Duty, element: &str, rank: u32, hardware: bool) -> Found {
    Found { duty, element: element.into(), rank, hardware, version: "1.26.2".into() }
}

/// A board with two decoders and an encoder in hardware, all probed well.
fn board(settings: CodecSettings) -> Choice {
    let mut choice = Choice::new(settings);
    let found = vec![
        found(Duty::H264, "openh264dec", 64, false),
        found(Duty::H264, "avdec_h264", 256, false),
        found(Duty::H264, "v4l2slh264dec", 257, true),
        found(Duty::H264, "mppvideodec", 258, true),
        found(Duty::H265, "avdec_h265", 256, false),
        found(Duty::Jpeg, "jpegenc", 256, false),
        found(Duty::Jpeg, "v4l2jpegenc", 257, true),
    ];
    for hardware in found.iter().filter(|f| f.hardware) {
        choice.verdicts.set(hardware, Ok(()));
    }
    choice.set_found(Inventory { gstreamer: "GStreamer 1.26.2".into(), found });
    choice
}

fn settings() -> CodecSettings {
    CodecSettings { hardware: true, ..CodecSettings::default() }
}

fn plan(choice: &Choice, codec: VideoCodec, now: Instant) -> Vec<String> {
    let plan = choice.plan(codec, now);
    plan.iter().map(|recipe| format!("{} {}", recipe.decoder.element, recipe.encoder.element)).collect()
}

fn h264(choice: &Choice, now: Instant) -> Vec<String> {
    plan(choice, VideoCodec::H264, now)
}

const SOFTWARE: [&str; 2] = ["avdec_h264 jpegenc", "openh264dec jpegenc"];

fn part(element: &str) -> Part {
    Part { duty: Duty::H264, element: element.into(), hardware: true }
}

fn stands(choice: &Choice, element: &str, now: Instant) -> (State, String) {
    let report = choice.report(now).into_iter().find(|report| report.element == element).unwrap();
    (report.state, report.reason)
}

#[test]
fn hardware_first_then_software_by_rank() {
    let (choice, now) = (board(settings()), Instant::now());
    assert_eq!(h264(&choice, now), ["mppvideodec v4l2jpegenc", SOFTWARE[0], SOFTWARE[1]]);
    assert_eq!(plan(&choice, VideoCodec::H265, now), ["avdec_h265 v4l2jpegenc", "avdec_h265 jpegenc"]);
    let used: Vec<_> = choice.report(now).into_iter().filter(|r| r.in_use).map(|r| r.element).collect();
    assert_eq!(used, ["mppvideodec", "avdec_h265", "v4l2jpegenc"]);
}

#[test]
fn the_administrator_has_the_last_word() {
    let now = Instant::now();
    let denied = |name: &str| (name.to_owned(), "denied in the configuration".to_owned());
    let deny = ["mppvideodec", "v4l2jpegenc"].map(denied).into();
    let choice = board(CodecSettings { deny, ..settings() });
    assert_eq!(h264(&choice, now), ["v4l2slh264dec jpegenc", SOFTWARE[0], SOFTWARE[1]]);
    assert_eq!(stands(&choice, "mppvideodec", now), (State::Denied, "denied in the configuration".into()));
    assert_eq!(stands(&choice, "avdec_h264", now).0, State::Ok);

    let prefer = vec!["openh264dec".into(), "v4l2slh264dec".into()];
    let choice = board(CodecSettings { prefer, ..settings() });
    assert_eq!(h264(&choice, now)[0], "openh264dec v4l2jpegenc");

    let choice = board(CodecSettings::default());
    assert_eq!(h264(&choice, now), SOFTWARE);
    assert_eq!(stands(&choice, "mppvideodec", now).0, State::Denied);
}

#[test]
fn nothing_is_used_before_its_probe_or_when_that_was_bad() {
    let now = Instant::now();
    let mut choice = board(settings());
    choice.verdicts = Verdicts::default();
    assert_eq!(h264(&choice, now), SOFTWARE);
    assert_eq!(stands(&choice, "mppvideodec", now).0, State::Unprobed);
    let waiting = choice.unprobed();
    let recipes: Vec<_> =
        waiting.iter().map(|(f, r)| (f.duty, &*r.decoder.element, &*r.encoder.element)).collect();
    let expected = [
        (Duty::H264, "mppvideodec", "jpegenc"),
        (Duty::H264, "v4l2slh264dec", "jpegenc"),
        (Duty::Jpeg, "avdec_h264", "v4l2jpegenc"),
    ];
    assert_eq!(recipes, expected);

    for (found, _) in &waiting {
        choice.verdicts.set(found, Err("no picture came out".into()));
    }
    assert_eq!(h264(&choice, now), SOFTWARE);
    assert_eq!(stands(&choice, "mppvideodec", now), (State::Failed, "probe: no picture came out".into()));
    assert!(choice.unprobed().is_empty());
}

#[test]
fn three_strikes_within_ten_minutes_and_ten_minutes_of_rest() {
    let mut choice = board(settings());
    let start = Instant::now();
    let minute = |n: u64| start + Duration::from_secs(60 * n);
    let first = |choice: &Choice, now| h264(choice, now)[0].clone();
    // Never three within ten minutes.
    for n in [0, 6, 12, 18] {
        choice.strike(&part("mppvideodec"), "no picture", minute(n));
        assert_eq!(first(&choice, minute(n)), "mppvideodec v4l2jpegenc");
    }
    choice.strike(&part("mppvideodec"), "hung", minute(19));
    assert_eq!(first(&choice, minute(20)), "v4l2slh264dec v4l2jpegenc");
    let (state, reason) = stands(&choice, "mppvideodec", minute(20));
    assert_eq!(state, State::Failed);
    assert_eq!(reason, "3 failures, the last: hung; used again in 540 s");
    // Used again with a clean record.
    assert_eq!(first(&choice, minute(29)), "mppvideodec v4l2jpegenc");
    choice.strike(&part("mppvideodec"), "hung", minute(29));
    assert_eq!(first(&choice, minute(29)), "mppvideodec v4l2jpegenc");
}

#[test]
fn what_could_not_be_killed_is_never_used_again() {
    let mut choice = board(settings());
    choice.poison("mppvideodec");
    let later = Instant::now() + Duration::from_secs(100_000);
    assert_eq!(h264(&choice, later)[0], "v4l2slh264dec v4l2jpegenc");
    assert_eq!(stands(&choice, "mppvideodec", later).0, State::Poisoned);
}
