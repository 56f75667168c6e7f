//! A GStreamer plugin that acts as hardware: `fakehwh264dec` and `fakehwjpegenc` are software inside and
//! say `Hardware` outside. They misbehave on request, as drivers do.
//!
//! The environment variable `GST_FAKEHW` names a folder. Its files `decoder` and `encoder` hold one word,
//! read at each picture: `ok` (also without a file), `hang`, `crash`, `error`, or `wrongsize`. Each
//! picture that comes in adds a line to its file `log`: the element and the word.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gstreamer as gst;

/// What one element is made of.
struct Plan {
    name: &'static str,
    /// File with the word.
    file: &'static str,
    class: &'static str,
    takes: &'static str,
    gives: &'static str,
    inside: &'static [&'static str],
}

const DECODER: Plan = Plan {
    name: "fakehwh264dec",
    file: "decoder",
    class: "Codec/Decoder/Video/Hardware",
    // As most hardware: with start codes only.
    takes: "video/x-h264,stream-format=byte-stream,alignment=au",
    gives: "video/x-raw,format=I420",
    inside: &["avdec_h264", "videoscale", "capsfilter"],
};

const ENCODER: Plan = Plan {
    name: "fakehwjpegenc",
    file: "encoder",
    class: "Codec/Encoder/Image/Hardware",
    takes: "video/x-raw,format=NV12",
    gives: "image/jpeg",
    inside: &["jpegenc"],
};

impl Plan {
    fn folder() -> Option<PathBuf> {
        std::env::var_os("GST_FAKEHW").map(PathBuf::from)
    }

    fn word(&self) -> String {
        let file = Self::folder().map(|folder| folder.join(self.file));
        let word = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        match word.trim() {
            "" => "ok".into(),
            word => word.to_owned(),
        }
    }

    fn log(&self, word: &str) {
        let file = Self::folder().map(|folder| folder.join("log"));
        let open = file.and_then(|file| OpenOptions::new().create(true).append(true).open(file).ok());
        if let Some(mut log) = open {
            let _ = log.write_all(format!("{} {word}\n", self.name).as_bytes());
        }
    }

    fn templates(&self) -> Vec<gst::PadTemplate> {
        let template = |name: &str, direction, caps: &str| {
            let caps: gst::Caps = caps.parse().expect("caps");
            gst::PadTemplate::new(name, direction, gst::PadPresence::Always, &caps).expect("a template")
        };
        vec![
            template("sink", gst::PadDirection::Sink, self.takes),
            template("src", gst::PadDirection::Src, self.gives),
        ]
    }

    fn metadata(&self) -> gst::subclass::ElementMetadata {
        gst::subclass::ElementMetadata::new(self.name, self.class, "Pretends to be hardware", "h5edge")
    }

    fn build(&'static self, bin: &gst::Bin) {
        let make = |name: &&str| gst::ElementFactory::make(name).build().expect("an element");
        let elements: Vec<gst::Element> = self.inside.iter().map(make).collect();
        bin.add_many(&elements).expect("a bin");
        gst::Element::link_many(&elements).expect("a chain");
        if let Some(filter) = elements.iter().find(|element| element.has_property("caps")) {
            let caps = gst::Caps::builder("video/x-raw").field("format", "I420");
            let caps = if self.word() == "wrongsize" { caps.field("width", 128) } else { caps };
            filter.set_property("caps", caps.build());
        }
        let ends = [("sink", elements.first()), ("src", elements.last())];
        for (name, element) in ends {
            let target = element.and_then(|element| element.static_pad(name)).expect("a pad");
            let template = bin.pad_template(name).expect("a template");
            let pad = gst::GhostPad::from_template_with_target(&template, &target).expect("a ghost pad");
            if name == "sink" {
                pad.add_probe(gst::PadProbeType::BUFFER, |pad, _| self.act(pad.upcast_ref()));
            }
            bin.add_pad(&pad).expect("a pad");
        }
    }

    fn act(&self, pad: &gst::Pad) -> gst::PadProbeReturn {
        let word = self.word();
        self.log(&word);
        match word.as_str() {
            "hang" => loop {
                std::thread::sleep(Duration::from_secs(3600));
            },
            "crash" => std::process::abort(),
            "error" => {
                if let Some(element) = pad.parent_element() {
                    gst::element_error!(element, gst::StreamError::Decode, ["VIDIOC_DQBUF: device is gone"]);
                }
                gst::PadProbeReturn::Drop
            }
            _ => gst::PadProbeReturn::Ok,
        }
    }
}

macro_rules! element {
    ($module:ident, $type:literal, $plan:expr) => {
        mod $module {
            use super::*;

            #[derive(Default)]
            pub struct Imp;

            #[glib::object_subclass]
            impl ObjectSubclass for Imp {
                const NAME: &'static str = $type;
                type Type = Fake;
                type ParentType = gst::Bin;
            }

            impl ObjectImpl for Imp {
                fn constructed(&self) {
                    self.parent_constructed();
                    $plan.build(self.obj().upcast_ref());
                }
            }

            impl GstObjectImpl for Imp {}

            impl ElementImpl for Imp {
                fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
                    static METADATA: std::sync::LazyLock<gst::subclass::ElementMetadata> =
                        std::sync::LazyLock::new(|| $plan.metadata());
                    Some(&METADATA)
                }

                fn pad_templates() -> &'static [gst::PadTemplate] {
                    static TEMPLATES: std::sync::LazyLock<Vec<gst::PadTemplate>> =
                        std::sync::LazyLock::new(|| $plan.templates());
                    &TEMPLATES
                }
            }

            impl BinImpl for Imp {}

            glib::wrapper! {
                pub struct Fake(ObjectSubclass<Imp>) @extends gst::Bin, gst::Element, gst::Object;
            }
        }
    };
}

element!(decoder, "FakeHwH264Dec", DECODER);
element!(encoder, "FakeHwJpegEnc", ENCODER);

fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let rank = gst::Rank::PRIMARY + 1;
    gst::Element::register(Some(plugin), DECODER.name, rank, decoder::Fake::static_type())?;
    gst::Element::register(Some(plugin), ENCODER.name, rank, encoder::Fake::static_type())
}

gst::plugin_define!(
    fakehw,
    "Pretends to be hardware",
    register,
    env!("CARGO_PKG_VERSION"),
    "MIT/X11",
    "h5edge",
    "h5edge",
    "https://example.org",
    "2026-01-01"
);
