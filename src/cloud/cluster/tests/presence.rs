//! Presence without any network.

use proptest::prelude::*;

use super::*;

fn life(node: &str) -> Life {
    Life { node: node.into(), run: u64::from(node.as_bytes()[0]) }
}

fn sites(node: &str) -> Sites {
    Sites::new(life(node))
}

fn facts() -> Box<str> {
    "{}".into()
}

fn at(sites: &Sites, site: &str) -> Option<String> {
    sites.at(site).map(|record| record.life.node.clone())
}

#[test]
fn a_site_that_moved_stays_where_it_went() {
    let (mut a, mut b) = (sites("a"), sites("b"));
    let first = a.here("s", facts(), 100);
    b.merge("s", first.clone(), 100);
    // B's clock is far behind, and yet it is newer.
    let second = b.here("s", facts(), 5);
    assert!(a.merge("s", second.clone(), 101).changed);
    assert_eq!(at(&a, "s").unwrap(), "b");
    assert_eq!(a.gone("s", 102), None);
    assert_eq!(a.merge("s", first, 103), Merged::default());
    assert_eq!(at(&a, "s").unwrap(), "b");
    assert_eq!(b.gone("s", 6).unwrap().stamp, second.stamp + 1);
    assert_eq!(at(&b, "s"), None);
}

#[test]
fn a_claim_that_looked_older_is_made_again_once_the_other_one_left() {
    let (mut a, mut b) = (sites("a"), sites("b"));
    let first = a.here("s", facts(), 100);
    // They did not hear each other, and B's clock is behind.
    b.here("s", facts(), 50);
    assert_eq!(b.merge("s", first, 51), Merged { changed: true, answer: None });
    assert_eq!(at(&b, "s").unwrap(), "a");
    let left = a.gone("s", 101).unwrap();
    let answer = b.merge("s", left, 52).answer.unwrap();
    a.merge("s", answer, 102);
    assert_eq!((at(&a, "s").unwrap(), at(&b, "s").unwrap()), ("b".into(), "b".into()));
}

#[test]
fn a_dead_node_s_sites_are_taken_back_by_who_has_them() {
    let (mut a, mut b) = (sites("a"), sites("b"));
    b.here("s", facts(), 50);
    b.merge("s", a.here("s", facts(), 100), 51);
    assert!(b.reclaim(|_| true, 52).is_empty());
    assert_eq!(b.reclaim(|_| false, 53).len(), 1);
    assert_eq!(at(&b, "s").unwrap(), "b");
    assert!(b.reclaim(|_| false, 54).is_empty());
}

#[test]
fn the_bucket_gets_what_it_lacks() {
    let mut a = sites("a");
    let record = a.here("s", facts(), 100);
    assert_eq!(a.take_dirty(10).len(), 1);
    assert!(a.take_dirty(10).is_empty());
    a.failed("s".into());
    assert_eq!(a.take_dirty(10), [("s".to_owned(), record.clone())]);
    a.stored("s", 100, 100);
    a.mark_unstored(101, 1000);
    assert!(a.take_dirty(10).is_empty());
    // An older one came in later.
    a.stored("s", 90, 100);
    assert_eq!(a.take_dirty(10).len(), 1);
    // The bucket was lost.
    a.stored("s", 100, 100);
    a.forget_stored();
    a.mark_unstored(101, 1000);
    assert_eq!(a.take_dirty(10).len(), 1);
    // It is there for long.
    a.stored("s", 100, 100);
    a.mark_unstored(1200, 1000);
    assert_eq!(a.take_dirty(10).len(), 1);
    // Another node has it now.
    a.mark_unstored(9999, 1000);
    a.merge("s", Record { life: life("b"), stamp: 101, ..record }, 101);
    assert!(a.take_dirty(10).is_empty());
}

#[test]
fn what_is_nowhere_is_forgotten_after_a_day() {
    let mut a = sites("a");
    a.here("stays", facts(), 100);
    a.here("left", facts(), 100);
    a.gone("left", 100);
    a.prune(|_| false, 150, 100);
    assert_eq!(a.known.len(), 2);
    a.prune(|_| false, 250, 100);
    assert_eq!(a.known.len(), 1);
    assert_eq!(at(&a, "stays").unwrap(), "a");
}

#[test]
fn since_is_kept_while_facts_change() {
    let mut a = sites("a");
    a.here("s", facts(), 100);
    let record = a.here("s", "[1]".into(), 200);
    assert_eq!((record.since, record.stamp, &*record.facts), (100, 200, "[1]"));
    a.gone("s", 300);
    assert_eq!(a.here("s", facts(), 400).since, 400);
}

proptest! {
    /// Nodes that heard the same records, in whatever order and however often, say the same.
    #[test]
    fn order_does_not_matter(stamps in prop::collection::vec((0u64..20, 0usize..3, any::<bool>()), 1..12), seed: u64) {
        let names = ["a", "b", "c"];
        let records: Vec<_> = stamps.iter().map(|(stamp, node, here)| Record {
            life: life(names[*node]), stamp: *stamp, since: *stamp, here: *here, facts: facts(),
        }).collect();
        // A node says one thing per moment.
        prop_assume!((0..records.len()).all(|i| (0..i).all(|j| {
            (records[i].stamp, records[i].life.run) != (records[j].stamp, records[j].life.run)
        })));
        let mut other: Vec<_> = records.iter().chain(&records).cloned().collect();
        let count = other.len();
        for i in 0..count {
            other.swap(i, (seed as usize).wrapping_mul(i + 7) % count);
        }
        let (mut x, mut y) = (sites("x"), sites("y"));
        records.into_iter().for_each(|record| { x.merge("s", record, 50); });
        other.into_iter().for_each(|record| { y.merge("s", record, 50); });
        prop_assert_eq!(x.at("s"), y.at("s"));
    }
}
