//! An HTTP answer as what it means: cameras put faults under any status, and say in many ways that a
//! login failed.

use hyper::StatusCode;
use hyper::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::onvif::digest::{Challenge, best};
use crate::onvif::http::Answer;
use crate::onvif::soap::{Fault, Opened};
use crate::onvif::xml::Element;
use crate::onvif::{Failure, Why};

/// What a camera answered.
#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub said: Said,
}

#[derive(Debug)]
pub enum Said {
    /// The response element; an empty one where the body was empty.
    Done(Element),
    Refused(Fault),
    /// No SOAP; why not.
    Nothing(String),
}

impl Reply {
    pub fn read(answer: Answer) -> Self {
        let said = match Opened::read(&answer.body) {
            Ok(opened) => match opened.fault() {
                Some(fault) => Said::Refused(fault),
                None if answer.status.is_success() => Said::Done(opened.body.unwrap_or_default()),
                None => Said::Nothing(format!("HTTP status {}", answer.status)),
            },
            Err(_) if answer.body.is_empty() && answer.status.is_success() => {
                Said::Nothing("nothing at all".into())
            }
            Err(error) if answer.status.is_success() => Said::Nothing(error.to_string()),
            Err(_) => Said::Nothing(format!("HTTP status {}", answer.status)),
        };
        Self { status: answer.status, headers: answer.headers, said }
    }

    /// The Digest challenge to answer, if that is what the camera wants.
    pub fn challenge(&self) -> Option<Challenge> {
        if self.status != StatusCode::UNAUTHORIZED {
            return None;
        }
        let lines = self.headers.get_all(WWW_AUTHENTICATE).iter();
        // A realm may be in whatever code page.
        let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
        best(lines.iter().map(AsRef::as_ref))
    }

    /// Whether this is a login that failed.
    pub fn is_about_login(&self) -> bool {
        match (&self.said, self.status) {
            (Said::Done(_), _) => false,
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => true,
            (Said::Refused(fault), _) => fault.is_about_login(),
            (Said::Nothing(_), _) => false,
        }
    }

    /// Whether a login might change this answer. Some cameras send any fault, or nothing, to a stranger.
    pub fn may_want_login(&self) -> bool {
        self.is_about_login()
            || match &self.said {
                Said::Done(_) => false,
                Said::Refused(fault) => fault.subcodes.is_empty() && !fault.is_unsupported(),
                Said::Nothing(_) => !is_absent(self.status),
            }
    }

    /// Whether there is nothing at this path.
    pub fn is_absent(&self) -> bool {
        matches!(self.said, Said::Nothing(_)) && is_absent(self.status)
    }

    /// The answer, or why there is none; failed logins apart, which the caller knows more about.
    pub fn result(self, place: &str) -> Result<Element, Failure> {
        let absent = self.is_absent();
        match self.said {
            Said::Done(element) => Ok(element),
            Said::Refused(fault) => {
                let why = if fault.is_unsupported() { Why::Unsupported } else { Why::Refused };
                Err(Failure::new(why, format!("{place} refuses: {}", fault.shown())))
            }
            Said::Nothing(what) => {
                let why = if absent { Why::Unsupported } else { Why::NotOnvif };
                Err(Failure::new(why, format!("{place} gives no ONVIF answer: {what}")))
            }
        }
    }
}

fn is_absent(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 410 | 501)
}
