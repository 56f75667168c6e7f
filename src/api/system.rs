//! What the box is and how it fares (manual 5.2.4 and 5.2.5), and small later calls.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Context;
use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::record::volume::Space;
use crate::system::{BUILD, RunInfo, Temperature, VERSION, identity, rate_text, space_text};

/// `GetSystemInfo`.
pub async fn system_info(ask: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({
        "strVersion": VERSION,
        "strHostId": identity::host_id(&ask.ctx.config.appliance),
        "strLicenseType": "None",
        "strLicenseFull": "",
        "strChannelLimit": "unlimited",
        "strEndtime": "unlimited",
        "strBuild": BUILD,
        "bCentral": ask.ctx.cloud.central.is_some(),
    })))
}

/// `GetRunInfo`: the manual's texts, then the numbers of later versions (docs/protocol.md 4).
pub async fn run_info(ask: Ask) -> Result<Answer> {
    let info = sample(&ask.ctx).await?;
    Ok(Answer::Json(run_fields(&ask.ctx, &info)))
}

/// The box's load now.
pub async fn sample(ctx: &Arc<Context>) -> Result<RunInfo> {
    let ctx = ctx.clone();
    tokio::task::spawn_blocking(move || ctx.sampler.read())
        .await
        .map_err(|_| Error::internal("reading the run information was given up"))
}

/// What `GetRunInfo` answers.
pub fn run_fields(ctx: &Context, info: &RunInfo) -> Value {
    fields(info, ctx.recorder.volumes.space())
}

fn fields(info: &RunInfo, recordings: Space) -> Value {
    let part = |part: &Temperature| json!({ "strName": part.name, "nCelsius": part.celsius });
    json!({
        "strRunTime": info.run_time(),
        "strCPU": format!("{}%", info.cpu_percent),
        "strMemory": format!("{}%", info.memory_percent),
        "strNetworkIn": rate_text(info.network_in),
        "strNetworkOut": rate_text(info.network_out),
        "strTotalSpace": space_text(info.disk_total),
        "strFreeSpace": space_text(info.disk_free),
        "nCPUUsage": info.cpu_percent,
        "nMemoryUsage": info.memory_percent,
        "nTotalMemoryByte": info.memory_total,
        "nNetworkInK": info.network_in / 1000,
        "nNetworkOutK": info.network_out / 1000,
        "nTotalSpaceByte": info.disk_total,
        "nFreeSpaceByte": info.disk_free,
        "nRecordTotalSpaceByte": recordings.total,
        "nRecordFreeSpaceByte": recordings.free,
        "temperature": info.temperatures.iter().map(part).collect::<Vec<_>>(),
    })
}

/// `GetVersion`.
pub async fn version(_: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "strVer": VERSION, "strBuild": BUILD })))
}

/// `GetDevice`: devices behind a vendor's SDK; there are none.
pub async fn device(_: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "dev": [] })))
}

/// `cluster/GetClusterStatus`: pages ask before they play, and go on when there is no cluster.
pub async fn cluster_status(_: Ask) -> Result<Answer> {
    Ok(Answer::Json(json!({ "bEnable": false })))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn run_info_has_the_manuals_text_forms() {
        let info = RunInfo {
            uptime: Duration::from_secs(44 * 3600 + 5 * 60 + 59),
            cpu_percent: 16,
            memory_percent: 39,
            memory_total: 1 << 30,
            network_in: 3_999,
            network_out: 12_000,
            disk_total: 64 << 30,
            disk_free: 63 << 30,
            temperatures: vec![Temperature { name: "cpu-thermal".into(), celsius: 51 }],
        };
        let fields = fields(&info, Space { total: 9, free: 4, ..Space::default() });
        for (name, text) in [
            ("strRunTime", "44H 5MIN"),
            ("strCPU", "16%"),
            ("strMemory", "39%"),
            ("strNetworkIn", "3kpbs"),
            ("strNetworkOut", "12kpbs"),
            ("strFreeSpace", "63Gbytes"),
        ] {
            assert_eq!(fields[name], text);
        }
        assert_eq!(fields["nCPUUsage"], 16);
        assert_eq!(fields["nTotalMemoryByte"], 1 << 30);
        assert_eq!(fields["temperature"], json!([{ "strName": "cpu-thermal", "nCelsius": 51 }]));
        assert_eq!(
            (&fields["nRecordTotalSpaceByte"], &fields["nRecordFreeSpaceByte"]),
            (&9.into(), &4.into())
        );
    }
}
