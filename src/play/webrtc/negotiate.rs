//! Offers and answers: one `m=video`, sendonly, in whatever codec the stream has. Runs on the
//! caller's task and touches no socket; the result is a str0m instance that is ready to connect.

use std::time::Instant;

use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::config::DtlsCert;
use str0m::error::SdpError;
use str0m::format::{Codec, CodecConfig, PayloadParams};
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig, RtcError};

use crate::base::{Error, Result};
use crate::media::params::{VideoCodec, VideoParams};

/// Constrained baseline 3.1: every browser takes it, and decodes High under it too (docs/protocol.md 2).
const SAFE_PROFILE: u32 = 0x42e01f;
/// H.264 profiles that are answered with, beside the safe one: baseline, main, high.
const PROFILES: [u32; 4] = [SAFE_PROFILE, 0x42001f, 0x4d001f, 0x64001f];
/// First payload type of ours; each codec takes two, the second for RTX.
const FIRST_PT: u8 = 96;
/// Largest SDP that is read, in bytes.
pub const MAX_SDP: usize = 64 * 1024;
/// Packets kept per viewer for resending: 1 s at 8 Mbit/s. They share their bytes with all viewers.
const RESEND_PACKETS: usize = 1000;

/// A negotiated session: what the engine needs to send video.
pub struct Negotiated {
    pub rtc: Rtc,
    pub mid: Mid,
    pub pt: Pt,
}

/// An offer of ours that waits for its answer.
pub struct Offered {
    rtc: Rtc,
    pending: SdpPendingOffer,
    mid: Mid,
    pub sdp: String,
}

/// What all sessions have in common: the certificate and the header extensions.
pub struct Negotiator {
    config: RtcConfig,
}

fn refused(error: RtcError) -> Error {
    Error::bad_input(format!("sdp: {error}"))
}

fn malformed(error: SdpError) -> Error {
    // The lines before the last say where in memory the parser stood.
    Error::bad_input(format!("sdp: {}", error.to_string().lines().last().unwrap_or_default().trim()))
}

impl Negotiator {
    /// Makes the certificate that all sessions use.
    ///
    /// # Errors
    /// `Internal` when none can be made.
    pub fn new() -> Result<Self> {
        let certificate: DtlsCert = str0m::crypto::from_feature_flags()
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| Error::internal("WebRTC: no certificate could be made"))?;
        // Without transport-wide feedback: nobody here adapts to it, and each viewer's reports would
        // have to be decrypted.
        let mut extensions = ExtensionMap::empty();
        extensions.set(4, Extension::RtpMid);
        let config = RtcConfig::new()
            .set_dtls_cert(certificate)
            .set_rtp_mode(true)
            .set_extension_map(extensions)
            .set_send_buffer_video(RESEND_PACKETS)
            .clear_codecs();
        Ok(Self { config })
    }

    fn build(&self, codecs: CodecConfig, candidates: Vec<Candidate>) -> Rtc {
        let mut config = self.config.clone();
        *config.codec_config() = codecs;
        let mut rtc = config.build(Instant::now());
        for candidate in candidates {
            rtc.add_local_candidate(candidate);
        }
        rtc
    }

    /// Our offer of `token`'s video (h5srtcapi; the client only ever answers).
    ///
    /// # Errors
    /// `Internal` if str0m cannot make one.
    pub fn offer(&self, token: &str, video: &VideoParams, candidates: Vec<Candidate>) -> Result<Offered> {
        let mut codecs = CodecConfig::empty();
        match video.codec {
            VideoCodec::H264 => {
                codecs.add_h264(FIRST_PT.into(), Some((FIRST_PT + 1).into()), true, SAFE_PROFILE);
            }
            VideoCodec::H265 => add_h265(&mut codecs, FIRST_PT, video),
        }
        let mut rtc = self.build(codecs, candidates);
        let mut changes = rtc.sdp_api();
        // Old pages show a track only if it belongs to a stream (docs/protocol.md 2).
        let stream = format!("{token}video_label");
        let label = Some("video_label".to_owned());
        let mid = changes.add_media(MediaKind::Video, Direction::SendOnly, Some(stream), label, None);
        let (offer, pending) =
            changes.apply().ok_or_else(|| Error::internal("WebRTC: the offer came out empty"))?;
        Ok(Offered { rtc, pending, mid, sdp: offer.to_sdp_string() })
    }

    /// Answers a viewer's offer (WHEP).
    ///
    /// # Errors
    /// `BadInput` for SDP that makes no sense, `Unsupported` when it does not ask for the stream's
    /// codec.
    pub fn answer(
        &self,
        offer: &str,
        video: &VideoParams,
        candidates: Vec<Candidate>,
    ) -> Result<(Negotiated, String)> {
        if offer.len() > MAX_SDP {
            return Err(Error::bad_input(format!("sdp: longer than {MAX_SDP} bytes")));
        }
        let parsed = SdpOffer::from_sdp_string(offer).map_err(malformed)?;
        let mut codecs = CodecConfig::empty();
        match video.codec {
            VideoCodec::H264 => {
                for (pt, profile) in (FIRST_PT..).step_by(2).zip(PROFILES) {
                    codecs.add_h264(pt.into(), Some((pt + 1).into()), true, profile);
                }
            }
            VideoCodec::H265 => add_h265(&mut codecs, FIRST_PT, video),
        }
        let mut rtc = self.build(codecs, candidates);
        let answer = rtc.sdp_api().accept_offer(parsed).map_err(refused)?;
        let sends = |mid: &Mid| rtc.media(*mid).is_some_and(|m| m.direction().is_sending());
        let mid = video_mids(offer).find(sends);
        let mid = mid.ok_or_else(|| Error::bad_input("sdp: no m=video that wants to receive"))?;
        let pt = payload_type(&rtc, mid, video)?;
        Ok((Negotiated { rtc, mid, pt }, answer.to_sdp_string()))
    }
}

