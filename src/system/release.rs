//! What system this is: `/usr/lib/os-release`, written when the image is built.

use std::collections::HashMap;

/// The fields that the image's builder sets; empty where it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    pub build: String,
    pub board: String,
    pub variant: String,
}

impl Release {
    /// Blocks, for the read of one small file.
    pub fn read() -> Self {
        Self::parse(&std::fs::read_to_string("/usr/lib/os-release").unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let fields: HashMap<_, _> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.trim(), value.trim().trim_matches(['"', '\''])))
            .collect();
        let get = |name: &str| fields.get(name).copied().unwrap_or_default().to_owned();
        Self { build: get("BUILD_ID"), board: get("H5EDGE_BOARD"), variant: get("VARIANT_ID") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted_and_absent() {
        let text = "NAME=h5edge\n# x\nBUILD_ID=\"1a2b3c4\"\nVARIANT_ID=dev\n";
        let release = Release { build: "1a2b3c4".into(), variant: "dev".into(), ..Release::default() };
        assert_eq!(Release::parse(text), release);
    }
}
