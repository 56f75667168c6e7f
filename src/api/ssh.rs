//! SSH access to a box, by key.

use serde_json::{Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::Result;
use crate::system::order::Order;
use crate::system::ssh::{Key, State, check};

/// `GetSsh`
pub async fn get(ask: Ask) -> Result<Answer> {
    let state: State = ask.ctx.appliance.ask(&Order::Ssh).await?;
    Ok(Answer::Json(json!({
        "bStatus": true,
        "strCode": "Get SSH successfully",
        "bEnabled": !state.keys.is_empty(),
        "keys": state.keys.iter().map(fields).collect::<Vec<_>>(),
        "strHostFingerprint": state.host.unwrap_or_default(),
    })))
}

fn fields(key: &Key) -> Value {
    json!({ "strType": key.kind, "strFingerprint": key.fingerprint, "strComment": key.comment })
}

/// `SetSsh`
pub async fn set(ask: Ask) -> Result<Answer> {
    let lines = ask.get("keys").unwrap_or_default().lines().map(str::trim);
    let keys: Vec<String> =
        lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect();
    check(&keys)?;
    ask.ctx.appliance.ask::<()>(&Order::SetSsh { keys }).await?;
    Ok(Answer::done("Set SSH successfully"))
}
