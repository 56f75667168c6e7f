//! `onvif_server ADDRESS PORT`: a PTZ camera on the `onvif-server` crate, admin/admin, presets in
//! memory. What it lacks is the crate's: the PTZ service under a wrong namespace, no Media2, faults
//! without a code. Run under `faketime` it is a camera whose clock is wrong.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use onvif_server::{
    DeviceService, EventService, ImagingService, MediaService, OnvifError, OnvifServer, PTZPreset,
    PTZService, PTZStatusResult, generated::DeviceInfo,
};
use serde_json::json;

#[derive(Clone, Default)]
struct Camera {
    address: String,
    /// Preset names by token.
    presets: Arc<Mutex<BTreeMap<String, String>>>,
}

#[async_trait]
impl DeviceService for Camera {
    async fn get_device_information(&self) -> Result<DeviceInfo, OnvifError> {
        Ok(DeviceInfo {
            manufacturer: "onvif-server".to_owned(),
            model: "Crate PTZ".to_owned(),
            firmware_version: "0.1.1".to_owned(),
            serial_number: "CRATE-1".to_owned(),
            hardware_id: "crate".to_owned(),
        })
    }
}

#[async_trait]
impl MediaService for Camera {
    async fn get_stream_uri(&self, profile: &str) -> Result<String, OnvifError> {
        Ok(format!("rtsp://{}:8554/{profile}", self.address))
    }

    async fn get_snapshot_uri(&self, profile: &str) -> Result<String, OnvifError> {
        Ok(format!("http://{}/{profile}.jpg", self.address))
    }
}

#[async_trait]
impl PTZService for Camera {
    async fn continuous_move(&self, _: &str, pan: f32, tilt: f32, zoom: f32) -> Result<(), OnvifError> {
        eprintln!("move {pan} {tilt} {zoom}");
        Ok(())
    }

    async fn stop(&self, _: &str, _: bool, _: bool) -> Result<(), OnvifError> {
        eprintln!("stop");
        Ok(())
    }

    async fn get_status(&self, _: &str) -> Result<PTZStatusResult, OnvifError> {
        Ok(PTZStatusResult { pan_tilt_moving: false, zoom_moving: false })
    }

    async fn get_presets(&self, _: &str) -> Result<Vec<PTZPreset>, OnvifError> {
        let presets = self.presets.lock().expect("no panic under the lock");
        let preset =
            |(token, name): (&String, &String)| PTZPreset { token: token.clone(), name: name.clone() };
        Ok(presets.iter().map(preset).collect())
    }

    async fn set_preset(
        &self,
        _: &str,
        name: Option<&str>,
        token: Option<&str>,
    ) -> Result<String, OnvifError> {
        let mut presets = self.presets.lock().expect("no panic under the lock");
        let token = token.map_or_else(|| format!("preset_{}", presets.len() + 1), str::to_owned);
        presets.insert(token.clone(), name.unwrap_or(&token).to_owned());
        Ok(token)
    }

    async fn goto_preset(&self, _: &str, _: &str) -> Result<(), OnvifError> {
        Ok(())
    }

    async fn remove_preset(&self, _: &str, token: &str) -> Result<(), OnvifError> {
        self.presets.lock().expect("no panic under the lock").remove(token);
        Ok(())
    }
}

impl ImagingService for Camera {}
impl EventService for Camera {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, port] = args.as_slice() else {
        return Err("usage: onvif_server ADDRESS PORT".into());
    };
    let camera = Camera { address: address.clone(), ..Camera::default() };
    let server = OnvifServer::builder()
        .port(port.parse()?)
        .advertised_host(address)
        .auth("admin", "admin")
        .device_service(camera.clone())
        .media_service(camera.clone())
        .ptz_service(camera.clone())
        .imaging_service(camera.clone())
        .event_service(camera)
        .build()?;
    println!("{}", json!({ "device": format!("http://{address}:{port}/onvif/device_service") }));
    Ok(server.run().await?)
}
