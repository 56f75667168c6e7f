//! The pages are embedded at compile time; without a web build there are none, and the daemon still
//! builds.

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=web/dist");
    std::fs::create_dir_all("web/dist")
}
