//! The C library's allocator, set up for a process that runs for months in little memory.

#[cfg(target_env = "gnu")]
use nix::libc;

#[cfg(target_env = "gnu")]
const OPTIONS: [(libc::c_int, libc::c_int); 3] = [
    // Blocks from this size on are mapped, and go back to the system as soon as they are freed. Most
    // frames are smaller and do without the system calls.
    (libc::M_MMAP_THRESHOLD, 256 << 10),
    // What may lie free at the end of a pool. At the 128 KiB that go with a fixed limit above, pools
    // shrink and grow with every frame, which took a fifth more CPU with ten cameras.
    (libc::M_TRIM_THRESHOLD, 4 << 20),
    // Pools that threads allocate from: glibc has up to eight per core, and what was freed in one is
    // not used in another. Cameras have several threads each.
    (libc::M_ARENA_MAX, 2),
];

/// To be called first thing in `main`.
///
/// Without it glibc raises its own limit with the first large block that is freed, the 19 MB of a
/// password check, and keeps everything smaller from then on: after the first log-in an idle daemon
/// had 39 MB instead of 20.
pub fn set_up() {
    #[cfg(target_env = "gnu")]
    for (option, value) in OPTIONS {
        // SAFETY: mallopt stores a number, and no other thread runs yet. It refuses what it does not
        // know, and then the daemon only takes more memory.
        unsafe { libc::mallopt(option, value) };
    }
}
