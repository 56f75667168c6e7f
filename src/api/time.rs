//! Time and name of a box.

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use serde_json::json;

use super::calls::Answer;
use super::network::list;
use super::request::Ask;
use crate::base::wall::Wall;
use crate::base::{Error, Result};
use crate::system::check;
use crate::system::clock::{Name, Time};
use crate::system::order::Order;

/// Instead of NTP servers: those that the image comes with.
const DEFAULT: &str = "default";

/// `GetTime`
pub async fn get(ask: Ask) -> Result<Answer> {
    let time: Time = ask.ctx.appliance.ask(&Order::Time).await?;
    let zone = TimeZone::get(&time.zone).unwrap_or_else(|_| TimeZone::system());
    let now = Timestamp::now().to_zoned(zone);
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Get time successfully",
        "strTime": now.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        "strZone": time.zone,
        "ntp": time.ntp,
        "bSynchronised": time.synchronised,
    })))
}

/// `SetTime`
pub async fn set(ask: Ask) -> Result<Answer> {
    let zone = ask.get("zone").map(str::to_owned);
    zone.as_deref().map_or(Ok(()), |zone| check::zone("zone", zone))?;
    let ntp: Option<Vec<String>> = ask.get("ntp").map(|text| match text {
        DEFAULT => Vec::new(),
        servers => list(servers).map(str::to_owned).collect(),
    });
    ntp.as_deref().map_or(Ok(()), |ntp| check::servers("ntp", ntp))?;
    let at = ask.get("time").map(|text| Wall::parse(text, &TimeZone::system())).transpose();
    let at = at.map_err(|error| error.context("parameter time"))?.map(|(at, _)| at.0.div_euclid(1000));
    if zone.is_none() && ntp.is_none() && at.is_none() {
        return Err(Error::bad_input("parameters zone, ntp and time are missing: one is needed"));
    }
    ask.ctx.appliance.ask::<()>(&Order::SetTime { zone, ntp, at }).await?;
    // Recordings and schedules follow at once.
    tz::reset_system_time_zone_cache();
    Ok(Answer::done("Set time successfully"))
}

/// `GetHostname`
pub async fn get_name(ask: Ask) -> Result<Answer> {
    let name: Name = ask.ctx.appliance.ask(&Order::Name).await?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Get host name successfully",
        "strHostname": name.name,
        "strDefault": name.default,
    })))
}

/// `SetHostname`
pub async fn set_name(ask: Ask) -> Result<Answer> {
    let name = ask.get("name").map(str::to_owned);
    name.as_deref().map_or(Ok(()), |name| check::label("name", name))?;
    ask.ctx.appliance.ask::<()>(&Order::SetName { name }).await?;
    Ok(Answer::done("Set host name successfully"))
}
