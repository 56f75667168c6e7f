//! What the device says that it can: GetServices, GetCapabilities, and each service's own
//! GetServiceCapabilities.

use super::fault::Fault;
use super::site::Site;
use super::subscriptions::MAX_SUBSCRIPTIONS;
use super::write::tag;
use super::{Answer, Ask};
use crate::onvif::Service;

/// The version of ONVIF that the services follow.
const VERSION: (u32, u32) = (2, 60);
/// Longest user name and password that the API takes, and most users.
pub const MAX_USER: usize = 64;
pub const MAX_PASSWORD: usize = 64;
pub const MAX_USERS: usize = 32;

/// The services that this device has now. PTZ is one of them where a camera can be steered.
fn offered<S: Site>(ask: &Ask<'_, S>) -> Vec<Service> {
    let mut services = vec![
        Service::Device,
        Service::Media2,
        Service::Media,
        Service::Events,
        Service::DeviceIo,
        Service::Imaging,
    ];
    if ask.site().channels().iter().any(|channel| channel.ptz) {
        services.push(Service::Ptz);
    }
    services
}

/// `GetServices`
pub fn services<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let included = matches!(ask.get(&["IncludeCapability"]), Some("true" | "1"));
    let one = |service| {
        let capabilities = match included {
            true => format!("<tds:Capabilities>{}</tds:Capabilities>", of(ask, service)),
            false => String::new(),
        };
        format!(
            "<tds:Service>{}{}{capabilities}<tds:Version>{}{}</tds:Version></tds:Service>",
            tag("tds:Namespace", Service::namespace(service)),
            tag("tds:XAddr", ask.address(service)),
            tag("tt:Major", VERSION.0),
            tag("tt:Minor", VERSION.1),
        )
    };
    Ok(offered(ask).into_iter().map(one).collect())
}

/// A service's own capabilities, as its GetServiceCapabilities gives them.
fn of<S: Site>(ask: &Ask<'_, S>, service: Service) -> String {
    let channels = || ask.site().channels().len();
    match service {
        Service::Device => device(),
        Service::Media => media(channels()),
        Service::Media2 => media2(channels()),
        Service::Ptz => ptz(),
        Service::Imaging => imaging(),
        Service::Events => events(),
        Service::DeviceIo => device_io(channels()),
        Service::Recording | Service::Search | Service::Replay => String::new(),
    }
}

pub fn device() -> String {
    format!(
        "<tds:Capabilities><tds:Network IPFilter=\"false\" ZeroConfiguration=\"false\" IPVersion6=\"true\" \
         DynDNS=\"false\" Dot11Configuration=\"false\" NTP=\"0\"/><tds:Security TLS1.0=\"false\" TLS1.1=\"false\" \
         TLS1.2=\"true\" OnboardKeyGeneration=\"false\" AccessPolicyConfig=\"false\" DefaultAccessPolicy=\"true\" \
         Dot1X=\"false\" RemoteUserHandling=\"false\" X.509Token=\"false\" SAMLToken=\"false\" \
         KerberosToken=\"false\" UsernameToken=\"true\" HttpDigest=\"true\" RELToken=\"false\" \
         MaxUsers=\"{MAX_USERS}\" MaxUserNameLength=\"{MAX_USER}\" MaxPasswordLength=\"{MAX_PASSWORD}\" \
         HashingAlgorithms=\"MD5 SHA-256\"/><tds:System DiscoveryResolve=\"true\" DiscoveryBye=\"true\" \
         RemoteDiscovery=\"false\" SystemBackup=\"false\" SystemLogging=\"false\" HttpFirmwareUpgrade=\"false\" \
         NetworkConfigNotSupported=\"true\" UserConfigNotSupported=\"true\"/></tds:Capabilities>"
    )
}

pub fn media(channels: usize) -> String {
    format!(
        "<trt:Capabilities SnapshotUri=\"true\" Rotation=\"false\" VideoSourceMode=\"false\" OSD=\"false\">\
         <trt:ProfileCapabilities MaximumNumberOfProfiles=\"{}\"/><trt:StreamingCapabilities \
         RTPMulticast=\"false\" RTP_TCP=\"false\" RTP_RTSP_TCP=\"true\" NonAggregateControl=\"false\"/>\
         </trt:Capabilities>",
        2 * channels
    )
}

pub fn media2(channels: usize) -> String {
    format!(
        "<tr2:Capabilities SnapshotUri=\"true\" Rotation=\"false\" VideoSourceMode=\"false\" OSD=\"false\" \
         Mask=\"false\"><tr2:ProfileCapabilities MaximumNumberOfProfiles=\"{}\" \
         ConfigurationsSupported=\"VideoSource VideoEncoder PTZ\"/><tr2:StreamingCapabilities \
         RTSPStreaming=\"true\" RTPMulticast=\"false\" RTP_RTSP_TCP=\"true\" NonAggregateControl=\"false\" \
         AutoStartMulticast=\"false\"/></tr2:Capabilities>",
        2 * channels
    )
}

pub fn ptz() -> String {
    "<tptz:Capabilities EFlip=\"false\" Reverse=\"false\" GetCompatibleConfigurations=\"true\" MoveStatus=\"false\" \
     StatusPosition=\"false\"/>"
        .into()
}

