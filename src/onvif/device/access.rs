//! Who may do what (ONVIF Core 5.9.4.3, default access policy).

use super::Level;
use crate::onvif::Service;

/// What anybody may ask. Clients need the time before they can make a digest, and the services before
/// they know how to log in.
const OPEN: [&str; 7] = [
    "GetSystemDateAndTime",
    "GetServices",
    "GetServiceCapabilities",
    "GetCapabilities",
    "GetWsdlUrl",
    "GetHostname",
    "GetEndpointReference",
];
/// What moves a camera or changes its presets (`ACTUATE`).
const STEERING: [&str; 11] = [
    "ContinuousMove",
    "RelativeMove",
    "AbsoluteMove",
    "GeoMove",
    "MoveAndStartTracking",
    "Stop",
    "SetPreset",
    "RemovePreset",
    "GotoPreset",
    "GotoHomePosition",
    "SendAuxiliaryCommand",
];

/// The least level that `operation` needs; `None`: not even a user.
pub fn needed(service: Option<Service>, operation: &str) -> Option<Level> {
    match service {
        Some(Service::Device) if OPEN.contains(&operation) => None,
        // Every service has this one.
        Some(_) if operation == "GetServiceCapabilities" => None,
        // `READ_SYSTEM_SECRET`
        Some(Service::Device) if operation == "GetUsers" => Some(Level::Administrator),
        Some(Service::Ptz) if STEERING.contains(&operation) => Some(Level::Operator),
        _ => Some(Level::User),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_for_all_and_steering_for_operators() {
        assert_eq!(needed(Some(Service::Device), "GetSystemDateAndTime"), None);
        assert_eq!(needed(Some(Service::Media2), "GetServiceCapabilities"), None);
        // The name alone says nothing: in another service it is another operation.
        assert_eq!(needed(Some(Service::Media), "GetHostname"), Some(Level::User));
        assert_eq!(needed(Some(Service::Ptz), "GetPresets"), Some(Level::User));
        assert_eq!(needed(Some(Service::Ptz), "ContinuousMove"), Some(Level::Operator));
        assert_eq!(needed(Some(Service::Device), "GetUsers"), Some(Level::Administrator));
        assert_eq!(needed(None, "Anything"), Some(Level::User));
    }
}
