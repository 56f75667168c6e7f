//! Views: arrangements of pictures, kept for the user who made them and for nobody else.

use serde_json::{Map, Value, json};

use super::calls::Answer;
use super::request::Ask;
use crate::base::{Error, Result};
use crate::store::ViewRow;

/// Longest layout, in bytes.
pub const MAX_LAYOUT: usize = 8192;
/// Most views of a user.
const MOST: usize = 64;

/// `GetViewList`
pub async fn list(ask: Ask) -> Result<Answer> {
    let user = user(&ask)?;
    let rows = ask.ctx.store.run(move |store| store.views(&user)).await?;
    let view = |ViewRow { name, layout }| {
        let layout = layout_of(&layout).unwrap_or_default();
        json!({ "strName": name, "layout": layout })
    };
    let views: Vec<Value> = rows.into_iter().map(view).collect();
    Ok(Answer::Json(json!({ "view": views })))
}

/// `SetView`: adds one, or changes the one of that name.
pub async fn set(ask: Ask) -> Result<Answer> {
    let (user, layout) = (user(&ask)?, ask.require("layout")?);
    if layout_of(layout).is_none() {
        return Err(Error::bad_input("parameter layout is not a JSON object"));
    }
    let view = ViewRow { name: ask.require("name")?.to_owned(), layout: layout.to_owned() };
    ask.ctx.store.run(move |store| store.put_view(&user, &view, MOST)).await?;
    Ok(Answer::done("Set successfully"))
}

/// `DelView`
pub async fn delete(ask: Ask) -> Result<Answer> {
    let (user, name) = (user(&ask)?, ask.require("name")?.to_owned());
    ask.ctx.store.run(move |store| store.delete_view(&user, &name)).await?;
    Ok(Answer::done("Delete successfully"))
}

/// Whose views.
fn user(ask: &Ask) -> Result<String> {
    let session = ask.session.as_ref();
    let user = session.map(|session| session.user.clone());
    user.ok_or_else(|| Error::refused("views are somebody's own: log in first"))
}

fn layout_of(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}
