//! A viewer of made-up recordings, in simulated time.

mod shelf;

use tokio::time::{Duration, Instant, timeout};

use self::shelf::{BASELINE, GOP, H265_MAIN, STEP, Shelf, T0, Tape, bytes, params, recorded, span};
use super::*;
use crate::base::time::MediaTime;
use crate::base::{Kind, Result};
use crate::media::frame::{Frame, Track};
use crate::media::params::Params;
use crate::media::{h264, h265};

const PACE: Pace = Pace { lead: MediaTime::from_secs(1), slack: MediaTime::ZERO, sound: true };

/// What one viewer was sent.
struct Seen {
    feed: Feed,
    begun: Instant,
    params: Vec<Arc<Params>>,
    /// With the time since the opening.
    frames: Vec<(Duration, Frame)>,
    times: Vec<(Duration, i64)>,
    /// With each of the times: where on the line, in milliseconds.
    places: Vec<i64>,
    faults: Vec<String>,
}

impl Seen {
    async fn open(shelf: Arc<Shelf>, request: Request) -> Result<Self> {
        let feed = Feed::open(shelf, request, PACE).await?;
        let begun = Instant::now();
        Ok(Self {
            feed,
            begun,
            params: vec![],
            frames: vec![],
            times: vec![],
            places: vec![],
            faults: vec![],
        })
    }

    async fn started(shelf: Arc<Shelf>, request: Request) -> Self {
        let mut seen = Self::open(shelf, request).await.unwrap();
        seen.feed.order(Order::Start);
        seen
    }

    /// Watches for so long.
    async fn watch(&mut self, span: Duration) -> &mut Self {
        let end = Instant::now() + span;
        while let Ok(item) = timeout(end - Instant::now(), self.feed.next()).await {
            let at = self.begun.elapsed();
            match item {
                Item::Params(params) => self.params.push(params),
                Item::Frame(frame) => self.frames.push((at, frame)),
                Item::Time(seen) => {
                    self.times.push((at, seen.recorded.0 - T0));
                    self.places.push(seen.line.0 / 90);
                }
                Item::Fault(error) => self.faults.push(error.to_string()),
            }
        }
        self.check();
        self
    }

    fn of(&self, track: Track) -> impl Iterator<Item = &(Duration, Frame)> {
        self.frames.iter().filter(move |(_, frame)| frame.track == track)
    }

    /// Milliseconds after T0 at which each picture was recorded.
    fn pictures(&self) -> Vec<i64> {
        let recorded = |frame: &Frame| i64::from_be_bytes(frame.data[..8].try_into().unwrap()) - T0;
        self.of(Track::Video).map(|(_, frame)| recorded(frame)).collect()
    }

    /// Media given, in milliseconds.
    fn media(&self) -> i64 {
        self.of(Track::Video).last().map_or(0, |(_, last)| (last.dts + last.duration).0 / 90)
    }

    /// The line starts at 0 and has no hole, and nothing comes more than the lead ahead.
    fn check(&self) {
        for track in [Track::Video, Track::Audio] {
            let mut end = MediaTime::ZERO;
            for (at, frame) in self.of(track) {
                assert_eq!(frame.dts, end, "{track:?} goes on at another time");
                assert!(frame.duration > MediaTime::ZERO && frame.pts >= frame.dts);
                end = frame.dts + frame.duration;
                assert!(frame.dts <= MediaTime::from(*at) + PACE.lead, "{track:?} {:?} at {at:?}", frame.dts);
            }
        }
        let first = self.of(Track::Video).next();
        assert!(first.is_none_or(|(_, frame)| frame.key), "begins with a key frame");
    }
}

