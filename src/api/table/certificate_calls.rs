//! Calls: the HTTPS certificate, who may show the pages in a frame, and this table as OpenAPI.

use super::*;
use crate::api::{certificate, frames, openapi};

/// A certificate with a few that vouch for it, each of a few kB.
const MAX_CERT: usize = 32 * 1024;
/// RSA of 16384 bits.
const MAX_KEY: usize = 16 * 1024;

pub static CALLS: &[Call] = &[
    Call {
        name: "GetCertificate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The certificate that HTTPS connections are greeted with: `strSubject`, `strIssuer`, `strNotBefore`, \
              `strNotAfter`, `strFingerprint` (SHA-256), `bSelfSigned`, `names` that it is good for. `strTrouble` says \
              what is wrong with the files, if they cannot be used and this one was made in their place. Where \
              HTTPS is off (`http.https_port`) there is only `bHttps`, which is false.",
        run: Run::Read(|ask| Box::pin(certificate::get(ask))),
    },
    Call {
        name: "SetCertificate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[
            must(
                "cert",
                Kind::Text(MAX_CERT),
                "PEM: the certificate, then those that vouch for it, in order.",
            ),
            must("key", Kind::Secret(MAX_KEY), "PEM: its private key, without a passphrase. Never shown."),
        ],
        doc: "Another certificate, for connections that come from now on. The two must belong together, and all \
              certificates must be valid today.",
        run: Run::Post(|ask| Box::pin(certificate::set(ask))),
    },
    Call {
        name: "RenewCertificate",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "A new certificate and key, signed by itself, for the names and addresses that the device has now.",
        run: Run::Change(|ask| Box::pin(certificate::renew(ask))),
    },
    Call {
        name: "GetCertificateFile",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "The certificate as a PEM file, with those that vouch for it and without the key.",
        run: Run::File("text/plain", |ask| Box::pin(certificate::file(ask))),
    },
    Call {
        name: "GetFrames",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[],
        doc: "`origins` whose pages may show ours in a frame, beside our own.",
        run: Run::Read(|ask| Box::pin(frames::get(ask))),
    },
    Call {
        name: "SetFrames",
        origin: "h5edge",
        access: ADMINISTRATOR,
        params: &[may(
            "origins",
            Kind::Text(frames::MAX_TEXT),
            "Up to 16, with commas between: scheme, host and port, as in `https://wall.example:8443`. Empty or \
             missing: nobody.",
        )],
        doc: "Says who may show our pages in a frame (CSP `frame-ancestors`). It holds for pages that are loaded from \
              now on.",
        run: Run::Change(|ask| Box::pin(frames::set(ask))),
    },
    Call {
        name: "openapi.json",
        origin: "h5edge",
        access: Access::Open,
        params: &[],
        doc: "All calls in the form of OpenAPI 3.1.",
        run: Run::Read(|_| Box::pin(openapi::answer())),
    },
];
