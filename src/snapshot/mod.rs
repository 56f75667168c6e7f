//! Pictures of key frames, made in a child process.
