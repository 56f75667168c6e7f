//! `cargo bench --bench live`: what the daemon costs and how quick it is, measured from outside on the
//! real program with simulated cameras and viewers in processes of their own. `docs/benchmarks.md`
//! says how to read the table.
//!
//! Nothing is asserted: a missed target is a line in the table. The same program is also the viewers
//! ([`viewers`]), started by itself.

mod browser;
mod cloud;
mod footage;
#[path = "../../tests/onvif/lab.rs"]
#[allow(dead_code, unused_imports, reason = "written for the tests, and the benchmark needs a part of it")]
mod lab;
mod measure;
mod onvif;
#[path = "../../tests/onvif/cameras.rs"]
#[allow(dead_code, reason = "written for the tests, and the benchmark needs a part of it")]
mod onvif_cameras;
mod reconcile;
mod recording;
mod report;
mod rows;
mod site;
#[path = "../../tests/support/mod.rs"]
mod support;
mod viewers;
#[path = "../../tests/webrtc/client.rs"]
#[allow(dead_code, reason = "written for the tests, and the benchmark needs a part of it")]
mod webrtc_client;

use std::panic::catch_unwind;

use clap::{Parser, Subcommand};

use report::Table;

#[derive(Parser)]
struct Arguments {
    /// Only the rows whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// How often each row is measured
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// What cargo tells every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(Subcommand)]
enum Role {
    #[command(hide = true)]
    Viewers(viewers::Arguments),
}

fn main() {
    let arguments = Arguments::parse();
    if let Some(Role::Viewers(viewers)) = arguments.role {
        return viewers::run(&viewers);
    }
    let wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut table = Table::default();
    for run in 1..=arguments.runs {
        for row in rows::ROWS.iter().filter(|row| wanted(row.name)) {
            eprintln!("run {run} of {}: {}", arguments.runs, row.what);
            match catch_unwind(row.measure) {
                Ok(values) => table.add(row, &values),
                Err(_) => eprintln!("{} gave no figures", row.name),
            }
        }
    }
    table.print();
    table.write();
}
