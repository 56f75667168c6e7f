use super::*;

const S: &str = "c1782caf-b670-42d8-ba90-2244d0b0ee83";

/// `target` gives `path` and exactly `params`.
fn check(target: &str, path: &str, params: &[(&str, &str)]) {
    let found = normalise(target).unwrap_or_else(|e| panic!("{target}: {e}"));
    assert_eq!(found.path, path, "{target}");
    assert_eq!(found.params.names().count(), params.len(), "{target}: {:?}", found.params);
    for (name, value) in params {
        let value = Some(*value).filter(|value| !value.is_empty());
        assert_eq!(found.params.get(name), value, "{target}: {name}");
    }
}

/// Every sample request of both manuals, as printed there, line breaks and blanks included.
#[test]
fn the_manuals_samples() {
    let add = [("name", "xxx"), ("token", "xxx"), ("url", "xxx"), ("session", "xxxxxxx")];
    check("/api/v1/Login?user=xxx&password=xxx", "/api/v1/Login", &[("user", "xxx"), ("password", "xxx")]);
    for name in ["Logout", "Keepalive", "GetSystemInfo", "GetRunInfo"] {
        check(
            &format!("/api/v1/{name}?session=xxxxxxxxxxxxxxxxxxxx"),
            &format!("/api/v1/{name}"),
            &[("session", "xxxxxxxxxxxxxxxxxxxx")],
        );
    }
    check(
        "/api/v1/\nUpdateUser?user=admin&oldpassword=827ccb0eea8a706c4c34a16891f84e7b&newpa\nssword=xxxxxxx&session=xxxxxxx",
        "/api/v1/UpdateUser",
        &[
            ("user", "admin"),
            ("oldpassword", "827ccb0eea8a706c4c34a16891f84e7b"),
            ("newpassword", "xxxxxxx"),
            ("session", "xxxxxxx"),
        ],
    );
    check(
        "/api/v1/GetSrc?token=xxx&session=xxxxxxx",
        "/api/v1/GetSrc",
        &[("token", "xxx"), ("session", "xxxxxxx")],
    );
    check("/api/v1/\nAddSrcFile?name=xxx&token=xxx&url=xxx&session=xxxxxxx", "/api/v1/AddSrcFile", &add);
    check("/api/v1/ AddSrcFile?name=xxx&token=xxx&url=xxx&session=xxxxxxx", "/api/v1/AddSrcFile", &add);
    check(
        "/api/v1/AddSrcRTSP?name=xxx&token=xxx\n        &user=admin&password=12345&url=rtsp://192.168.0.1/stream&session=x\nxxxxx",
        "/api/v1/AddSrcRTSP",
        &[
            ("name", "xxx"),
            ("token", "xxx"),
            ("user", "admin"),
            ("password", "12345"),
            ("url", "rtsp://192.168.0.1/stream"),
            ("session", "xxxxxx"),
        ],
    );
    check(
        "/api/v1/AddSrcONVIF?name=name1&token=token1\n&user=admin&password=12345&ip=192.168.0.1\n&port=80&onvifaddr=/onvif/device_service&main=Profile_1&sub=Profile_2&se\nssion=xxxxxx",
        "/api/v1/AddSrcONVIF",
        &[
            ("name", "name1"),
            ("token", "token1"),
            ("user", "admin"),
            ("password", "12345"),
            ("ip", "192.168.0.1"),
            ("port", "80"),
            ("onvifaddr", "/onvif/device_service"),
            ("main", "Profile_1"),
            ("sub", "Profile_2"),
            ("session", "xxxxxx"),
        ],
    );
    check(
        &format!(
            "/api/v1/AddSrcONVIF?name=name1&token=token4&user=ad\nmin&password=12345&ip=192.168.0.234&port=80&onvifaddr=/onvif/device_serv\nice&session={S}"
        ),
        "/api/v1/AddSrcONVIF",
        &[
            ("name", "name1"),
            ("token", "token4"),
            ("user", "admin"),
            ("password", "12345"),
            ("ip", "192.168.0.234"),
            ("port", "80"),
            ("onvifaddr", "/onvif/device_service"),
            ("session", S),
        ],
    );
    let token = [("token", "token1"), ("session", "xxxxxxx")];
    check("/api/v1/DelSrc?token=token1&session=xxxxxxx", "/api/v1/DelSrc", &token);
    check(
        "/api/v1/\nPtz?token=token1&action=left&speed=0.5&session=xxxxxxx",
        "/api/v1/Ptz",
        &[("token", "token1"), ("action", "left"), ("speed", "0.5"), ("session", "xxxxxxx")],
    );
    let preset = [("token", "token1"), ("presetname", "2"), ("presettoken", "2"), ("session", "xxxxxxx")];
    check(
        "/api/v1/ SetPreset?token=token1&\n&presetname=2&presettoken=2&session=xxxxxxx",
        "/api/v1/SetPreset",
        &preset,
    );
    let preset = [("token", "token1"), ("presettoken", "2"), ("session", "xxxxxxx")];
    check("/api/v1/DelPreset?token=token1&&\npresettoken=2&session=xxxxxxx", "/api/v1/DelPreset", &preset);
    check("/api/v1/ DelPreset?token=token1& &\npresettoken=2&session=xxxxxxx", "/api/v1/DelPreset", &preset);
    check(
        "/api/v1/OnvifSearch?timeout=10&session=xxxxxxx",
        "/api/v1/OnvifSearch",
        &[("timeout", "10"), ("session", "xxxxxxx")],
    );
    check(
        "/api/v1/\nOnvifProbe?ip=192.168.0.1&port=80&user=admin&password=12345&onvifaddr=/o\nnvif/device_service&session=xxxxxx",
        "/api/v1/OnvifProbe",
        &[
            ("ip", "192.168.0.1"),
            ("port", "80"),
            ("user", "admin"),
            ("password", "12345"),
            ("onvifaddr", "/onvif/device_service"),
            ("session", "xxxxxx"),
        ],
    );
}

