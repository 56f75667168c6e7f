//! Calls: what cameras report, and recordings that it starts.

use super::*;
use crate::api::{alarms, events, search};

const TIME: Kind = Kind::Text(64);

pub static CALLS: &[Call] = &[
    Call {
        name: "h5seventapi",
        origin: "later pages",
        access: VIEWER,
        params: &[],
        doc: "WebSocket: what ONVIF cameras report, as JSON texts. `H5S_EVENT_ALARM_IN` when a digital input \
              becomes active (`alarmIn.strAlarmInId`) and `H5S_EVENT_ALARM_IN_END` when it is so no more; \
              `H5S_EVENT_MOTION` and `H5S_EVENT_MOTION_END` (`motion.strMotionId`: rule or video source). Each \
              with `strDevToken`, `strUUID` and `strTime` (the device's local time). One that is too slow gets \
              `H5S_EVENT_LAGGED` with `nLost`. The page sends `{\"type\":\"keepalive\"}`; after 120 s without, \
              the socket closes.",
        run: Run::Socket(events::socket),
    },
    Call {
        name: "SearchEvents",
        origin: "h5edge",
        access: VIEWER,
        params: &[
            must("token", Kind::Source, "The source, which may be gone."),
            must("start", TIME, "ISO 8601, like `2018-03-07T120101+08`; without a zone it is the server's."),
            must("end", TIME, "The same; not before `start`."),
            may("type", Kind::OneOf(&["motion", "digital_input"]), "Only events of this type."),
            may("limit", Kind::Whole(1, search::MOST), "Most entries in the answer; default and most 5000."),
            may("next", Kind::Text(64), "`strNext` of the answer before: goes on behind it."),
        ],
        doc: "What a camera reported, by time, in `event`: `strTime` in the zone of `start`, `strType`, \
              `strItem` (which input, rule or video source) and `bActive` (it began, or ended). With `bMore`, \
              `strNext` leads to the rest. Events are kept for 30 days, the newest 100000 of all cameras.",
        run: Run::Read(|ask| Box::pin(events::search(ask))),
    },
    Call {
        name: "GetAlarmRecord",
        origin: "h5edge",
        access: VIEWER,
        params: &[TOKEN],
        doc: "Which events of a source start a recording: `bMotion`, `bInput`, and `nPostSeconds`.",
        run: Run::Read(|ask| Box::pin(alarms::get(ask))),
    },
    Call {
        name: "SetAlarmRecord",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            TOKEN,
            may("motion", Kind::Flag, "Whether motion is recorded; default false."),
            may("input", Kind::Flag, "Whether an active digital input is recorded; default false."),
            may(
                "post",
                Kind::Whole(5, 3600),
                "How long the recording goes on after the last event ended, in seconds; default 10.",
            ),
        ],
        doc: "Sets which events of an ONVIF source start a recording (`H5_REC_ALARM` in Search), which begins \
              with what was shown before the event: the source is held open for that. What is not named \
              stays as it is. An event that the camera says nothing more about for 10 min is taken for ended.",
        run: Run::Change(|ask| Box::pin(alarms::set(ask))),
    },
];
