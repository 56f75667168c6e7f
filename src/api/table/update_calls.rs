//! Calls: the appliance's updates and maintenance.

use super::*;
use crate::api::{health, maintenance, update};
use crate::system::maintenance::MAX_LINES;

pub static CALLS: &[Call] = &[
    Call {
        name: "GetUpdate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "What system runs and what the other slot holds; how far an update is: `strState` (`idle`, \
              `receiving`, `checking`, `installing`, `done`, `failed`) with `nPercent` and `strText`. \
              `strReady` is the version of an uploaded bundle that can be installed; with `bRebootNeeded`, \
              `strNext` is started next.",
        run: Run::Read(|ask| Box::pin(update::get_update(ask))),
    },
    Call {
        name: "UploadUpdate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "`POST` with a signed bundle as the body, at most 512 MiB; parameters stand in the address. Answers \
              `strVersion` and `strCompatible` when it was checked, or why it is refused.",
        run: Run::Upload(|ask, body| Box::pin(update::upload(ask, body))),
    },
    Call {
        name: "InstallUpdate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[may(
            "url",
            Kind::Text(MAX_URL),
            "`http://` or `https://`, where the bundle is downloaded from.",
        )],
        doc: "Begins to install the bundle that was uploaded, or downloads one first; `GetUpdate` tells how it \
              goes. The other slot is written, and started with the next restart.",
        run: Run::Change(|ask| Box::pin(update::install(ask))),
    },
    Call {
        name: "RollBack",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The slot that would not be started next is: the system before the update, or, while an update \
              waits for its restart, the running one. `strNext` is its name.",
        run: Run::Change(|ask| Box::pin(update::roll_back(ask))),
    },
    Call {
        name: "Reboot",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "Restarts the box; recordings are closed first.",
        run: Run::Change(|ask| Box::pin(maintenance::reboot(ask))),
    },
    Call {
        name: "PowerOff",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "Switches the box off; recordings are closed first.",
        run: Run::Change(|ask| Box::pin(maintenance::power_off(ask))),
    },
    Call {
        name: "FactoryReset",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[must("password", PASSWORD, "The caller's own password, or its MD5 in hex.")],
        doc: "Restarts the box and erases everything that it was told and that it recorded; the device id stays.",
        run: Run::Change(|ask| Box::pin(maintenance::factory_reset(ask))),
    },
    Call {
        name: "GetLog",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[may("lines", Kind::Whole(1, MAX_LINES), "How many of the newest lines; default 5000.")],
        doc: "The box's journal as a text file, at most 16 MiB.",
        run: Run::File("text/plain", |ask| Box::pin(maintenance::log(ask))),
    },
    Call {
        name: "GetStorageHealth",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The disks with what was written to them since the start, and how much of its life an eMMC has used \
              (`nLifeUsedPercent`, null where it does not say; `strPreEol`: `normal`, `warning`, `urgent`); and \
              the file system of the data.",
        run: Run::Read(|ask| Box::pin(maintenance::storage_health(ask))),
    },
    Call {
        name: "GetHealth",
        origin: "h5edge",
        access: Access::Open,
        params: &[],
        doc: "From the box itself only: whether the database is whole, a test pipeline gives a picture and the \
              data folder can be written; `bStatus` is true when all are.",
        run: Run::Read(|ask| Box::pin(health::health(ask))),
    },
];
