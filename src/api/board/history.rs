//! The box's load of the last hour, for charts: one sample each [`STEP`], the newest [`STEPS`]. Memory: 15 KB.

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use crate::base::wall::{Offset, Wall};
use crate::system::RunInfo;

/// From one sample to the next.
pub const STEP: Duration = Duration::from_secs(10);
/// Samples that are kept.
pub const STEPS: usize = 360;

#[derive(Debug, Serialize)]
struct Sample {
    #[serde(rename = "nCPUUsage")]
    cpu: u8,
    #[serde(rename = "nMemoryUsage")]
    memory: u8,
    #[serde(rename = "nNetworkInK")]
    network_in: u64,
    #[serde(rename = "nNetworkOutK")]
    network_out: u64,
    /// Of the hottest part.
    #[serde(rename = "nCelsius")]
    celsius: Option<i32>,
}

/// See the module.
#[derive(Debug, Default)]
pub struct History {
    /// Oldest first.
    samples: VecDeque<Sample>,
    /// Of the newest one.
    end: Option<Wall>,
}

impl History {
    pub fn add(&mut self, info: &RunInfo, at: Wall) {
        if self.samples.len() == STEPS {
            self.samples.pop_front();
        }
        self.samples.push_back(Sample {
            cpu: info.cpu_percent,
            memory: info.memory_percent,
            network_in: info.network_in / 1000,
            network_out: info.network_out / 1000,
            celsius: info.temperatures.iter().map(|part| part.celsius).max(),
        });
        self.end = Some(at);
    }

    /// As `GetRunHistory` has it.
    pub fn shown(&self) -> Value {
        json!({
            "nStep": STEP.as_secs(),
            "strEndTime": self.end.map_or_else(String::new, |at| at.iso(Offset::local(at))),
            "run": self.samples,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Temperature;

    #[test]
    fn the_newest_hour_is_kept() {
        let mut history = History::default();
        assert_eq!(history.shown(), json!({ "nStep": 10, "strEndTime": "", "run": [] }));
        let part = |celsius| Temperature { name: "cpu".into(), celsius };
        for number in 0..=STEPS as u64 {
            let temperatures = if number == 1 { vec![part(-4), part(51)] } else { vec![] };
            let info = RunInfo { network_in: number * 1000, temperatures, ..RunInfo::default() };
            history.add(&info, Wall(number as i64 * 10_000));
        }
        let shown = history.shown();
        assert_eq!(shown["run"].as_array().unwrap().len(), STEPS);
        let first = json!({
            "nCPUUsage": 0, "nMemoryUsage": 0, "nNetworkInK": 1, "nNetworkOutK": 0, "nCelsius": 51,
        });
        assert_eq!(shown["run"][0].to_string(), first.to_string());
        assert_eq!(
            (&shown["run"][STEPS - 1]["nNetworkInK"], &shown["run"][1]["nCelsius"]),
            (&json!(STEPS), &Value::Null)
        );
        let end = Wall(3_600_000);
        assert_eq!(shown["strEndTime"], end.iso(Offset::local(end)));
    }
}
