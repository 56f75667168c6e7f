//! What a board must not use: `<folder>/<compatible>.toml` for any of the names under which the board
//! knows itself (`/proc/device-tree/compatible`, most exact first), with a table `[deny]` of elements
//! and reasons:
//!
//! ```toml
//! [deny]
//! v4l2slh265dec = "hangs in the kernel when a reference is missing"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

/// Where the kernel says what board this is.
pub(super) const COMPATIBLE: &str = "/proc/device-tree/compatible";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Board {
    deny: BTreeMap<String, String>,
}

/// Elements and reasons of all lists in `folder` that are for this board. A list that cannot be
/// understood is left out, and told in the log. Blocks.
pub(super) fn denied(folder: &Path, compatible: &Path) -> BTreeMap<String, String> {
    let names = std::fs::read_to_string(compatible).unwrap_or_default();
    let names = names.split('\0').filter(|name| !name.is_empty() && !name.contains('/'));
    let mut all = BTreeMap::new();
    for name in names {
        let file = folder.join(format!("{name}.toml"));
        let Ok(text) = std::fs::read_to_string(&file) else { continue };
        match toml::from_str::<Board>(&text) {
            Ok(board) => {
                for (element, reason) in board.deny {
                    all.entry(element).or_insert_with(|| format!("board {name}: {reason}"));
                }
            }
            Err(error) => tracing::warn!("{}: {}", file.display(), error.message()),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use std::fs::write;

    use super::*;

    #[test]
    fn lists_of_all_the_boards_names_count() {
        let dir = tempfile::tempdir().unwrap();
        let compatible = dir.path().join("compatible");
        write(&compatible, "raspberrypi,5-model-b\0brcm,bcm2712\0../x\0bad\0").unwrap();
        let list = |name: &str, text: &str| write(dir.path().join(format!("{name}.toml")), text).unwrap();
        list("raspberrypi,5-model-b", "[deny]\nv4l2slh265dec = \"hangs\"");
        list("brcm,bcm2712", "[deny]\nv4l2slh265dec = \"other\"\nv4l2jpegenc = \"slow\"");
        list("bad", "[deny]\nx = 1");
        list("other,board", "[deny]\nv4l2h264dec = \"no\"");
        let denied = denied(dir.path(), &compatible);
        let shown: Vec<_> = denied.iter().map(|(element, reason)| format!("{element}: {reason}")).collect();
        let expected =
            ["v4l2jpegenc: board brcm,bcm2712: slow", "v4l2slh265dec: board raspberrypi,5-model-b: hangs"];
        assert_eq!(shown, expected);
        assert!(super::denied(dir.path(), Path::new("/no/such")).is_empty());
    }

    #[test]
    fn the_lists_of_the_image_can_be_read() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rootfs-overlay/usr/share/h5edge/boards");
        let mut read = 0;
        for list in std::fs::read_dir(folder).unwrap() {
            let path = list.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            toml::from_str::<Board>(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            read += 1;
        }
        assert!(read >= 5, "only {read} lists");
    }
}