fn range(from: i64, to: i64) -> Vec<i64> {
    (from..to).step_by(STEP as usize).collect()
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn files_and_gaps_become_one_line_at_the_pace_of_the_clock() {
    let shelf = Shelf::of([recorded(0, 10, true), recorded(10, 6, true), recorded(60, 4, true)]);
    let mut seen = Seen::started(shelf, span(3, 62)).await;
    seen.watch(10 * SECOND).await;
    // From the key frame before 3 s on, whose pictures pass twenty times as fast.
    let run_up = 50;
    assert_eq!(seen.pictures(), range(2000, 3000 + seen.media() - run_up));
    assert!((10_990..=11_050).contains(&seen.media()), "{}", seen.media());
    seen.watch(20 * SECOND).await;
    assert_eq!(seen.pictures(), [range(2000, 16_000), range(60_000, 62_000)].concat());
    assert_eq!(seen.params.len(), 1, "files with the same parameters need no new init segment");
    assert_eq!(seen.media(), 15_000 + run_up);
    let sound = seen.of(Track::Audio).last().map(|(_, last)| (last.dts + last.duration).0 / 90).unwrap();
    assert!((14_700..=15_100).contains(&sound), "{sound} ms of sound");
    let real = seen.of(Track::Audio).filter(|(_, frame)| frame.data.len() > 100).count() as f64;
    assert!(real > 0.95 * 15.0 * 46.875, "{real} frames of sound");
    assert_eq!(seen.faults, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn times_are_told_every_second_and_end_with_the_end() {
    let shelf = Shelf::of([recorded(0, 10, false), recorded(60, 4, false)]);
    let mut seen = Seen::started(shelf, span(0, 100)).await;
    seen.watch(60 * SECOND).await;
    let told: Vec<i64> = seen.times.iter().map(|(_, at)| *at).collect();
    assert_eq!(told.last(), Some(&64_000), "{told:?}");
    assert!((15..=16).contains(&told.len()), "{told:?}");
    for (at, told) in &seen.times {
        let shown = at.as_millis() as i64;
        let wanted = if shown < 10_000 { shown } else { 50_000 + shown.min(14_000) };
        assert!((told - wanted).abs() <= 2 * STEP, "{told} told at {shown}");
    }
    let on_line = |told: i64| if told < 10_000 { told } else { told - 50_000 };
    for ((_, told), place) in seen.times.iter().zip(&seen.places) {
        assert_eq!(on_line(*told), *place, "{told} lies there");
    }
}

#[tokio::test(start_paused = true)]
async fn playback_starts_by_itself_after_a_second_but_not_if_paused() {
    let shelf = Shelf::of([recorded(0, 10, false)]);
    let mut seen = Seen::open(shelf.clone(), span(0, 10)).await.unwrap();
    seen.watch(SECOND * 9 / 10).await;
    assert_eq!((seen.params.len(), seen.frames.len(), seen.times.len()), (1, 0, 0));
    seen.watch(SECOND).await;
    assert!(seen.media() > 1000);
    let mut seen = Seen::open(shelf, span(0, 10)).await.unwrap();
    seen.feed.order(Order::Pause);
    seen.watch(5 * SECOND).await;
    assert_eq!(seen.frames.len(), 0);
    seen.feed.order(Order::Start);
    seen.feed.order(Order::Start);
    seen.watch(2 * SECOND).await;
    assert_eq!(seen.pictures(), range(0, seen.media()));
    assert!((2_990..=3_050).contains(&seen.media()));
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_and_what_follows_follows() {
    let shelf = Shelf::of([recorded(0, 30, true)]);
    let mut seen = Seen::started(shelf, span(0, 30)).await;
    seen.watch(3 * SECOND).await;
    seen.feed.order(Order::Pause);
    let (frames, media) = (seen.frames.len(), seen.media());
    seen.watch(10 * SECOND).await;
    assert_eq!(seen.frames.len(), frames);
    let times = seen.times.len();
    seen.watch(10 * SECOND).await;
    assert_eq!(seen.times.len(), times, "nothing new is told");
    assert_eq!(seen.times.last().unwrap().1, media, "the last told is what stands on the screen");
    seen.feed.order(Order::Resume);
    seen.watch(5 * SECOND).await;
    assert_eq!(seen.pictures(), range(0, seen.media()));
    assert!((seen.media() - media - 6000).abs() < 100, "{} after {media}", seen.media());
}

#[tokio::test(start_paused = true)]
async fn speeds_change_the_pace_and_leave_no_hole() {
    for (speed, keys) in [(0.5, false), (2.0, false), (4.0, false), (8.0, true), (16.0, true)] {
        let shelf = Shelf::of([recorded(0, 300, true)]);
        let mut seen = Seen::started(shelf, span(0, 300)).await;
        seen.watch(2 * SECOND).await;
        let before = seen.pictures().len();
        seen.feed.order(Order::Speed(speed));
        seen.watch(10 * SECOND).await;
        let pictures = seen.pictures();
        let fast = &pictures[before..];
        let passed = (fast[fast.len() - 1] - fast[0]) as f64 / 1000.0;
        assert!((passed - 10.0 * speed).abs() <= 0.1 * 10.0 * speed, "{passed} s in 10 s at {speed}");
        let wanted = if keys { GOP * STEP } else { STEP };
        // The one placed at the old speed is still sent.
        assert!(fast[1..].windows(2).all(|pair| pair[1] - pair[0] == wanted), "{speed}: {fast:?}");
        let sounds = |seen: &Seen| seen.of(Track::Audio).filter(|(_, frame)| frame.data.len() > 100).count();
        let (loud, all) = (sounds(&seen), seen.of(Track::Audio).last().unwrap().1.dts.0 / 90);
        assert!((seen.media() - all).abs() < 300, "silence keeps up with the picture");
        seen.feed.order(Order::Speed(1.0));
        seen.watch(5 * SECOND).await;
        assert!(sounds(&seen) > loud + 4 * 46, "sound is heard again");
        let pictures = seen.pictures();
        let slow = &pictures[pictures.len() - 50..];
        assert!(slow.windows(2).all(|pair| pair[1] - pair[0] == STEP), "{speed}: {slow:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn seeks_show_what_was_sought_and_the_line_goes_on() {
    let shelf = Shelf::of([recorded(0, 30, true), recorded(100, 30, true)]);
    let mut seen = Seen::started(shelf, span(0, 130)).await;
    // With the key frame before it, and the time from that on the line: a twentieth.
    for (order, landing, sought, run_up) in [
        (Order::Seek(15.5), 14_000, 15_480, 75),
        (Order::MoveTo(Wall(T0 + 105_000)), 104_000, 105_000, 50),
        (Order::Seek(50.0), 100_000, 100_000, 0),
        (Order::Seek(0.0), 0, 0, 0),
    ] {
        seen.watch(3 * SECOND).await;
        let (before, told) = (seen.pictures().len(), seen.times.len());
        seen.feed.order(order);
        seen.watch(3 * SECOND).await;
        // One that was placed already may still be sent.
        let mut after = seen.pictures().split_off(before);
        let first = after.iter().take(2).position(|at| *at == landing);
        let first = first.unwrap_or_else(|| panic!("{order:?}: {:?}", &after[..3]));
        after.drain(..first);
        assert_eq!(after, range(landing, landing + after.len() as i64 * STEP), "{order:?}");
        let frames: Vec<_> = seen.of(Track::Video).skip(before + first).map(|(_, frame)| frame).collect();
        let behind = after.iter().position(|at| *at == sought).unwrap();
        let way = (frames[behind].dts - frames[0].dts).0 / 90;
        assert!((way - run_up).abs() <= 2, "{order:?}: shown {way} ms after the key frame");
        let later = frames[behind + 25].dts - frames[behind].dts;
        assert!((later.0 / 90 - 1000).abs() <= STEP, "{order:?}: {later:?}");
        // What leads up to it is not told of as seen.
        let place = frames[0].dts.0 / 90;
        for ((_, told), at) in seen.times.iter().zip(&seen.places).skip(told).filter(|(_, at)| **at >= place)
        {
            assert!((told - sought - (at - place - way)).abs() <= STEP, "{order:?}: {told} told at {at}");
        }
    }
    seen.feed.order(Order::MoveTo(Wall(T0 + 129_000)));
    seen.watch(10 * SECOND).await;
    assert_eq!(seen.pictures().last(), Some(&129_960));
    let told = seen.times.last().unwrap().1;
    assert_eq!(told, 130_000, "the end");
    seen.feed.order(Order::Seek(20.0));
    seen.watch(3 * SECOND).await;
    assert!(seen.pictures().last().unwrap() < &25_000, "back from the end");
}

#[tokio::test(start_paused = true)]
async fn a_seek_is_seen_within_the_lead() {
    let shelf = Shelf::of([recorded(0, 60, false)]);
    let mut seen = Seen::started(shelf, span(0, 60)).await;
    seen.watch(5 * SECOND).await;
    let media = seen.media();
    seen.feed.order(Order::Seek(40.0));
    let ordered = seen.begun.elapsed();
    seen.watch(2 * SECOND).await;
    let at = seen.pictures().iter().position(|at| *at >= 40_000).unwrap();
    let (came, frame) = seen.of(Track::Video).nth(at).unwrap();
    assert!(*came - ordered < SECOND / 10, "sent {:?} after the order", *came - ordered);
    assert!(frame.dts.0 / 90 - media <= STEP);
}

#[tokio::test(start_paused = true)]
async fn overlapping_recordings_are_shown_once() {
    let shelf = Shelf::of([recorded(0, 20, false), recorded(5, 5, false), recorded(15, 15, false)]);
    let mut seen = Seen::started(shelf, span(0, 100)).await;
    seen.watch(60 * SECOND).await;
    // The third is entered at its first key frame behind the first one's end.
    assert_eq!(seen.pictures(), [range(0, 20_000), range(21_000, 30_000)].concat());
}

#[tokio::test(start_paused = true)]
async fn a_recording_that_goes_on_is_followed() {
    let now = Wall::from(std::time::SystemTime::now()).0;
    let shelf = Shelf::of([Tape::new(now - 4000, params(false)).add(4)]);
    let request = Request {
        token: "cam".into(),
        span: Span::Times { from: Wall(now - 4000), to: Wall(now + 3_600_000) },
        moveto: None,
        offset: Offset(0),
    };
    let mut seen = Seen::started(shelf.clone(), request).await;
    seen.watch(10 * SECOND).await;
    assert_eq!(seen.media(), 4000);
    for round in 1..=5 {
        shelf.change(0, |tape| tape.add(2));
        seen.watch(2 * SECOND).await;
        assert_eq!(seen.media(), 4000 + round * 2000);
    }
    shelf.change(0, Tape::close);
    shelf.0.lock().unwrap().push(Tape::new(now + 10_000, params(false)).add(2));
    seen.watch(5 * SECOND).await;
    assert_eq!(seen.media(), 16_000, "the next file is found");
    assert_eq!(seen.faults, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn files_play_by_name() {
    let shelf = Shelf::of([recorded(0, 4, false), recorded(4, 4, false)]);
    let file = |name: &str| Request { span: Span::File(name.into()), ..span(0, 0) };
    let mut seen = Seen::started(shelf.clone(), file("1")).await;
    seen.watch(2 * SECOND).await;
    seen.feed.order(Order::Seek(2.0));
    seen.watch(10 * SECOND).await;
    assert_eq!(seen.pictures()[0], 4000);
    assert_eq!(seen.pictures().last(), Some(&7960));
    assert!(seen.pictures().windows(2).any(|pair| pair[1] == 6000 && pair[0] > 6000));
    let error = Seen::open(shelf, file("7")).await.map(|_| ()).unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (Kind::NotFound, "there is no 7"));
}

#[tokio::test(start_paused = true)]
async fn a_file_without_sound_is_played_with_silence() {
    let shelf = Shelf::of([
        recorded(0, 4, true),
        Tape::new(T0 + 4000, params(false)).add(4).close(),
        recorded(8, 4, true),
    ]);
    let mut seen = Seen::started(shelf, span(0, 100)).await;
    seen.watch(30 * SECOND).await;
    assert_eq!(seen.media(), 12_000);
    assert_eq!(seen.params.len(), 1, "the tracks stay");
    assert!(seen.of(Track::Audio).any(|(_, frame)| frame.data.len() < 100));
}

#[tokio::test(start_paused = true)]
async fn changed_parameters_are_told_and_another_codec_stops_playback() {
    let baseline = Params { video: h264::from_avcc(&bytes(BASELINE)).unwrap(), audio: None };
    let other = Params { video: h265::from_hvcc(&bytes(H265_MAIN)).unwrap(), audio: None };
    let shelf = Shelf::of([
        recorded(0, 4, false),
        Tape::new(T0 + 4000, baseline).add(4).close(),
        Tape::new(T0 + 8000, other).add(4).close(),
    ]);
    let mut seen = Seen::started(shelf, span(0, 100)).await;
    seen.watch(30 * SECOND).await;
    assert_eq!(seen.media(), 8000);
    let codecs: Vec<_> = seen.params.iter().map(|params| params.video.codec_string.as_str()).collect();
    assert_eq!(codecs, ["avc1.640014", "avc1.42C015"]);
    let text = "the recording goes on in H265 from 2020-05-01T08:00:08+08:00 on; play that by itself";
    assert_eq!(seen.faults, [text]);
    seen.feed.order(Order::Seek(1.0));
    seen.watch(2 * SECOND).await;
    assert!(seen.media() > 10_000, "back from there");
    assert_eq!(seen.params.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn nothing_recorded_is_an_error_with_words() {
    let shelf = Shelf::of([recorded(0, 4, false)]);
    let error = Seen::open(shelf, span(10, 20)).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), Kind::NotFound);
    let text = "nothing is recorded of cam from 2020-05-01T08:00:10+08:00 to 2020-05-01T08:00:20+08:00";
    assert_eq!(error.to_string(), text);
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_is_passed_over() {
    let broken = recorded(4, 4, false);
    broken.file.set_len(100).unwrap();
    let shelf = Shelf::of([recorded(0, 4, false), broken, recorded(8, 4, false)]);
    let mut seen = Seen::started(shelf, span(0, 100)).await;
    seen.watch(30 * SECOND).await;
    assert_eq!(seen.pictures(), [range(0, 4000), range(8000, 12_000)].concat());
    assert!(seen.faults[0].starts_with("/mediastore/record/cam/1.mp4: "), "{:?}", seen.faults);
}