#[test]
fn the_manuals_samples_from_recording_on() {
    let token = [("token", "token1"), ("session", "xxxxxxx")];
    let record = [("token", "token1"), ("duration", "100"), ("filename", "xxxxx"), ("session", "xxxxxxx")];
    check(
        "/api/v1/Record?token=token1&duration=100&filename=xxxxx&&session=xxxxxxx",
        "/api/v1/Record",
        &record,
    );
    check(
        "/api/v1/Record?token=token1&duration=100&filename=\nxxxxx&&session=xxxxxxx",
        "/api/v1/Record",
        &record,
    );
    check("/api/v1/ManualRecordStart?token=token1&\nsession=xxxxxxx", "/api/v1/ManualRecordStart", &token);
    check("/api/v1/ ManualRecordStop?token=token1& \nsession=xxxxxxx", "/api/v1/ManualRecordStop", &token);
    check(
        "/api/v1/PathRecord?token=token1&start1=2018-3-29&start2=3-3-5&duration=100&tz=8&filename=xxxxx& alwayscreate=true\n&session=xxxxxx",
        "/api/v1/PathRecord",
        &[
            ("token", "token1"),
            ("start1", "2018-3-29"),
            ("start2", "3-3-5"),
            ("duration", "100"),
            ("tz", "8"),
            ("filename", "xxxxx"),
            ("alwayscreate", "true"),
            ("session", "xxxxxx"),
        ],
    );
    let snapshot = [("token", "token1"), ("filename", "xxxxx"), ("session", "xxxxxx")];
    check("/api/v1/\nSnapshot?token=token1&filename=xxxxx&&session=xxxxxx", "/api/v1/Snapshot", &snapshot);
    check(
        "/api/v1/ PathSnapshot?token=token1&start1=2018-3-\n29&start2=3-3-5&tz=8&filename=xxxxx&&session=xxxxxx",
        "/api/v1/PathSnapshot",
        &[
            ("token", "token1"),
            ("start1", "2018-3-29"),
            ("start2", "3-3-5"),
            ("tz", "8"),
            ("filename", "xxxxx"),
            ("session", "xxxxxx"),
        ],
    );
    for sample in [
        "/api/v1/Search?type=xxx&start=2018-03-07T120101%2b08&end=2018-04-26T130101%2b08&token=xxx&session=xxxxxxx",
        "/api/v1/ Search?type=xxx&start=2018-03-\n07T120101%2b08&end=2018-04-26T130101%2b08&token=xxx&session=xxxxxxx",
    ] {
        check(
            sample,
            "/api/v1/Search",
            &[
                ("type", "xxx"),
                ("start", "2018-03-07T120101+08"),
                ("end", "2018-04-26T130101+08"),
                ("token", "xxx"),
                ("session", "xxxxxxx"),
            ],
        );
    }
    for (sample, path) in [
        ("/api/v1/GetCloudClientInfo&session=xxxxxx", "/api/v1/GetCloudClientInfo"),
        ("/api/v1/ GetCloudClientInfo&session=xxxxxx", "/api/v1/GetCloudClientInfo"),
        ("/api/v1/GetServerList&session=xxxxxx", "/api/v1/GetServerList"),
        ("/api/v1/h5swsapi/Status&session=xxxxxx", "/api/v1/h5swsapi/Status"),
        ("/api/v1/h5srtcapi/Status&session=xxxxxx", "/api/v1/h5srtcapi/Status"),
    ] {
        check(sample, path, &[("session", "xxxxxx")]);
    }
}

