//! What the probe said of each element, kept in a file so that it need not be asked again: until the
//! kernel, GStreamer or the element's plugin is another one.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::inventory::{Duty, Found};
use crate::base::Result;

/// Name of the file in the data directory.
pub(super) const FILE: &str = "codecs.json";

/// A few short lines for each element of hardware.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Verdicts(HashMap<(Duty, String), Verdict>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Verdict {
    version: String,
    /// What was wrong.
    fault: Option<String>,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Written {
    kernel: String,
    gstreamer: String,
    elements: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
struct Line {
    duty: String,
    element: String,
    version: String,
    fault: Option<String>,
}

impl Verdicts {
    /// `None` before the probe.
    pub fn of(&self, found: &Found) -> Option<std::result::Result<(), &str>> {
        let verdict = self.0.get(&(found.duty, found.element.clone()))?;
        (verdict.version == found.version).then_some(match &verdict.fault {
            None => Ok(()),
            Some(fault) => Err(fault),
        })
    }

    pub fn set(&mut self, found: &Found, verdict: std::result::Result<(), String>) {
        let verdict = Verdict { version: found.version.clone(), fault: verdict.err() };
        self.0.insert((found.duty, found.element.clone()), verdict);
    }

    /// Those of this kernel and GStreamer; none if the file is missing or damaged: probing again costs
    /// little. Blocks.
    pub fn read(path: &Path, gstreamer: &str) -> Self {
        let written = std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<Written>(&text).ok());
        let Some(written) = written.filter(|w| w.kernel == kernel() && w.gstreamer == gstreamer) else {
            return Self::default();
        };
        let known = written.elements.into_iter().filter_map(|line| {
            let verdict = Verdict { version: line.version, fault: line.fault };
            Some(((Duty::parse(&line.duty)?, line.element), verdict))
        });
        Self(known.collect())
    }

    /// Blocks.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path, gstreamer: &str) -> Result<()> {
        let mut elements: Vec<_> = self
            .0
            .iter()
            .map(|((duty, element), verdict)| Line {
                duty: duty.as_str().to_owned(),
                element: element.clone(),
                version: verdict.version.clone(),
                fault: verdict.fault.clone(),
            })
            .collect();
        elements.sort_by(|a, b| (&a.duty, &a.element).cmp(&(&b.duty, &b.element)));
        let written = Written { kernel: kernel(), gstreamer: gstreamer.to_owned(), elements };
        let mut fresh = PathBuf::from(path).into_os_string();
        fresh.push(".new");
        std::fs::write(&fresh, format!("{:#}\n", serde_json::json!(written)))?;
        Ok(std::fs::rename(&fresh, path)?)
    }
}

/// Release of the running kernel.
fn kernel() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_until_gstreamer_or_the_plugin_changes() {
        let found = |element: &str| Found {
            duty: Duty::H264,
            element: element.into(),
            rank: 257,
            hardware: true,
            version: "1.26.2".into(),
        };
        let (good, bad) = (found("v4l2slh264dec"), found("v4l2h264dec"));
        let mut verdicts = Verdicts::default();
        verdicts.set(&good, Ok(()));
        verdicts.set(&bad, Err("no picture".into()));
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(FILE);
        verdicts.write(&file, "GStreamer 1.26.2").unwrap();

        let read = Verdicts::read(&file, "GStreamer 1.26.2");
        assert_eq!(read, verdicts);
        assert_eq!((read.of(&good), read.of(&bad)), (Some(Ok(())), Some(Err("no picture"))));
        assert_eq!(read.of(&Found { version: "1.26.3".into(), ..good.clone() }), None);
        assert_eq!(read.of(&Found { duty: Duty::Jpeg, ..good }), None);
        assert_eq!(Verdicts::read(&file, "GStreamer 1.28.0"), Verdicts::default());
        std::fs::write(&file, "{").unwrap();
        assert_eq!(Verdicts::read(&file, "GStreamer 1.26.2"), Verdicts::default());
    }
}
