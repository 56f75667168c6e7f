//! The table and the JSON file.

use std::fs;

use serde_json::{Value, json};

use crate::measure::quantile;
use crate::rows::{Figure, Row};
use crate::support::process::programs;

/// All figures measured so far, in the order of the rows.
#[derive(Default)]
pub struct Table {
    lines: Vec<Line>,
}

/// One figure over all runs.
struct Line {
    row: &'static Row,
    figure: &'static Figure,
    runs: Vec<f64>,
}

impl Line {
    fn median(&self) -> f64 {
        quantile(&self.runs, 0.5)
    }

    fn least(&self) -> f64 {
        quantile(&self.runs, 0.0)
    }

    fn most(&self) -> f64 {
        quantile(&self.runs, 1.0)
    }

    /// Whether the median keeps the target.
    fn pass(&self) -> Option<bool> {
        self.figure.target.map(|target| self.median() <= target)
    }

    fn json(&self) -> Value {
        json!({
            "row": self.row.name,
            "what": self.row.what,
            "figure": self.figure.name,
            "unit": self.figure.unit,
            "target": self.figure.target,
            "pass": self.pass(),
            "median": self.median(),
            "min": self.least(),
            "max": self.most(),
            "runs": self.runs,
        })
    }
}

impl Table {
    /// Adds one run of `row`.
    pub fn add(&mut self, row: &'static Row, values: &[f64]) {
        assert_eq!(values.len(), row.figures.len(), "one value per figure of {}", row.name);
        for (figure, &value) in row.figures.iter().zip(values) {
            let known = self
                .lines
                .iter_mut()
                .find(|line| std::ptr::eq(line.figure, figure) && line.row.name == row.name);
            match known {
                Some(line) => line.runs.push(value),
                None => self.lines.push(Line { row, figure, runs: vec![value] }),
            }
        }
    }

    /// Prints it as Markdown.
    pub fn print(&self) {
        println!("| what | figure | target | median | min | max | |");
        println!("|---|---|--:|--:|--:|--:|---|");
        for line in &self.lines {
            let target = line.figure.target.map_or(String::new(), |target| format!("≤ {target}"));
            let verdict = match line.pass() {
                Some(true) => "pass",
                Some(false) => "miss",
                None => "",
            };
            let unit = match line.figure.unit {
                "" => String::new(),
                unit => format!(", {unit}"),
            };
            println!(
                "| {} | {}{unit} | {target} | {:.2} | {:.2} | {:.2} | {verdict} |",
                line.row.what,
                line.figure.name,
                line.median(),
                line.least(),
                line.most(),
            );
        }
    }

    /// Writes it to `bench.json` in cargo's target folder.
    pub fn write(&self) {
        let file = programs().parent().expect("the target folder").join("bench.json");
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let figures: Vec<Value> = self.lines.iter().map(Line::json).collect();
        let text = json!({"cores": cores, "loadavg": load.trim(), "figures": figures});
        fs::write(&file, format!("{text:#}\n")).expect("bench.json");
        println!("\nAs JSON: {}", file.display());
    }
}
