//! The OpenAPI document holds to the rules of OpenAPI 3.1 that a reader of it relies on, and has every call.

mod support;

use std::collections::BTreeSet;

use h5edge::api::calls::{Access, Call, Kind, Run};
use h5edge::api::table::calls;
use serde_json::{Map, Value};
use support::{http, scene};

const METHODS: [&str; 2] = ["get", "post"];

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value}"))
}

/// A text that says something.
fn says(value: &Value, what: &str) -> String {
    let text = value.as_str().unwrap_or_else(|| panic!("{what} is no text: {value}"));
    assert!(!text.trim().is_empty(), "{what} is empty");
    text.to_owned()
}

/// Only these fields, and all of `needed`.
fn fields(value: &Value, what: &str, needed: &[&str], allowed: &[&str]) {
    let object = object(value);
    for name in needed {
        assert!(object.contains_key(*name), "{what} lacks {name}");
    }
    for name in object.keys() {
        assert!(needed.contains(&&**name) || allowed.contains(&&**name), "{what} has {name}");
    }
}

/// Every `$ref` leads somewhere.
fn references(document: &Value, value: &Value) {
    match value {
        Value::Object(object) => {
            if let Some(target) = object.get("$ref") {
                let pointer = says(target, "$ref").strip_prefix('#').expect("a local reference").to_owned();
                assert!(document.pointer(&pointer).is_some(), "{pointer} leads nowhere");
            }
            object.values().for_each(|value| references(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| references(document, value)),
        _ => {}
    }
}

fn schema(value: &Value, kind: Kind, what: &str) {
    let known = ["description", "maxLength", "format", "pattern", "minimum", "maximum", "enum"];
    fields(value, what, &["type"], &known);
    let (type_, format) = match kind {
        Kind::Flag => ("boolean", None),
        Kind::Whole(..) => ("integer", None),
        Kind::Secret(_) => ("string", Some("password")),
        _ => ("string", None),
    };
    assert_eq!((value["type"].as_str(), value["format"].as_str()), (Some(type_), format), "{what}");
    if let Kind::Whole(min, max) = kind {
        assert_eq!(
            (value["minimum"].as_u64(), value["maximum"].as_u64()),
            (Some(min.into()), Some(max.into()))
        );
    }
}

fn query(call: &Call, operation: &Value) {
    let given = operation["parameters"].as_array().expect("parameters");
    assert_eq!(given.len(), call.params.len(), "{}", call.name);
    for (given, param) in given.iter().zip(call.params) {
        let what = format!("{}: {}", call.name, param.name);
        fields(given, &what, &["name", "in", "required", "description", "schema"], &["deprecated"]);
        assert_eq!((given["name"].as_str(), given["in"].as_str()), (Some(param.name), Some("query")));
        assert_eq!(given["required"], param.required, "{what}");
        says(&given["description"], &what);
        schema(&given["schema"], param.kind, &what);
    }
}

fn form(call: &Call, operation: &Value) {
    if call.params.is_empty() {
        assert_eq!(operation.get("requestBody"), None, "{}", call.name);
        return;
    }
    let body = &operation["requestBody"];
    fields(body, call.name, &["required", "content"], &[]);
    let form = &body["content"]["application/x-www-form-urlencoded"]["schema"];
    fields(form, call.name, &["type", "properties", "required"], &[]);
    let required: BTreeSet<_> = call.params.iter().filter(|p| p.required).map(|p| p.name).collect();
    let said: BTreeSet<_> =
        form["required"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert_eq!(said, required, "{}", call.name);
    assert_eq!(body["required"], !required.is_empty(), "{}", call.name);
    assert_eq!(object(&form["properties"]).len(), call.params.len(), "{}", call.name);
    for param in call.params {
        let what = format!("{}: {}", call.name, param.name);
        says(&form["properties"][param.name]["description"], &what);
        schema(&form["properties"][param.name], param.kind, &what);
    }
}

fn security(call: &Call, operation: &Value, schemes: &Map<String, Value>) {
    let ways = operation["security"].as_array().expect("security");
    for way in ways {
        assert!(object(way).keys().all(|name| schemes.contains_key(name)), "{}: {way}", call.name);
    }
    let free = ways.iter().any(|way| object(way).is_empty());
    match call.access {
        Access::Open => assert!(ways.is_empty(), "{}", call.name),
        Access::View => assert!(free && ways.len() == 3, "{}", call.name),
        Access::Role(_) | Access::Own => assert!(!free && ways.len() == 2, "{}", call.name),
    }
    let responses = object(&operation["responses"]);
    assert_eq!(responses.contains_key("401"), call.access != Access::Open, "{}", call.name);
    assert!(responses.keys().all(|code| code.parse::<u16>().is_ok()) && responses.contains_key("200"));
}

#[test]
fn every_call_is_described() {
    let daemon = scene::daemon("");
    let answer = http::get(daemon.http, "/api/v1/openapi.json");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let document = answer.json();
    fields(&document, "the document", &["openapi", "info", "paths", "components", "tags"], &[]);
    assert_eq!(document["openapi"], "3.1.0");
    fields(&document["info"], "info", &["title", "version"], &["description", "license"]);
    references(&document, &document);

    let tags: Vec<_> =
        document["tags"].as_array().expect("tags").iter().map(|tag| says(&tag["name"], "tag")).collect();
    assert_eq!(tags.iter().collect::<BTreeSet<_>>().len(), tags.len(), "a tag is listed twice");
    let schemes = object(&document["components"]["securitySchemes"]);
    let paths = object(&document["paths"]);
    assert_eq!(paths.len(), calls().count());
    let mut ids = BTreeSet::new();
    for call in calls() {
        let path = paths.get(&format!("/api/v1/{}", call.name));
        let path = path.unwrap_or_else(|| panic!("{} is not described", call.name));
        fields(path, call.name, &[], &METHODS);
        let expected: &[&str] = match call.run {
            Run::Post(_) | Run::Upload(_) => &["post"],
            Run::Socket(_) => &["get"],
            _ => &METHODS,
        };
        assert_eq!(object(path).keys().map(String::as_str).collect::<Vec<_>>(), expected, "{}", call.name);
        for (method, operation) in object(path) {
            let needed = ["operationId", "summary", "description", "tags", "security", "responses"];
            fields(operation, call.name, &needed, &["parameters", "requestBody", "deprecated"]);
            let id = says(&operation["operationId"], call.name);
            assert!(
                id.chars().all(|c| c.is_ascii_alphanumeric()) && ids.insert(id.clone()),
                "{id} is used twice"
            );
            says(&operation["description"], call.name);
            assert!(tags.contains(&says(&operation["tags"][0], call.name)), "{}", call.name);
            security(call, operation, schemes);
            match call.run {
                Run::Upload(_) => query(call, operation),
                _ if method == "post" => form(call, operation),
                _ => query(call, operation),
            }
        }
        if let Run::File(content_type, _) = call.run {
            let content = object(&path["get"]["responses"]["200"]["content"]);
            assert!(content.contains_key(content_type) && content.contains_key("application/json"));
        }
    }
}

#[test]
fn secrets_are_marked_as_such() {
    let daemon = scene::daemon("");
    let document = http::get(daemon.http, "/api/v1/openapi.json").json();
    for (path, pointer) in [
        ("SetCertificate", "key"),
        ("SetNetwork", "psk"),
        ("UpdateUser", "newpassword"),
        ("AddSrcRTSP", "password"),
    ] {
        let form = "requestBody/content/application~1x-www-form-urlencoded/schema/properties";
        let found = document.pointer(&format!("/paths/~1api~1v1~1{path}/post/{form}/{pointer}/format"));
        assert_eq!(found.and_then(Value::as_str), Some("password"), "{path}: {pointer}");
    }
}
