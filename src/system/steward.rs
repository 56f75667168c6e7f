//! The sub-commands of a box: `boot`, `helper`, `health`. Wiring: which part carries out which order.

use std::path::Path;
use std::process::ExitCode;

use super::administration::Administration;
use super::health::{self, Verdict};
use super::helper::{self, Reply};
use super::maintenance::Maintenance;
use super::order::Order;
use super::root::Root;
use crate::base::config::Log;
use crate::base::time::Clock;
use crate::base::{Error, Result, log};

/// Exit code of `h5edge health` (`rootfs-overlay/usr/libexec/h5edge/health-failed`).
const JUDGED_ILL: u8 = 10;

/// `h5edge boot`: who this box is, and its settings rendered into `/run`. All files are below `root`.
///
/// # Errors
/// Where there can be no log; all else is told there.
pub fn boot(root: &Path) -> Result<()> {
    let _log = log::init(&Log::default())?;
    super::boot::boot(&Root::new(root));
    Ok(())
}

/// `h5edge helper`: serves the socket that systemd handed over, for `user` only. All that it changes is
/// below `root`.
///
/// # Errors
/// `Refused` without such a socket, `NotFound` without such a user.
pub fn run_helper(user: &str, root: &Path) -> Result<()> {
    let _log = log::init(&Log::default())?;
    let listener = helper::inherited_socket()?;
    let account = nix::unistd::User::from_name(user).map_err(std::io::Error::from)?;
    let account = account.ok_or_else(|| Error::not_found(format!("there is no user {user}")))?;
    let administration = Administration::new(Root::new(root), Clock::real());
    let mut steward = Steward { administration, maintenance: Maintenance::new(Root::new(root))? };
    helper::serve(&listener, account.uid.as_raw(), &mut steward)
}

/// `h5edge health`: marks the slot good when the daemon is well. Ends with [`JUDGED_ILL`] where it found
/// the system ill and did what there is to do, and with 1 where it could not judge, so that its unit can
/// restart the box instead.
pub fn health(root: &Path) -> ExitCode {
    match health::run(&Root::new(root)) {
        Ok(Verdict::Well(slot)) => {
            println!("all is well: slot {slot} is good");
            ExitCode::SUCCESS
        }
        Ok(Verdict::Ill(why)) => {
            eprintln!("h5edge: not well: {why}");
            ExitCode::from(JUDGED_ILL)
        }
        Err(error) => {
            eprintln!("h5edge: no verdict: {error}");
            ExitCode::FAILURE
        }
    }
}

/// All that the helper has.
struct Steward {
    administration: Administration,
    maintenance: Maintenance,
}

impl helper::Steward for Steward {
    fn carry_out(&mut self, order: Order) -> Result<Reply> {
        if matches!(order, Order::MarkGood) {
            self.administration.started();
        }
        match order {
            Order::Network
            | Order::SetNetwork { .. }
            | Order::ConfirmNetwork
            | Order::RevertNetwork
            | Order::ScanWifi { .. }
            | Order::Time
            | Order::SetTime { .. }
            | Order::Name
            | Order::SetName { .. }
            | Order::Ssh
            | Order::SetSsh { .. } => self.administration.carry_out(order),
            Order::Update
            | Order::CheckBundle
            | Order::InstallBundle
            | Order::RollBack
            | Order::MarkGood
            | Order::Reboot
            | Order::PowerOff
            | Order::FactoryReset
            | Order::Journal { .. } => self.maintenance.carry_out(order),
        }
    }

    fn busy(&self) -> bool {
        self.administration.busy() || self.maintenance.busy()
    }

    fn tick(&mut self) {
        self.administration.tick();
        self.maintenance.tick();
    }
}
