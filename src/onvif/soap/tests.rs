use super::*;

fn opened(text: &str) -> Opened {
    Opened::read(text.as_bytes()).unwrap()
}

#[test]
fn what_is_written_reads_back() {
    let request = request("urn:x", "Get", "<h xmlns='urn:h'/>", "<Token>a &lt; b</Token>");
    let read = opened(&request);
    assert_eq!(read.header.children[0].namespace, "urn:h");
    let body = read.body.as_ref().unwrap();
    assert_eq!((body.namespace.as_str(), body.name.as_str()), ("urn:x", "Get"));
    assert_eq!(body.text_at(&["Token"]), Some("a < b"));
    assert_eq!(read.fault(), None);
    assert_eq!(opened(&envelope("", "")).body, None);
}

#[test]
fn faults_read_back() {
    let text = fault(Blame::Sender, &["InvalidArgVal", "NoProfile"], "no <such> profile");
    let fault = opened(&envelope("", &text)).fault().unwrap();
    assert_eq!(fault.code, "Sender");
    assert_eq!(fault.subcodes, ["InvalidArgVal", "NoProfile"]);
    assert_eq!(fault.shown(), "no <such> profile (NoProfile)");
    assert!(!fault.is_about_login() && !fault.is_unsupported());
}

#[test]
fn faults_of_soap_1_1_and_without_anything_are_understood() {
    let old = "<E:Envelope xmlns:E='urn:e'><E:Body><E:Fault><faultcode>E:Client</faultcode>\
               <faultstring>Method not implemented</faultstring></E:Fault></E:Body></E:Envelope>";
    let fault = opened(old).fault().unwrap();
    assert_eq!((fault.code.as_str(), fault.is_unsupported()), ("Client", true));
    let empty = opened("<Envelope><Body><Fault/></Body></Envelope>").fault().unwrap();
    assert_eq!(empty.shown(), "a fault without a reason");
    assert!(!empty.is_about_login());
}

#[test]
fn failed_logins_have_many_names() {
    for (subcode, reason) in [
        ("ter:NotAuthorized", ""),
        ("wsse:FailedAuthentication", "x"),
        ("NotAuthorized", ""),
        ("", "Sender not Authorized"),
        ("", "Authentication failed"),
        ("", "Authority failure"),
    ] {
        let text = format!(
            "<s:Envelope><s:Body><s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>{subcode}\
             </s:Value></s:Subcode></s:Code><s:Reason><s:Text>{reason}</s:Text></s:Reason></s:Fault></s:Body>\
             </s:Envelope>"
        );
        assert!(opened(&text).fault().unwrap().is_about_login(), "{subcode} {reason}");
    }
}

#[test]
fn what_is_no_envelope_is_refused_with_a_reason() {
    let refused = |text: &str| Opened::read(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused("<html/>"), "no SOAP: the document is a <html>");
    assert_eq!(refused("<Envelope><Header/></Envelope>"), "no SOAP: the envelope has no body");
    assert!(refused("").contains("no XML"));
}

#[test]
fn a_long_reason_is_cut() {
    let text = fault(Blame::Receiver, &[], &"\u{7}é".repeat(500));
    assert_eq!(opened(&envelope("", &text)).fault().unwrap().reason, "é".repeat(MAX_REASON));
}
