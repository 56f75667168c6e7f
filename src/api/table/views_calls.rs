//! Calls: the views of the user who asks.

use super::*;
use crate::api::views;

const NAME: Param = must("name", Kind::Text(MAX_NAME), "Its name, one of the user's own.");

pub static CALLS: &[Call] = &[
    Call {
        name: "GetViewList",
        origin: "h5edge",
        access: VIEWER,
        params: &[],
        doc: "The views that the user has kept, by name: `view[]` with `strName` and `layout`.",
        run: Run::Read(|ask| Box::pin(views::list(ask))),
    },
    Call {
        name: "SetView",
        origin: "h5edge",
        access: VIEWER,
        params: &[
            NAME,
            must(
                "layout",
                Kind::Text(views::MAX_LAYOUT),
                "A JSON object. What it means is the page's business.",
            ),
        ],
        doc: "Keeps a view of the user who asks, in place of the one of that name; 64 at most. By POST, where \
              the layout is long.",
        run: Run::Change(|ask| Box::pin(views::set(ask))),
    },
    Call {
        name: "DelView",
        origin: "h5edge",
        access: VIEWER,
        params: &[NAME],
        doc: "Deletes a view of the user who asks.",
        run: Run::Change(|ask| Box::pin(views::delete(ask))),
    },
];
