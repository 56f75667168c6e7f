//! How the helper answers: `{"done": …}` or `{"failed": {"kind": …, "text": …}}`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::error::Kind;
use crate::base::{Error, Result};

/// An answer as it was read.
#[derive(Debug)]
pub enum Answered {
    Done(Value),
    Failed(Error),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Done(Value),
    Failed(Failure),
}

#[derive(Serialize, Deserialize)]
struct Failure {
    kind: Kind,
    text: String,
}

/// The line for `outcome`, without its end.
pub fn write(outcome: Result<Value>) -> String {
    let line = match outcome {
        Ok(value) => Line::Done(value),
        Err(error) => Line::Failed(Failure { kind: error.kind(), text: error.to_string() }),
    };
    // A `Value` and two texts can always be written.
    serde_json::to_string(&line).unwrap_or_default()
}

/// # Errors
/// `Internal` where `text` is no answer.
pub fn read(text: &str) -> Result<Answered> {
    match serde_json::from_str(text) {
        Ok(Line::Done(value)) => Ok(Answered::Done(value)),
        Ok(Line::Failed(Failure { kind, text })) => Ok(Answered::Failed(Error::new(kind, text))),
        Err(error) => Err(Error::internal(format!("the helper's answer is odd: {error}"))),
    }
}