impl Offered {
    /// Takes the viewer's answer.
    ///
    /// # Errors
    /// `BadInput` for SDP that makes no sense, `Unsupported` when the viewer turned the codec down.
    pub fn accept(mut self, answer: &str, video: &VideoParams) -> Result<Negotiated> {
        let answer = SdpAnswer::from_sdp_string(answer).map_err(malformed)?;
        self.rtc.sdp_api().accept_answer(self.pending, answer).map_err(refused)?;
        let pt = payload_type(&self.rtc, self.mid, video)?;
        Ok(Negotiated { rtc: self.rtc, mid: self.mid, pt })
    }
}

/// The names of an SDP's video lines (RFC 5888).
fn video_mids(sdp: &str) -> impl Iterator<Item = Mid> {
    let sections = sdp.split("\nm=").skip(1).filter(|section| section.starts_with("video "));
    sections.filter_map(|s| s.lines().find_map(|line| line.strip_prefix("a=mid:"))).map(|m| m.trim().into())
}

/// The payload type to send `video` as: the stream's own profile if the viewer listed it, else the
/// safe one, else any of the codec.
fn payload_type(rtc: &Rtc, mid: Mid, video: &VideoParams) -> Result<Pt> {
    let media = rtc.media(mid).filter(|m| !m.disabled() && m.direction().is_sending());
    let wanted = media.map_or(&[][..], |m| m.remote_pts());
    let codec = match video.codec {
        VideoCodec::H264 => Codec::H264,
        VideoCodec::H265 => Codec::H265,
    };
    let own = video.config.get(1).copied().unwrap_or_default();
    let rank = |p: &&PayloadParams| match p.spec().format.profile_level_id {
        Some(id) if (id >> 16) as u8 == own => 0,
        Some(SAFE_PROFILE) => 1,
        _ => 2,
    };
    let listed = rtc.codec_config().params().iter().filter(|p| wanted.contains(&p.pt()));
    let best = listed.filter(|p| p.spec().codec == codec).min_by_key(rank);
    best.map(|p| p.pt())
        .ok_or_else(|| Error::unsupported(format!("the viewer does not take {codec:?} video over WebRTC")))
}

/// Profile, tier and level as the `hvcC` box has them (ISO/IEC 14496-15 8.3.3.1.2).
fn add_h265(codecs: &mut CodecConfig, pt: u8, video: &VideoParams) {
    let byte = |n: usize| video.config.get(n).copied().unwrap_or_default();
    let (profile, tier, level) = (byte(1) & 0x1f, byte(1) >> 5 & 1, byte(12));
    codecs.add_h265(pt.into(), Some((pt + 1).into()), profile, tier, level);
}
