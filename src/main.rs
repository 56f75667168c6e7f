use clap::{Parser, Subcommand};

#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Decodes key frames for the daemon, which starts this itself.
    #[command(hide = true)]
    SnapshotWorker,
}

fn main() {
    match Arguments::parse().command {
        Command::SnapshotWorker => h5edge::snapshot::worker_main(),
    }
}