pub fn imaging() -> String {
    "<timg:Capabilities ImageStabilization=\"false\" Presets=\"false\"/>".into()
}

pub fn events() -> String {
    format!(
        "<tev:Capabilities WSSubscriptionPolicySupport=\"false\" \
         WSPausableSubscriptionManagerInterfaceSupport=\"false\" MaxNotificationProducers=\"0\" \
         MaxPullPoints=\"{MAX_SUBSCRIPTIONS}\" PersistentNotificationStorage=\"false\"/>"
    )
}

pub fn device_io(channels: usize) -> String {
    format!(
        "<tmd:Capabilities VideoSources=\"{channels}\" VideoOutputs=\"0\" AudioSources=\"0\" AudioOutputs=\"0\" \
         RelayOutputs=\"0\" SerialPorts=\"0\" DigitalInputs=\"0\" DigitalInputOptions=\"false\"/>"
    )
}

/// `GetCapabilities`: what came before GetServices. Media2 does not appear in it.
pub fn categories<S: Site>(ask: &Ask<'_, S>) -> Answer {
    let mut wanted: Vec<&str> =
        ask.arguments.all("Category").map(|category| category.text.as_str()).collect();
    if wanted.is_empty() {
        wanted.push("All");
    }
    const KNOWN: [&str; 6] = ["All", "Device", "Events", "Imaging", "Media", "PTZ"];
    if let Some(other) = wanted.iter().find(|name| !KNOWN.contains(name)) {
        return Err(Fault::receiver(
            &["ter:ActionNotSupported", "ter:NoSuchService"],
            format!("there is no service {other:.32}"),
        ));
    }
    let all = wanted.contains(&"All");
    let offered = offered(ask);
    let has = |name, service| (all || wanted.contains(&name)) && offered.contains(&service);
    let address = |service| tag("tt:XAddr", ask.address(service));
    let mut inside = String::new();
    if has("Device", Service::Device) {
        inside += &format!("<tt:Device>{}{DEVICE}</tt:Device>", address(Service::Device));
    }
    if has("Events", Service::Events) {
        inside += &format!(
            "<tt:Events>{}<tt:WSSubscriptionPolicySupport>false</tt:WSSubscriptionPolicySupport>\
             <tt:WSPullPointSupport>true</tt:WSPullPointSupport>\
             <tt:WSPausableSubscriptionManagerInterfaceSupport>false\
             </tt:WSPausableSubscriptionManagerInterfaceSupport></tt:Events>",
            address(Service::Events)
        );
    }
    if has("Imaging", Service::Imaging) {
        inside += &format!("<tt:Imaging>{}</tt:Imaging>", address(Service::Imaging));
    }
    if has("Media", Service::Media) {
        inside += &format!(
            "<tt:Media>{}<tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast>\
             <tt:RTP_TCP>false</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities>\
             </tt:Media>",
            address(Service::Media)
        );
    }
    if has("PTZ", Service::Ptz) {
        inside += &format!("<tt:PTZ>{}</tt:PTZ>", address(Service::Ptz));
    }
    if all {
        inside += &format!("<tt:Extension>{}</tt:Extension>", extension(ask));
    }
    Ok(format!("<tds:Capabilities>{inside}</tds:Capabilities>"))
}

/// What the categories have no name for.
fn extension<S: Site>(ask: &Ask<'_, S>) -> String {
    format!(
        "<tt:DeviceIO>{}<tt:VideoSources>{}</tt:VideoSources><tt:VideoOutputs>0</tt:VideoOutputs>\
         <tt:AudioSources>0</tt:AudioSources><tt:AudioOutputs>0</tt:AudioOutputs>\
         <tt:RelayOutputs>0</tt:RelayOutputs></tt:DeviceIO>",
        tag("tt:XAddr", ask.address(Service::DeviceIo)),
        ask.site().channels().len(),
    )
}

const DEVICE: &str = "<tt:Network><tt:IPFilter>false</tt:IPFilter><tt:ZeroConfiguration>false</tt:ZeroConfiguration>\
    <tt:IPVersion6>true</tt:IPVersion6><tt:DynDNS>false</tt:DynDNS></tt:Network>\
    <tt:System><tt:DiscoveryResolve>true</tt:DiscoveryResolve><tt:DiscoveryBye>true</tt:DiscoveryBye>\
    <tt:RemoteDiscovery>false</tt:RemoteDiscovery><tt:SystemBackup>false</tt:SystemBackup>\
    <tt:SystemLogging>false</tt:SystemLogging><tt:FirmwareUpgrade>false</tt:FirmwareUpgrade>\
    <tt:SupportedVersions><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tt:SupportedVersions></tt:System>\
    <tt:IO><tt:InputConnectors>0</tt:InputConnectors><tt:RelayOutputs>0</tt:RelayOutputs></tt:IO>\
    <tt:Security><tt:TLS1.1>false</tt:TLS1.1><tt:TLS1.2>true</tt:TLS1.2>\
    <tt:OnboardKeyGeneration>false</tt:OnboardKeyGeneration><tt:AccessPolicyConfig>false</tt:AccessPolicyConfig>\
    <tt:X.509Token>false</tt:X.509Token><tt:SAMLToken>false</tt:SAMLToken>\
    <tt:KerberosToken>false</tt:KerberosToken><tt:RELToken>false</tt:RELToken></tt:Security>";
