//! What is known of a camera from one call to the next, and how a request goes out.

use std::sync::{Arc, OnceLock};

use super::clock::Ahead;
use super::login::{Denied, Login, authorization};
use super::reply::{Reply, Said};
use super::services::Services;
use super::target::Target;
use super::{Address, Question};
use crate::base::spec::OnvifSpec;
use crate::onvif::digest::Challenge;
use crate::onvif::http::{Http, Post, place};
use crate::onvif::{Failure, Service, Why};

/// Where device services are found that are not where they were said to be.
const USUAL_PATHS: [&str; 3] = ["/onvif/device_service", "/onvif/device", "/onvif/service"];

#[derive(Debug)]
pub struct Session {
    http: Http,
    /// Where the device service answered; `None` before it did.
    device: Option<Target>,
    pub(super) ahead: Ahead,
    pub(super) login: Login,
    /// Whether the camera ever took our password.
    pub(super) proven: bool,
    pub(super) denied: Option<Denied>,
    pub(super) services: Option<Services>,
    /// Whether the older answer about services is in them, too.
    pub(super) capable: bool,
}

impl Session {
    pub fn new(at: &OnvifSpec, pin: Arc<OnceLock<String>>) -> Self {
        Self {
            http: Http::new(at, pin),
            device: None,
            ahead: Ahead::default(),
            login: Login::Unasked,
            proven: false,
            denied: None,
            services: None,
            capable: false,
        }
    }

    /// Makes acquaintance, once: finds the device service and measures its clock, by a question that
    /// needs no login. A camera that wants one even so has at least sent a date.
    pub async fn greet(&mut self, address: &Address) -> Result<Target, Failure> {
        if let Some(device) = &self.device {
            return Ok(device.clone());
        }
        let told = Target::new(&address.at, &address.at.path);
        let mut reply = self.ask_time(&told).await?;
        let mut device = told.clone();
        for path in USUAL_PATHS {
            if !reply.is_absent() {
                break;
            }
            device = Target { port: told.port, path: path.into() };
            if device != told {
                reply = self.ask_time(&device).await?;
            }
        }
        if let Said::Nothing(what) = &reply.said
            && !reply.is_about_login()
        {
            let place = place(&address.at.host, told.port);
            let text = format!("{place}{} is no ONVIF device service: it gives {what}", told.path);
            return Err(Failure::new(Why::NotOnvif, text));
        }
        self.ahead = ahead(&reply).unwrap_or_default();
        self.device = Some(device.clone());
        Ok(device)
    }

    /// Measures the camera's clock again; `None` where it does not tell.
    pub(super) async fn time(&mut self, address: &Address) -> Result<Option<Ahead>, Failure> {
        let device = self.greet(address).await?;
        let reply = self.ask_time(&device).await?;
        Ok(ahead(&reply))
    }

    async fn ask_time(&mut self, device: &Target) -> Result<Reply, Failure> {
        let question = Question::new(Service::Device, "GetSystemDateAndTime", "");
        self.send(device, &question, "", None).await
    }

    /// One request and its answer. Credentials go into `security` or are given for a Digest.
    pub(super) async fn send(
        &mut self,
        to: &Target,
        question: &Question<'_>,
        security: &str,
        digest: Option<(&Address, &Challenge)>,
    ) -> Result<Reply, Failure> {
        let body = question.envelope(security);
        let authorization =
            digest.map(|(address, challenge)| authorization(address, challenge, &to.path, body.as_bytes()));
        let post = Post {
            port: to.port,
            path: &to.path,
            content_type: &question.content_type(),
            authorization: authorization.as_deref(),
            body: body.into(),
        };
        Ok(Reply::read(self.http.post(&post).await?))
    }
}

fn ahead(reply: &Reply) -> Option<Ahead> {
    let answer = match &reply.said {
        Said::Done(answer) => Some(answer),
        Said::Refused(_) | Said::Nothing(_) => None,
    };
    Ahead::of(answer, &reply.headers)
}
