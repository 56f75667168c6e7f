//! Hundreds of edges at one central that is killed and started again: `examples/edgeswarm`, as it is used for the
//! figures in docs/scale.md.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::process::programs;

#[test]
fn hundreds_of_edges_register_and_all_come_back_to_a_central_that_was_killed() {
    let program = programs().join("examples/edgeswarm");
    assert!(program.exists(), "not built: run `cargo build --example edgeswarm`");
    let mut command = Command::new(program);
    command.arg("--program").arg(programs().join("h5edge"));
    command.args(["--edges", "300", "--watch", "3", "--settle", "2", "--away", "2", "--patience", "30"]);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().expect("edgeswarm");
    assert!(output.status.success(), "edgeswarm: {}", output.status);
    let told: Value = serde_json::from_slice(&output.stdout).expect("figures in JSON");
    for none in ["unnoticed", "lost"] {
        assert_eq!(told[none], 0.0, "{none}: {told}");
    }
    // Five times what it takes in the release program.
    for (name, most) in [("edge_kb", 250.0), ("again_kb", 250.0), ("idle_cpu_percent", 50.0)] {
        let value = told[name].as_f64().unwrap_or(f64::NAN);
        assert!(value < most, "{name}: {told}");
    }
}
