//! Raw SOAP at our own device: what a client would send, and also what none should.

use std::time::{SystemTime, UNIX_EPOCH};

use h5edge::base::secret::Secret;
use h5edge::base::wall::Wall;
use h5edge::onvif::digest::{self, Asked, Credentials};
use h5edge::onvif::xml::{self, Element};
use h5edge::onvif::{Service, wsse};

use crate::support::http::{self, Response};

/// How a client says who it is.
#[derive(Clone, Copy, Debug)]
pub enum Login<'a> {
    Nobody,
    /// WS-UsernameToken; its clock is so many seconds ahead.
    Token {
        user: &'a str,
        password: &'a str,
        ahead: i64,
    },
    /// HTTP Digest, with the challenge of this number.
    Digest {
        user: &'a str,
        password: &'a str,
        challenge: usize,
    },
}

impl<'a> Login<'a> {
    pub fn token(user: &'a str, password: &'a str) -> Self {
        Self::Token { user, password, ahead: 0 }
    }

    pub fn digest(user: &'a str, password: &'a str, challenge: usize) -> Self {
        Self::Digest { user, password, challenge }
    }

    /// What stands in the SOAP header.
    pub fn header(self) -> String {
        let Self::Token { user, password, ahead } = self else { return String::new() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_millis();
        let now = i64::try_from(now).expect("a clock") + ahead * 1000;
        wsse::token(user, &Secret::new(password), Wall(now))
    }
}

/// The path of a service.
pub fn path(service: Service) -> &'static str {
    h5edge::onvif::device::path(service)
}

/// An envelope, the operation in the service's namespace as default.
pub fn envelope(service: Service, operation: &str, arguments: &str, header: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Header>{header}</s:Header><s:Body>\
         <{operation} xmlns=\"{}\" xmlns:tt=\"http://www.onvif.org/ver10/schema\">{arguments}</{operation}>\
         </s:Body></s:Envelope>",
        service.namespace()
    )
}

/// A POST of any body.
pub fn post(port: u16, path: &str, body: &str, headers: &[(&str, &str)]) -> Response {
    let mut all = vec![("Content-Type", "application/soap+xml; charset=utf-8")];
    all.extend_from_slice(headers);
    http::request(port, "POST", path, &all, body.as_bytes())
}

/// Calls `operation` at `path`; without `action=`, as many clients do.
pub fn call_at(
    port: u16,
    path: &str,
    login: Login,
    service: Service,
    operation: &str,
    arguments: &str,
) -> Response {
    let body = envelope(service, operation, arguments, &login.header());
    let Login::Digest { user, password, challenge } = login else { return post(port, path, &body, &[]) };
    let asked = post(port, path, &body, &[]);
    if asked.status != 401 {
        return asked;
    }
    let answer = digest_answer(&asked, challenge, (user, password), ("POST", path));
    post(port, path, &body, &[("Authorization", &answer)])
}

/// Calls `operation` at its service's own address.
pub fn call(port: u16, login: Login, service: Service, operation: &str, arguments: &str) -> Response {
    call_at(port, path(service), login, service, operation, arguments)
}

/// The `Authorization` header that answers the challenge number `at` of a response.
pub fn digest_answer(
    response: &Response,
    at: usize,
    (user, password): (&str, &str),
    (method, uri): (&str, &str),
) -> String {
    let lines: Vec<&str> = response
        .headers
        .iter()
        .filter(|(name, _)| name == "www-authenticate")
        .map(|(_, value)| value.as_str())
        .collect();
    let challenge = digest::best([lines[at]]).expect("a challenge");
    let credentials = Credentials { user, password, cnonce: "0a4f113b", count: 1 };
    digest::answer(&challenge, &credentials, &Asked { method, uri, body: b"" })
}

/// What is in the answer's body, which has to be well-formed.
pub fn content(response: &Response) -> Element {
    let envelope = xml::parse(&response.body).unwrap_or_else(|error| panic!("{error}: {}", response.text()));
    envelope.child("Body").and_then(|body| body.children.first()).expect("something in the body").clone()
}

/// The innermost subcode of a fault; empty for no fault.
pub fn subcode(response: &Response) -> String {
    let content = content(response);
    let Some(mut code) = content.child("Code") else { return String::new() };
    while let Some(inner) = code.child("Subcode") {
        code = inner;
    }
    code.text_at(&["Value"]).unwrap_or_default().to_owned()
}
