//! `fleet ADDRESS PORT COUNT [auth]`: a fleet of `oxvif`'s mock cameras on one address, the first on
//! PORT and each next one a port higher, all found by one responder of WS-Discovery there. With `auth`
//! they ask for WS-UsernameToken (admin/admin). Says with a line of JSON that it is ready, and runs
//! until its standard input closes.

use std::{error::Error, io::Read, net::Ipv4Addr};

use oxvif::mock::{DeviceState, Fleet, MockServer};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, port, count, rest @ ..] = args.as_slice() else {
        return Err("usage: fleet ADDRESS PORT COUNT [auth]".into());
    };
    let (address, port, count): (Ipv4Addr, u16, u16) = (address.parse()?, port.parse()?, count.parse()?);
    let mut builder = Fleet::builder().discoverable(address).enforce_auth(rest == ["auth"]);
    for n in 0..count {
        let server = MockServer::builder()
            .bind_ip(address)
            .advertise_ip(address)
            .port(port + n)
            .initial_state(camera(n + 1));
        // The same endpoint reference at every start, as a real camera keeps its own.
        builder = builder.member(server, endpoint(address, n + 1), scopes(n + 1));
    }
    let fleet = builder.start().await?;
    println!("{}", json!({ "devices": fleet.device_urls() }));
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    Ok(fleet.shutdown().await?)
}

fn camera(n: u16) -> DeviceState {
    let mut state = DeviceState::default();
    state.hostname = format!("fleet-{n}");
    state.info.model = format!("Fleet {n}");
    state.info.serial_number = format!("FLEET-{n:04}");
    state.scopes = scopes(n);
    state
}

/// With a name in Chinese, percent-encoded UTF-8 as the specification has it.
fn scopes(n: u16) -> Vec<String> {
    vec![
        "onvif://www.onvif.org/type/video_encoder".to_owned(),
        format!("onvif://www.onvif.org/hardware/Fleet-{n}"),
        format!("onvif://www.onvif.org/name/Camera%20{n}%20%E9%97%A8"),
    ]
}

fn endpoint(address: Ipv4Addr, n: u16) -> String {
    format!("urn:uuid:00000000-0000-4000-8000-{:08x}{n:04x}", u32::from(address))
}
