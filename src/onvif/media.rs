//! What a camera shows: profiles, and where their streams and pictures are. Media2 first, as Media1
//! knows no H.265; Media1 where that is absent or broken.
//!
//! Nothing is kept here: a profile's address is asked for when it is needed, since cameras change it.

mod address;
mod choice;
mod profiles;

use std::time::{Duration, Instant};

pub use self::choice::choose;

use super::xml::{Element, escape};
use super::{Camera, Failure, Service, Why};

/// A camera that is silent for this long has gone; one that hangs up at once has stumbled over the
/// question, and may like the next one better.
const STUMBLE: Duration = Duration::from_secs(1);

/// What Media2 is asked to tell of each profile, until it answers with something: there are cameras
/// whose web service dies of `All`, and some that know no types.
const TYPES: [&str; 3] =
    ["<Type>All</Type>", "<Type>VideoEncoder</Type><Type>VideoSource</Type><Type>PTZ</Type>", ""];

/// One profile of a camera, as far as the camera tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Opaque: may hold blanks, is never trimmed or counted.
    pub token: String,
    pub name: String,
    /// `H264`, `H265`, `JPEG`, …, in upper case; empty where the camera does not say.
    pub codec: String,
    /// 0 where the camera does not say; so the next three.
    pub width: u32,
    pub height: u32,
    pub fps: u32,
    pub kbps: u32,
    /// Token of the video source; profiles of one lens share it.
    pub video_source: Option<String>,
    /// Token of the PTZ configuration.
    pub ptz: Option<String>,
}

/// Tokens of the profiles that are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub main: String,
    pub sub: Option<String>,
}

impl Camera {
    /// All profiles, in the camera's order.
    ///
    /// # Errors
    /// As [`Camera::call`].
    pub async fn profiles(&self) -> Result<Vec<Profile>, Failure> {
        let mut bare = Vec::new();
        if self.has(Service::Media2).await? {
            for types in TYPES {
                let found = self.profiles_of(Service::Media2, types).await?;
                if found.iter().any(|profile| !profile.codec.is_empty()) {
                    return Ok(found);
                }
                if bare.is_empty() {
                    bare = found;
                }
            }
        }
        // Names without what is behind them are better than nothing, and Media1 may say more.
        match self.call(Service::Media, "GetProfiles", "").await {
            Ok(answer) => {
                let found = profiles::read(&answer);
                let says_more = found.iter().any(|profile| !profile.codec.is_empty());
                Ok(if bare.is_empty() || says_more { found } else { bare })
            }
            Err(_) if !bare.is_empty() => Ok(bare),
            Err(failure) => Err(failure),
        }
    }

    /// The profiles that a service tells; none where it stumbles over the question.
    async fn profiles_of(&self, service: Service, arguments: &str) -> Result<Vec<Profile>, Failure> {
        let asked = Instant::now();
        match self.call(service, "GetProfiles", arguments).await {
            Ok(answer) => Ok(profiles::read(&answer)),
            Err(failure) if is_final(&failure, asked) => Err(failure),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// RTSP address of a profile, without credentials, its host the one that we were told.
    ///
    /// # Errors
    /// As [`Camera::call`]; `NotOnvif` where the camera gives no RTSP address.
    pub async fn stream_url(&self, profile: &str) -> Result<String, Failure> {
        let token = escape(profile);
        if self.has(Service::Media2).await? {
            let arguments = format!("<Protocol>RTSP</Protocol><ProfileToken>{token}</ProfileToken>");
            let asked = Instant::now();
            match self.call(Service::Media2, "GetStreamUri", &arguments).await.and_then(|a| self.rtsp(&a)) {
                Err(failure) if !is_final(&failure, asked) => {}
                done => return done,
            }
        }
        let arguments = format!(
            "<StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
             </tt:Transport></StreamSetup><ProfileToken>{token}</ProfileToken>"
        );
        self.call(Service::Media, "GetStreamUri", &arguments).await.and_then(|answer| self.rtsp(&answer))
    }

    /// The address in an answer to GetStreamUri: Media2 has it at the top, Media1 one level deeper.
    fn rtsp(&self, answer: &Element) -> Result<String, Failure> {
        let given = answer.find("Uri").map(|uri| uri.text.as_str()).unwrap_or_default();
        address::clean(given, &self.address.at.host)
            .ok_or_else(|| Failure::new(Why::NotOnvif, "the camera gives no RTSP address for this profile"))
    }

    /// The profiles for main and sub: those that the address names, else the largest, and the smallest
    /// of the same video source.
    ///
    /// # Errors
    /// As [`Camera::call`]; `Unsupported` where no profile carries video that can be shown.
    pub async fn choice(&self) -> Result<Choice, Failure> {
        let at = &self.address.at;
        if let (Some(main), Some(sub)) = (&at.main, &at.sub) {
            return Ok(Choice { main: main.clone(), sub: Some(sub.clone()) });
        }
        choose(&self.profiles().await?, at.main.as_deref(), at.sub.as_deref())
            .ok_or_else(|| Failure::new(Why::Unsupported, "no profile of the camera carries H.264 or H.265"))
    }
}

/// Whether asking the same in another way is of no use.
fn is_final(failure: &Failure, asked: Instant) -> bool {
    match failure.why {
        Why::Unauthorised | Why::Tls => true,
        Why::Unreachable => asked.elapsed() > STUMBLE,
        Why::NotOnvif | Why::Refused | Why::Unsupported => false,
    }
}
