//! Calls: users, and roles with the sources that they cover.

use super::*;
use crate::api::{audit, users};

const USER: Param = must("user", Kind::Text(64), "Name of the user.");
const NEW_PASSWORD: Param = must(
    "password",
    PASSWORD,
    "At least 8 characters, none of the first that anybody tries; or its MD5 in hex.",
);
const ROLE: Param = must("roletoken", Kind::Token, "Token of the role.");
const CAMERA: Param = must(
    "camtoken",
    Kind::Sources,
    "Token of the source; at a central also `<servertoken>-<token>`, and `<servertoken>-*` for a whole site.",
);

pub static CALLS: &[Call] = &[
    Call {
        name: "GetUserList",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[],
        doc: "All users: `strUser`, `strUserType` (what the role may do), `strRole`, `strRoleToken`.",
        run: Run::Read(|ask| Box::pin(users::list(ask))),
    },
    Call {
        name: "GetUserInfo",
        origin: "later pages",
        access: VIEWER,
        params: &[may(
            "user",
            Kind::Text(64),
            "Default: oneself. Others are for an Administrator to ask about.",
        )],
        doc: "One user, as in GetUserList, and `cam`: `strCamToken`, `strCamName` of the sources that the user may \
              see; `bAllCam` where those are all, also of later.",
        run: Run::Read(|ask| Box::pin(users::info(ask))),
    },
    Call {
        name: "CreateUser",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[
            USER,
            NEW_PASSWORD,
            must(
                "roletoken",
                Kind::Token,
                "`administrator`, `operator`, `viewer`, or the token of an own role.",
            ),
        ],
        doc: "Adds a user.",
        run: Run::Change(|ask| Box::pin(users::create(ask))),
    },
    Call {
        name: "DeleteUser",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[USER],
        doc: "Removes a user, and ends what that user has open. Not oneself, and not the last administrator.",
        run: Run::Change(|ask| Box::pin(users::delete(ask))),
    },
    Call {
        name: "SetUserRole",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[USER, ROLE],
        doc: "Gives a user another role. It holds at once, also for open sessions and what is being watched.",
        run: Run::Change(|ask| Box::pin(users::set_role(ask))),
    },
    Call {
        name: "ResetUserPassword",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[USER, NEW_PASSWORD],
        doc: "A new password for somebody who forgot the old one; ends that user's sessions.",
        run: Run::Change(|ask| Box::pin(users::reset_password(ask))),
    },
    Call {
        name: "GetRoleList",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[],
        doc: "All roles: `strRole`, `strRoleToken`, `strLevel` (`Viewer`, `Operator`, `Administrator`), `bAllCam`, \
              `nCam` of one that does not have all, `bBuiltIn` of the three that are always there.",
        run: Run::Read(|ask| Box::pin(users::roles(ask))),
    },
    Call {
        name: "GetRoleInfo",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[ROLE],
        doc: "One role, and its sources `cam`: `strCamToken`, `strCamName` (empty for one that is gone).",
        run: Run::Read(|ask| Box::pin(users::role_info(ask))),
    },
    Call {
        name: "CreateRole",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[
            must("role", Kind::Text(MAX_NAME), "Name for people."),
            must("roletoken", Kind::Token, "Token of the new role; must not be in use."),
            may(
                "level",
                Kind::OneOf(&["Viewer", "Operator", "Administrator"]),
                "What its users may do; default `Viewer`. An Administrator has all sources.",
            ),
            may(
                "allcam",
                Kind::Flag,
                "Whether it has all sources, those of tomorrow too; default false: none yet.",
            ),
        ],
        doc: "Adds a role.",
        run: Run::Change(|ask| Box::pin(users::create_role(ask))),
    },
    Call {
        name: "DeleteRole",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[ROLE],
        doc: "Removes a role that nobody has.",
        run: Run::Change(|ask| Box::pin(users::delete_role(ask))),
    },
    Call {
        name: "AddCamToRole",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[ROLE, CAMERA, may("cam", Kind::Ignored, "The source's name, which is known.")],
        doc: "Lets the users of a role see a source.",
        run: Run::Change(|ask| Box::pin(users::add_camera(ask))),
    },
    Call {
        name: "DelCamInRole",
        origin: "later pages",
        access: ADMINISTRATOR,
        params: &[ROLE, CAMERA],
        doc: "Takes a source from the users of a role, at once.",
        run: Run::Change(|ask| Box::pin(users::delete_camera(ask))),
    },
    Call {
        name: "GetAuditList",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            may("user", Kind::Text(64), "Only what this user did."),
            may("limit", Kind::Whole(1, audit::MOST), "Most entries; default 200."),
            may("next", Kind::Text(20), "`strNext` of the answer before this."),
        ],
        doc: "Who changed what, the newest first: `strTime`, `strUser`, `strAddress`, `strCall`, `strAbout` (parameters \
              without secrets), `bDone`, and `strFailure` where it was refused or failed. Every call that changes \
              something but `Ptz`, and log-ins; the newest 20 000. `bMore` and `strNext` where there are older ones.",
        run: Run::Read(|ask| Box::pin(audit::list(ask))),
    },
];
