//! The Device service: who the device is, its time, scopes, network and users. What would change the
//! appliance is not allowed: a recorder must not move it to another address.

use std::time::SystemTime;

use super::fault::Fault;
use super::site::Site;
use super::write::{date_time, tag};
use super::{Answer, Ask, capabilities, network, scopes};

/// One of the service's operations.
pub async fn operation<S: Site>(ask: &Ask<'_, S>, name: &str) -> Answer {
    match name {
        "GetSystemDateAndTime" => Ok(system_time(SystemTime::now())),
        "GetServices" => capabilities::services(ask),
        "GetServiceCapabilities" => Ok(capabilities::device()),
        "GetCapabilities" => capabilities::categories(ask),
        "GetWsdlUrl" => Ok(tag("tds:WsdlUrl", "http://www.onvif.org/")),
        "GetEndpointReference" => Ok(tag("tds:GUID", ask.site().identity().endpoint)),
        "GetDeviceInformation" => Ok(information(ask)),
        "GetScopes" => Ok(scope_list(ask)),
        "GetDiscoveryMode" => {
            let mode = if ask.site().discoverable() { "Discoverable" } else { "NonDiscoverable" };
            Ok(tag("tds:DiscoveryMode", mode))
        }
        "GetUsers" => Ok(users(ask)),
        "GetHostname" => Ok(network::hostname(&ask.site().network().await)),
        "GetNetworkInterfaces" => Ok(network::interfaces(ask, &ask.site().network().await)),
        "GetDNS" => Ok(network::dns(&ask.site().network().await)),
        "GetNTP" => Ok("<tds:NTPInformation><tt:FromDHCP>false</tt:FromDHCP></tds:NTPInformation>".into()),
        "GetNetworkProtocols" => Ok(network::protocols(&ask.site().network().await)),
        "GetNetworkDefaultGateway" => Ok(network::gateway(&ask.site().network().await)),
        // There are none.
        "GetRelayOutputs" => Ok(String::new()),
        "SetSystemDateAndTime"
        | "SetNTP"
        | "SetDNS"
        | "SetHostname"
        | "SetHostnameFromDHCP"
        | "SetNetworkInterfaces"
        | "SetNetworkProtocols"
        | "SetNetworkDefaultGateway"
        | "SetDiscoveryMode"
        | "SetScopes"
        | "AddScopes"
        | "RemoveScopes"
        | "CreateUsers"
        | "DeleteUsers"
        | "SetUser"
        | "SystemReboot"
        | "SetSystemFactoryDefault" => Err(Fault::prohibited(name)),
        _ => Err(Fault::unknown(name)),
    }
}

/// In UTC; the device has no other time zone for its clients.
fn system_time(now: SystemTime) -> String {
    let stamp = date_time(now);
    let number =
        |at: std::ops::Range<usize>| stamp.get(at).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    let time = [("Hour", 11..13), ("Minute", 14..16), ("Second", 17..19)];
    let date = [("Year", 0..4), ("Month", 5..7), ("Day", 8..10)];
    let write = |parts: [(&str, std::ops::Range<usize>); 3]| -> String {
        parts.into_iter().map(|(name, at)| tag(&format!("tt:{name}"), number(at))).collect()
    };
    let moment = format!("<tt:Time>{}</tt:Time><tt:Date>{}</tt:Date>", write(time), write(date));
    format!(
        "<tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>\
         <tt:TimeZone><tt:TZ>UTC0</tt:TZ></tt:TimeZone><tt:UTCDateTime>{moment}</tt:UTCDateTime>\
         <tt:LocalDateTime>{moment}</tt:LocalDateTime></tds:SystemDateAndTime>"
    )
}

fn information<S: Site>(ask: &Ask<'_, S>) -> String {
    let identity = ask.site().identity();
    [
        ("tds:Manufacturer", identity.manufacturer),
        ("tds:Model", identity.model),
        ("tds:FirmwareVersion", identity.firmware),
        ("tds:SerialNumber", identity.serial),
        ("tds:HardwareId", identity.hardware),
    ]
    .into_iter()
    .map(|(name, text)| tag(name, text))
    .collect()
}

fn scope_list<S: Site>(ask: &Ask<'_, S>) -> String {
    let one = |scope: String| {
        let inside = tag("tt:ScopeDef", "Fixed") + &tag("tt:ScopeItem", scope);
        format!("<tds:Scopes>{inside}</tds:Scopes>")
    };
    scopes::scopes(&ask.site().identity()).into_iter().map(one).collect()
}

/// Names and levels; passwords are for nobody.
fn users<S: Site>(ask: &Ask<'_, S>) -> String {
    let one = |user: super::User| {
        let inside = tag("tt:Username", user.name) + &tag("tt:UserLevel", user.level.as_str());
        format!("<tds:User>{inside}</tds:User>")
    };
    ask.site().users().into_iter().map(one).collect()
}
