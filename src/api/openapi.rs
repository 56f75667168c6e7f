//! The table of calls as an OpenAPI 3.1 document, so that it cannot disagree with it. Made anew for each asker
//! (a few milliseconds) rather than kept: it is a few hundred kB, and asked for once in a while.

use serde_json::{Map, Value, json};

use super::calls::{Access, Answer, Call, Kind, Param, Run};
use super::docs;
use super::params::SESSION;
use super::table::groups;
use crate::base::Result;
use crate::system::VERSION;

const INTRODUCTION: &str = "\
Calls are made with GET or POST, and are found in any case. With POST, parameters may also come as a form. \
A call that fails answers 200 with `bStatus` false and the reason in `strCode`; without a session that is \
alive it answers 401. What comes under a name that starts with `_` is ignored.";

const TOKEN: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$";
/// Also a source of a site at a central.
const SOURCE: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,128}$";
/// Also all sources of a site.
const SOURCES: &str = "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,128}(-\\*)?$";

/// `openapi.json`
pub async fn answer() -> Result<Answer> {
    Ok(Answer::Json(document()))
}

/// The whole document.
fn document() -> Value {
    let mut paths = Map::new();
    let mut tags = Vec::new();
    for (tag, calls) in groups() {
        tags.push(json!({ "name": tag }));
        for call in calls {
            paths.insert(format!("/api/v1/{}", call.name), path(call, tag));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "h5edge",
            "version": VERSION,
            "description": INTRODUCTION,
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                SESSION: {
                    "type": "apiKey",
                    "in": "query",
                    "name": SESSION,
                    "description": "`strSession` of Login; in a form as well.",
                },
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "`strSession` of Login; `Authorization: token ...` is the same.",
                },
            },
            "schemas": {
                "Answer": {
                    "type": "object",
                    "properties": {
                        "bStatus": { "type": "boolean", "description": "Whether it was done; lists may lack it." },
                        "strCode": { "type": "string", "description": "What was wrong, in English." },
                    },
                },
            },
            "responses": {
                "Answer": { "description": "Done, or `bStatus` false.", "content": json_answer() },
                "NoSession": { "description": "There is no session, or none any more.", "content": json_answer() },
                "Socket": { "description": "A WebSocket is open." },
            },
        },
    })
}

fn path(call: &Call, tag: &str) -> Value {
    match call.run {
        Run::Post(_) => json!({ "post": operation(call, tag, Carrier::Form) }),
        Run::Upload(_) => json!({ "post": operation(call, tag, Carrier::Body) }),
        Run::Socket(_) => json!({ "get": operation(call, tag, Carrier::Query) }),
        Run::Read(_) | Run::File(..) | Run::Change(_) => json!({
            "get": operation(call, tag, Carrier::Query),
            "post": operation(call, tag, Carrier::Form),
        }),
    }
}

/// What carries the parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Query,
    Form,
    /// The query; the body is something else.
    Body,
}

fn operation(call: &Call, tag: &str, carrier: Carrier) -> Value {
    let name: String = call.name.chars().filter(char::is_ascii_alphanumeric).collect();
    let id = if carrier == Carrier::Query { name } else { format!("{name}ByPost") };
    let mut operation = json!({
        "operationId": id,
        "summary": call.name,
        "description": format!("{}\n\nRole: {}. From: {}.", call.doc, docs::role(call.access), call.origin),
        "tags": [tag],
        "security": security(call.access),
        "responses": responses(call),
    });
    match carrier {
        Carrier::Form if call.params.is_empty() => {}
        Carrier::Form => operation["requestBody"] = form(call.params),
        Carrier::Query | Carrier::Body => {
            operation["parameters"] = call.params.iter().map(parameter).collect();
        }
    }
    if carrier == Carrier::Body {
        let content = json!({ "application/octet-stream": {} });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

fn parameter(param: &Param) -> Value {
    let mut parameter = json!({
        "name": param.name,
        "in": "query",
        "required": param.required,
        "description": param.doc,
        "schema": schema(param.kind),
    });
    if matches!(param.kind, Kind::Ignored) {
        parameter["deprecated"] = true.into();
    }
    parameter
}

fn form(params: &[Param]) -> Value {
    let mut properties = Map::new();
    for param in params {
        let mut property = schema(param.kind);
        property["description"] = param.doc.into();
        properties.insert(param.name.to_owned(), property);
    }
    let required: Vec<_> = params.iter().filter(|param| param.required).map(|param| param.name).collect();
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    json!({
        "required": !required.is_empty(),
        "content": { "application/x-www-form-urlencoded": { "schema": schema } },
    })
}

/// Lengths are bytes in the table and characters in a schema, where they are the looser bound.
fn schema(kind: Kind) -> Value {
    match kind {
        Kind::Text(max) => json!({ "type": "string", "maxLength": max }),
        Kind::Secret(max) => json!({ "type": "string", "format": "password", "maxLength": max }),
        Kind::Token | Kind::Site => json!({ "type": "string", "pattern": TOKEN }),
        Kind::Source => json!({ "type": "string", "pattern": SOURCE }),
        Kind::Sources => json!({ "type": "string", "pattern": SOURCES }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::OneOf(words) => json!({ "type": "string", "enum": words }),
        Kind::Ignored => json!({ "type": "string" }),
    }
}

/// Any one of these suffices; `{}` is no session.
fn security(access: Access) -> Value {
    let (query, header) = (json!({ SESSION: [] }), json!({ "bearer": [] }));
    match access {
        Access::Open => json!([]),
        Access::View => json!([query, header, {}]),
        Access::Role(_) | Access::Own => json!([query, header]),
    }
}

fn responses(call: &Call) -> Value {
    let refer = |name: &str| json!({ "$ref": format!("#/components/responses/{name}") });
    let mut responses = match call.run {
        Run::Socket(_) => json!({ "101": refer("Socket"), "200": refer("Answer") }),
        Run::File(content_type, _) => {
            let mut content = json_answer();
            content[content_type] = json!({});
            json!({ "200": { "description": "The file, or why there is none.", "content": content } })
        }
        _ => json!({ "200": refer("Answer") }),
    };
    if call.access != Access::Open {
        responses["401"] = refer("NoSession");
    }
    responses
}

fn json_answer() -> Value {
    json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Answer" } } })
}
