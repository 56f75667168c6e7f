//! Calls: ONVIF cameras as sources, finding and probing them (manual 5.3.3 and 5.4).

use super::super::onvif_search;
use super::*;

pub static CALLS: &[Call] = &[
    missing("AddSrcONVIF", "manual 5.3.3", ADMINISTRATOR),
    Call {
        name: "OnvifSearch",
        origin: "manual 5.4.1",
        access: OPERATOR,
        params: &[
            may("timeout", Kind::Whole(1, 60), "How long to search, in seconds; default 10."),
            may(
                "servertoken",
                Kind::NotYet,
                "Searches at a registered server; the manual's \"next version\".",
            ),
        ],
        doc: "Looks for ONVIF devices on every network interface, by IPv4 and IPv6, and answers when the \
              time is over: `device[]` with `strIp`, `strPort`, `strOnvifAddr` and `strModel`, and beyond \
              the manual `strName`, `strEndpoint`, `bHttps` and `bAdded` (whether it is a source already). \
              Of link-local IPv6 addresses `strIp` names the interface as well: `fe80::1%eth0`.",
        run: Run::Read(|ask| Box::pin(onvif_search::search(ask))),
    },
    missing("OnvifProbe", "manual 5.4.2", OPERATOR),
];
