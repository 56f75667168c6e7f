//! What GStreamer has for making pictures: found by the child at its start ([`look`]) and told to the
//! daemon in its first answer. A device that comes or goes shows with the next child.
//!
//! Text form: the GStreamer version in the first line, then one element a line, five words with tabs
//! between: duty, name, rank, `hardware` or `software`, version of its plugin.

use gstreamer as gst;
use gstreamer::prelude::*;

use crate::media::params::VideoCodec;

/// Starts of the names of elements whose class did not yet say `Hardware` in old plugins.
const HARDWARE_NAMES: [&str; 5] = ["v4l2", "mpp", "imx", "va", "nv"];

/// What an element is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Duty {
    H264,
    H265,
    /// Encoding the picture.
    Jpeg,
}

impl Duty {
    pub const ALL: [Self; 3] = [Self::H264, Self::H265, Self::Jpeg];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::H264 => "H264",
            Self::H265 => "H265",
            Self::Jpeg => "JPEG",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|duty| duty.as_str() == name)
    }
}

impl From<VideoCodec> for Duty {
    fn from(codec: VideoCodec) -> Self {
        match codec {
            VideoCodec::H264 => Self::H264,
            VideoCodec::H265 => Self::H265,
        }
    }
}

/// One element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub duty: Duty,
    pub element: String,
    /// GStreamer's; above 0.
    pub rank: u32,
    pub hardware: bool,
    /// Of its plugin.
    pub version: String,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Inventory {
    pub gstreamer: String,
    pub found: Vec<Found>,
}

impl Inventory {
    pub fn encode(&self) -> String {
        let lines = self.found.iter().map(|found| {
            let class = if found.hardware { "hardware" } else { "software" };
            let Found { duty, element, rank, version, .. } = found;
            format!("{}\t{element}\t{rank}\t{class}\t{version}\n", duty.as_str())
        });
        std::iter::once(format!("{}\n", self.gstreamer)).chain(lines).collect()
    }

    /// Loads the software elements that are likely to be used: from a slow disk that takes longer than
    /// a picture may. Hardware is left alone, as loading it may open devices.
    pub fn load_software(&self) {
        for duty in Duty::ALL {
            let of_duty = self.found.iter().filter(|found| found.duty == duty && !found.hardware);
            let Some(best) = of_duty.max_by_key(|found| found.rank) else { continue };
            // One that does not load fails again, and with a reason, when it is asked for a picture.
            let _ = gst::ElementFactory::find(&best.element).map(|factory| factory.load());
        }
    }

    /// `None` for what [`Self::encode`] would not write.
    pub fn decode(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let gstreamer = lines.next()?.to_owned();
        Some(Self { gstreamer, found: lines.map(Found::decode).collect::<Option<_>>()? })
    }
}

impl Found {
    fn decode(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split('\t').collect();
        let [duty, element, rank, class, version] = words.as_slice() else { return None };
        Some(Self {
            duty: Duty::parse(duty)?,
            element: (*element).to_owned(),
            rank: rank.parse().ok()?,
            hardware: match *class {
                "hardware" => true,
                "software" => false,
                _ => return None,
            },
            version: (*version).to_owned(),
        })
    }
}

/// Looks through GStreamer's elements. An element of rank `NONE` is left out, so that
/// `GST_PLUGIN_FEATURE_RANK` can switch one off.
pub(super) fn look() -> Inventory {
    use gst::ElementFactoryType as Type;
    let decoders = gst::ElementFactory::factories_with_type(Type::DECODER | Type::MEDIA_VIDEO, lowest());
    let image = Type::ENCODER | Type::MEDIA_VIDEO | Type::MEDIA_IMAGE;
    let encoders = gst::ElementFactory::factories_with_type(image, lowest());
    let decoding = [(Duty::H264, "video/x-h264"), (Duty::H265, "video/x-h265")];
    let decoding = decoding.into_iter().flat_map(|(duty, name)| {
        let caps = gst::Caps::new_empty_simple(name);
        decoders.iter().filter(move |factory| factory.can_sink_any_caps(&caps)).map(move |f| (duty, f))
    });
    let jpeg = gst::Caps::new_empty_simple("image/jpeg");
    let encoding = encoders.iter().filter(|factory| factory.can_src_any_caps(&jpeg));
    let found = decoding.chain(encoding.map(|factory| (Duty::Jpeg, factory)));
    Inventory {
        gstreamer: gst::version_string().into(),
        found: found.map(|(duty, factory)| describe(duty, factory)).collect(),
    }
}

fn lowest() -> gst::Rank {
    gst::Rank::from(1)
}

fn describe(duty: Duty, factory: &gst::ElementFactory) -> Found {
    let element = factory.name().to_string();
    let class = factory.metadata("klass").unwrap_or_default();
    let hardware =
        class.contains("Hardware") || HARDWARE_NAMES.iter().any(|prefix| element.starts_with(prefix));
    let version = factory.plugin().map(|plugin| plugin.version().to_string()).unwrap_or_default();
    Found { duty, element, rank: i32::from(factory.rank()).unsigned_abs(), hardware, version }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_survives_the_way() {
        gst::init().unwrap();
        let inventory = look();
        assert_eq!(Inventory::decode(&inventory.encode()).as_ref(), Some(&inventory));
        let has = |duty, element: &str| {
            inventory.found.iter().any(|f| f.duty == duty && f.element == element && !f.hardware)
        };
        assert!(has(Duty::H264, "avdec_h264") && has(Duty::H265, "avdec_h265"), "{inventory:?}");
        assert!(has(Duty::Jpeg, "jpegenc"), "{inventory:?}");
        assert!(!has(Duty::H264, "avdec_h265") && !has(Duty::Jpeg, "openh264enc"), "{inventory:?}");
    }

    #[test]
    fn nonsense_is_not_taken() {
        for text in ["", "1.22\nH264\tx", "1.22\nVP8\tx\t1\tsoftware\t1", "1.22\nH264\tx\t1\tsoft\t1"] {
            assert_eq!(Inventory::decode(text), None, "{text:?}");
        }
    }
}
