//! Snapshots that are kept (manual 5.5.5 and 5.5.6), and with what pictures are made.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::footage::Cause;
use crate::base::{Error, Result};
use crate::media::hub::{Event, Picture, Start};
use crate::media::stream::Stream;
use crate::record::place::{FileName, Folders};
use crate::record::stills::Still;
use crate::snapshot::{CodecReport, Duty, State};
use crate::system::Cpu;

/// How long an on-demand source may take to open and give its first key frame. Pages give a call ten
/// seconds.
const PATIENCE: Duration = Duration::from_secs(9);

/// `Snapshot` (manual 5.5.5).
pub async fn snapshot(ask: Ask) -> Result<Answer> {
    let name = ask.get("filename").map(FileName::parse).transpose()?;
    keep(ask, None, name).await
}

/// `PathSnapshot` (manual 5.5.6).
pub async fn path_snapshot(ask: Ask) -> Result<Answer> {
    let folders = Folders::parse(ask.require("start1")?, ask.require("start2")?, ask.get("tz"))?;
    let name = FileName::parse(ask.require("filename")?)?;
    keep(ask, Some(folders), Some(name)).await
}

async fn keep(ask: Ask, folders: Option<Folders>, name: Option<FileName>) -> Result<Answer> {
    let stream = ask.stream()?;
    ask.ctx.recorder.snapshot_possible(&stream.token)?;
    let picture = newest(&stream).await.map_err(|error| error.context("parameter token"))?;
    let jpeg = ask.ctx.snapshots.jpeg(&stream.token, &picture, width(&ask)).await?;
    let still = Still {
        token: stream.token.clone(),
        cause: Cause::Manual,
        taken: jpeg.arrived,
        jpeg: jpeg.bytes,
        folders,
        name,
    };
    let kept = ask.ctx.recorder.save_snapshot(still).await?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Snapshot successfully",
        "strUrl": kept.url(),
        "strPath": kept.place(),
    })))
}

/// The parameter `width`, which the table has checked.
pub fn width(ask: &Ask) -> Option<u32> {
    ask.get("width").and_then(|width| width.parse().ok())
}

/// The newest key frame of what the source shows now; a source that waits for somebody to ask is opened.
///
/// # Errors
/// `Timeout` with the source's own reason when it delivers nothing.
pub async fn newest(stream: &Arc<Stream>) -> Result<Picture> {
    let viewing = stream.view();
    let wait = async {
        let (_, mut cursor) = viewing.cursor(Start::NewestKey, PATIENCE).await?;
        match cursor.next().await {
            // A cursor begins with a key frame.
            Event::Frame { .. } => stream.hub.picture(),
            Event::Skipped | Event::Ended => None,
        }
        .ok_or_else(|| Error::timeout("source went away"))
    };
    tokio::time::timeout(PATIENCE, wait)
        .await
        .unwrap_or_else(|_| Err(Error::timeout("source gave no key frame in time")))
}

/// `GetCodecInfo` (docs/protocol.md 4): the processor, and how each element for pictures stands.
pub async fn codec_info(ask: Ask) -> Result<Answer> {
    let codecs = ask.ctx.snapshots.codecs().await?;
    let cpu = tokio::task::spawn_blocking(Cpu::read)
        .await
        .map_err(|_| Error::internal("reading the processor was given up"))?;
    Ok(Answer::Json(codec_fields(&cpu, &codecs)))
}

fn codec_fields(cpu: &Cpu, codecs: &[CodecReport]) -> Value {
    let (encoders, decoders): (Vec<_>, Vec<_>) = codecs.iter().partition(|codec| codec.duty == Duty::Jpeg);
    json!({
        "strCPUModel": cpu.model,
        "nCPU": cpu.logical,
        "nCPUCore": cpu.cores,
        "strSWEncoders": usable(&encoders, false),
        "strSWDecoders": usable(&decoders, false),
        "strHWEncoders": usable(&encoders, true),
        "strHWDecoders": usable(&decoders, true),
        "decoder": decoders.into_iter().map(codec_entry).collect::<Vec<_>>(),
        "jpeg": encoders.into_iter().map(codec_entry).collect::<Vec<_>>(),
    })
}

/// Names of those that can be used now, each once.
fn usable(codecs: &[&CodecReport], hardware: bool) -> String {
    let fit = codecs.iter().filter(|codec| codec.hardware == hardware && codec.state == State::Ok);
    let mut names: Vec<&str> = Vec::new();
    for codec in fit {
        if !names.contains(&&*codec.element) {
            names.push(&codec.element);
        }
    }
    names.join(",")
}

fn codec_entry(codec: &CodecReport) -> Value {
    json!({
        "strCodec": codec.duty.as_str(),
        "strElement": codec.element,
        "bHardware": codec.hardware,
        "bInUse": codec.in_use,
        "strState": codec.state.as_str(),
        "strReason": codec.reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codec_info_tells_usable_ones_from_all() {
        let report = |duty, element: &str, hardware, state| CodecReport {
            duty,
            element: element.into(),
            hardware,
            state,
            reason: "because".into(),
            in_use: hardware && state == State::Ok,
        };
        let cpu = Cpu { model: "Cortex-A72".into(), logical: 4, cores: 4 };
        let fields = codec_fields(
            &cpu,
            &[
                report(Duty::H264, "mppvideodec", true, State::Ok),
                report(Duty::H264, "v4l2h264dec", true, State::Denied),
                report(Duty::H264, "avdec_h264", false, State::Ok),
                report(Duty::H265, "mppvideodec", true, State::Ok),
                report(Duty::H265, "avdec_h265", false, State::Ok),
                report(Duty::Jpeg, "jpegenc", false, State::Ok),
            ],
        );
        assert_eq!((&fields["strCPUModel"], &fields["nCPU"]), (&json!("Cortex-A72"), &json!(4)));
        assert_eq!(fields["strHWDecoders"], "mppvideodec");
        assert_eq!(fields["strSWDecoders"], "avdec_h264,avdec_h265");
        assert_eq!((&fields["strHWEncoders"], &fields["strSWEncoders"]), (&json!(""), &json!("jpegenc")));
        let denied = json!({
            "strCodec": "H264",
            "strElement": "v4l2h264dec",
            "bHardware": true,
            "bInUse": false,
            "strState": "denied",
            "strReason": "because",
        });
        assert_eq!(fields["decoder"][1], denied);
        assert_eq!(fields["jpeg"][0]["strElement"], "jpegenc");
    }
}