/// The variants that the field knows (docs/protocol.md 4).
#[test]
fn variants_from_the_field() {
    let session = [("session", "s1")];
    for target in [
        "//api/v1/GetSrc?session=s1",
        "/api/v1//GetSrc?session=s1",
        "/api/v1/%20GetSrc?session=s1",
        "/api/v1/GetSrc?&session=s1",
        "/api/v1/GetSrc&&session=s1",
        "/api/v1/GetSrc?session='s1'",
        "/api/v1/GetSrc?session=%22s1%22",
        "/api/v1/GetSrc?session=undefined&session=s1",
        "/api/v1/getsrc?session=s1",
        "/API/v1/GETSRC?session=s1",
        "/api/v1/GetSrc/?session=s1",
        "/index.html/api/v1/GetSrc?session=s1",
        "/index.htmlapi/v1/GetSrc?session=s1",
        "/some/root/api/v1/GetSrc?session=s1",
    ] {
        check(target, "/api/v1/GetSrc", &session);
    }
    check("/api/v1/login?user=a&password=b", "/api/v1/Login", &[("user", "a"), ("password", "b")]);
    check("/api/v1/delSrc?token=t", "/api/v1/DelSrc", &[("token", "t")]);
    check("/index.html/api/v1/Login", "/api/v1/Login", &[]);
    check("/api/v1/GetSrc?session=null", "/api/v1/GetSrc", &[]);
    check("/api/v1/NoSuch", "/api/v1/NoSuch", &[]);
    check("/api/v1/", "/api/v1", &[]);
}

#[test]
fn sockets_of_all_generations() {
    let ws = [("token", "token1")];
    for target in [
        "/api/v1/h5swsapi?token=token1&session=",
        "/api/v1/h5swsapi?token=token1&session=undefined",
        "/index.htmlapi/v1/h5swsapi?token=token1&session=null",
        "//api/v1/H5SWSAPI?token=token1",
    ] {
        check(target, "/api/v1/h5swsapi", &ws);
    }
    for target in
        ["/h5srtcapi?token=token1", "/index.htmlh5srtcapi?token=token1", "/api/v1/h5srtcapi?token=token1"]
    {
        check(target, "/api/v1/h5srtcapi", &ws);
    }
    check("/api/v1/h5srtcapi2?token=token1", "/api/v1/h5srtcapi2", &ws);
    check(
        "/api/v1/h5swsapi?token=token1&hevc=false&playback=true&profile=main&serverpb=false&begintime=2020-05-01T00%3A00%3A00%2B08%3A00&endtime=0&moveto=0&filename=fake&session=s1",
        "/api/v1/h5swsapi",
        &[
            ("token", "token1"),
            ("hevc", "false"),
            ("playback", "true"),
            ("profile", "main"),
            ("serverpb", "false"),
            ("begintime", "2020-05-01T00:00:00+08:00"),
            ("endtime", "0"),
            ("moveto", "0"),
            ("filename", "fake"),
            ("session", "s1"),
        ],
    );
}

#[test]
fn other_paths() {
    check("/", "/", &[]);
    check("//index.html?token=a", "/index.html", &[("token", "a")]);
    check("/hls/v1/token1/hls.m3u8", "/hls/v1/token1/hls.m3u8", &[]);
    check("/index.htmlhls/v2/token1/hls.m3u8?_HLS_msn=3", "/hls/v2/token1/hls.m3u8", &[("_HLS_msn", "3")]);
    check("/whep/token1", "/whep/token1", &[]);
    check("/js/a%20b.js", "/js/a b.js", &[]);
}

#[test]
fn what_is_refused() {
    for (target, text) in [
        ("/../etc/passwd", "the path holds .."),
        ("/%2e%2e/etc/passwd", "the path holds .."),
        ("/a%2fb", "the path holds an encoded slash"),
        ("/a%00b", "the path holds a control character"),
        ("/%ff", "the path is not UTF-8"),
        ("/api/v1/GetSrc?token=%c3", "parameter token is not UTF-8"),
        ("/api/v1/GetSrc?token=%7f", "parameter token holds a control character"),
    ] {
        assert_eq!(normalise(target).unwrap_err().to_string(), text, "{target}");
    }
    let long = format!("/{}", "a".repeat(MAX_TARGET));
    assert_eq!(normalise(&long).unwrap_err().to_string(), "the address is longer than 8192 bytes");
}

#[test]
fn the_authorization_header() {
    assert_eq!(header_session("token s1"), Some("s1"));
    assert_eq!(header_session("Bearer  s1 "), Some("s1"));
    assert_eq!(header_session("Basic dTpw"), None);
    assert_eq!(header_session("s1"), None);
}
