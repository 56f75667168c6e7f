use std::time::Duration;

use super::*;

const GB: u64 = 1 << 30;
const TODAY: &str = "2026-03-10";

/// On days of March 2026, to the volume `main`.
fn written(days: &[(u32, u64)]) -> Vec<Written> {
    on("main", days)
}

fn on(volume: &str, days: &[(u32, u64)]) -> Vec<Written> {
    let line = |&(day, bytes): &(u32, u64)| Written {
        day: format!("2026-03-{day:02}"),
        volume: volume.into(),
        bytes,
    };
    days.iter().map(line).collect()
}

fn room(name: &str, disk: u64, free: u64) -> Room {
    Room { name: name.into(), disk: Some((disk, free)), keep_free: GB, used: 10 * GB, sources: 2 }
}

/// Mean and days of one volume with 90 GB to come, 10 GB used.
fn of_main(written: &[Written], retention: &Retention) -> (Option<u64>, Option<u64>) {
    let one = forecast(&[room("main", 1, 91 * GB)], written, TODAY, retention)[0];
    (one.bytes_per_day, one.days)
}

fn endless() -> Retention {
    Retention::default()
}

#[test]
fn without_a_full_day_nothing_is_foretold() {
    assert_eq!(of_main(&[], &endless()), (None, None));
    assert_eq!(of_main(&written(&[(10, GB)]), &endless()), (None, None), "today");
    assert_eq!(of_main(&written(&[(10, GB), (9, GB)]), &endless()), (None, None), "the first day");
    assert_eq!(of_main(&on("other", &[(8, GB), (9, GB)]), &endless()), (None, None));
}

#[test]
fn the_mean_is_of_full_days_only() {
    let days = written(&[(10, 500 * GB), (9, 3 * GB), (8, 5 * GB), (7, GB / 10)]);
    assert_eq!(of_main(&days, &endless()), (Some(4 * GB), Some(25)));
}

#[test]
fn a_day_without_writing_counts_and_a_week_is_enough() {
    let days = written(&[(9, 3 * GB), (7, 3 * GB), (6, GB)]);
    assert_eq!(of_main(&days, &endless()).0, Some(2 * GB), "the 8th is a day of nothing");
    let days: Vec<(u32, u64)> = (1..=9).map(|day| (day, if day < 3 { 900 * GB } else { GB })).collect();
    assert_eq!(of_main(&written(&days), &endless()).0, Some(GB));
    let long_ago = written(&[(1, GB), (2, GB)]);
    assert_eq!(of_main(&long_ago, &endless()), (None, None), "nothing for a week");
}

#[test]
fn age_and_share_end_it_earlier() {
    let days = written(&[(9, 2 * GB), (8, 2 * GB)]);
    assert_eq!(of_main(&days, &endless()).1, Some(50));
    let month = Duration::from_secs(30 * 86_400);
    let aged = Retention { keep: Some(month), ..endless() };
    assert_eq!(of_main(&days, &aged).1, Some(30));
    // Two sources of 20 GB each.
    let shared = Retention { max_bytes_per_source: Some(20 * GB), ..aged };
    assert_eq!(of_main(&days, &shared).1, Some(20));
    let shared = Retention { max_bytes_per_source: Some(500 * GB), ..endless() };
    assert_eq!(of_main(&days, &shared).1, Some(50));
}

#[test]
fn volumes_on_one_disk_part_what_is_free_as_they_write() {
    let lines = [on("main", &[(9, 3 * GB), (8, 3 * GB)]), on("more", &[(9, GB), (8, GB)])].concat();
    let rooms = [room("main", 1, 81 * GB), room("more", 1, 81 * GB), room("idle", 1, 81 * GB)];
    let found = forecast(&rooms, &lines, TODAY, &endless());
    // 10 + 60 of 3 a day, 10 + 20 of 1 a day.
    assert_eq!(found.iter().map(|one| one.days).collect::<Vec<_>>(), [Some(23), Some(30), None]);
    let apart = [room("main", 1, 81 * GB), room("more", 2, 81 * GB)];
    let found = forecast(&apart, &lines, TODAY, &endless());
    assert_eq!(found.iter().map(|one| one.days).collect::<Vec<_>>(), [Some(30), Some(90)]);
}

#[test]
fn a_full_volume_holds_what_lies_on_it() {
    let days = written(&[(9, 2 * GB), (8, 2 * GB)]);
    let of = |room: Room| forecast(&[room], &days, TODAY, &endless())[0].days;
    assert_eq!(of(room("main", 1, GB)), Some(5));
    // Less is free than should be: some of it will go.
    assert_eq!(of(Room { keep_free: 5 * GB, ..room("main", 1, GB) }), Some(3));
    assert_eq!(of(Room { keep_free: 500 * GB, ..room("main", 1, GB) }), Some(0));
    let gone = Room { disk: None, ..room("main", 1, 0) };
    let found = forecast(&[gone], &days, TODAY, &endless())[0];
    assert_eq!((found.bytes_per_day, found.days), (Some(2 * GB), None));
}
