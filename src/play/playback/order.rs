//! What viewers order on their socket (docs/protocol.md 1): texts of `{"cmd":"H5_…"}`.

use jiff::tz::TimeZone;
use serde_json::Value;

use crate::base::wall::Wall;
use crate::base::{Error, Result};

/// Speeds that pages offer.
pub const SPEEDS: std::ops::RangeInclusive<f64> = 0.5..=16.0;

/// An order to a [`super::Feed`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Order {
    /// Play; the same again does nothing.
    Start,
    Pause,
    Resume,
    /// Seconds from the beginning of what was asked for.
    Seek(f64),
    /// One of [`SPEEDS`].
    Speed(f64),
    MoveTo(Wall),
}

impl Order {
    /// What `text` orders; `None` for keepalives and all else.
    ///
    /// # Errors
    /// `BadInput` naming the field that makes no sense.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let Ok(message) = serde_json::from_str::<Value>(text) else { return Ok(None) };
        Ok(match message.get("cmd").and_then(Value::as_str) {
            Some("H5_START") => Some(Self::Start),
            Some("H5_PAUSE") => Some(Self::Pause),
            Some("H5_RESUME") => Some(Self::Resume),
            // Pages of 2018 call it nTime.
            Some("H5_SEEK") => {
                let name = if message.get("nSeekTime").is_some() { "nSeekTime" } else { "nTime" };
                let seconds = number(&message, name)?;
                if !(0.0..=1e9).contains(&seconds) {
                    return Err(Error::bad_input(format!("{name}: {seconds} lies before the beginning")));
                }
                Some(Self::Seek(seconds))
            }
            Some("H5_SPEED") => {
                let speed = number(&message, "nSpeed")?;
                if !SPEEDS.contains(&speed) {
                    let (least, most) = (SPEEDS.start(), SPEEDS.end());
                    return Err(Error::bad_input(format!("nSpeed: {speed} is not from {least} to {most}")));
                }
                Some(Self::Speed(speed))
            }
            Some("H5_MOVETO") => {
                let text = message.get("strMovetoTime").and_then(Value::as_str).unwrap_or_default();
                let parsed = Wall::parse(text, &TimeZone::system());
                Some(Self::MoveTo(parsed.map_err(|e| e.context("strMovetoTime"))?.0))
            }
            _ => None,
        })
    }
}

/// A number, or one in quotes.
fn number(message: &Value, name: &str) -> Result<f64> {
    let value = match message.get(name) {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    value.filter(|value| value.is_finite()).ok_or_else(|| Error::bad_input(format!("{name} is not a number")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> Option<Order> {
        Order::parse(text).unwrap()
    }

    #[test]
    fn orders_of_all_client_generations_are_understood() {
        assert_eq!(order(r#"{"cmd":"H5_START"}"#), Some(Order::Start));
        assert_eq!(order(r#"{"cmd":"H5_PAUSE","nSpeed":"1.0","nTime":"0"}"#), Some(Order::Pause));
        assert_eq!(order(r#"{"cmd":"H5_RESUME"}"#), Some(Order::Resume));
        assert_eq!(order(r#"{"cmd":"H5_SEEK","nSeekTime":3}"#), Some(Order::Seek(3.0)));
        assert_eq!(order(r#"{"cmd":"H5_SEEK","nSeekTime":"3.5"}"#), Some(Order::Seek(3.5)));
        assert_eq!(order(r#"{"cmd":"H5_SEEK","nSpeed":"1.0","nTime":"5"}"#), Some(Order::Seek(5.0)));
        assert_eq!(order(r#"{"cmd":"H5_SPEED","nSpeed":"16.0"}"#), Some(Order::Speed(16.0)));
        assert_eq!(order(r#"{"cmd":"H5_SPEED","nSpeed":0.5}"#), Some(Order::Speed(0.5)));
        let moveto = r#"{"cmd":"H5_MOVETO","strMovetoTime":"2020-05-01T08:00:00+08:00"}"#;
        assert_eq!(order(moveto), Some(Order::MoveTo(Wall(1_588_291_200_000))));
        for other in ["keepalive", r#"{"cmd":"H5_KEEPALIVE"}"#, r#"{"type":"keepalive"}"#, "", "[]", "7"] {
            assert_eq!(order(other), None, "{other}");
        }
    }

    #[test]
    fn faults_name_the_field() {
        let fault = |text: &str| Order::parse(text).unwrap_err().to_string();
        assert_eq!(fault(r#"{"cmd":"H5_SPEED","nSpeed":"32"}"#), "nSpeed: 32 is not from 0.5 to 16");
        assert_eq!(fault(r#"{"cmd":"H5_SPEED","nSpeed":"NaN"}"#), "nSpeed is not a number");
        assert_eq!(fault(r#"{"cmd":"H5_SEEK"}"#), "nTime is not a number");
        assert_eq!(fault(r#"{"cmd":"H5_SEEK","nSeekTime":-1}"#), "nSeekTime: -1 lies before the beginning");
        assert!(fault(r#"{"cmd":"H5_MOVETO","strMovetoTime":"noon"}"#).starts_with("strMovetoTime: noon"));
    }
}
