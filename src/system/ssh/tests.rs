use proptest::prelude::*;

use super::*;

pub const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICzIUrqVGuBDBXyu+45W1L78MDWWnXQCjBvPdsEI+RUi a comment";
const P256: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBJ5CQkU5tA6uYfQWGiieUEMxJTL0i/lb/gbp1YYqowcsjAwQuUuY6TuRtI4+qUPNB+qGNVXe7K21UFQwdO+PxMI=";
const P521: &str = "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAFqdhgwJgjbj2P4zycXleqmv8NyWhUzdIn/sXGFz0cs3p98LeGngNF6CYJyssn6xu6bWnOOpyGEZJx9X6+WQzbcyAAmjJqO0s7kql6ZIE4W2EHxh7xUP4gik06jXavE+TbvJO5wLHSCMb2BBeESSnvrLHeN9LXdmrsz23hDIlGnQm1JHA==";
const RSA2048: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC8V6wpr5iAjPQNvQ1bfcruuTVd7Hg0IWAxm/SIHAjkf2fv2g01LeJBQNhXrph1GgWCp9N9lk9yDMW7P3nT7DJAC7h9HqAwUDZhsF54aWCN9YilDdjWVv4vQEuOlSq9SN0ZlK9WDvF08qRUhXNZJcb63toaapN44KrlI9KwXmqrDsy/zLcAkkHLVVQSBig3raIrrLpf8J1nZEiXpei9vKLhqC5sZQ4V67blHrE3wjVDJRHTT3x12/8TilEBdjaVabkSbUdeZw8cL8KbH5fhBa3/uYzTFjs1RDp5HRgdN9dLDhezLWYgHf7GdtQXvKiJSadm4V/9UfbhlANsZfRAf9+h";
const RSA1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDejIfaEqAsKxPDuWmBbvQnKvw9PS9evB8Ihf5ByyfpHh0hpPuMaDrv8tgkkz5eyzh5hO3iJtSON2v8Nj/cA3jzkTV4Dnm/Y625TYrP2F/WWPWhmAxHf74UdgbxV4vbrYYbtXE1z5xS0AI/OMIJRFlesgRY4cz0cA8bN3fOJHho6w==";

#[test]
fn keys_have_the_fingerprints_that_ssh_keygen_shows() {
    for (line, fingerprint, comment) in [
        (ED25519, "SHA256:LxfXlV4aPNwUXLErewXYtUKKGGsr48nLQVip7c4GQa0", "a comment"),
        (P256, "SHA256:I5Q+QNsLCNS/y8gemwJ3I4Qk/HxlzhL8472iw1DPnlc", ""),
        (P521, "SHA256:ffyw1KOh3wdwWPgo4jesLTbomVucbnGbMHcmkJMGveA", ""),
        (RSA2048, "SHA256:qFhMVss0PytIF4TG6MJlXxMUH+ZWiejA0CumiHjdPOQ", ""),
    ] {
        let key = key(line).unwrap();
        assert_eq!((key.fingerprint.as_str(), key.comment.as_str()), (fingerprint, comment), "{line}");
    }
}

#[test]
fn the_boxs_own_key_has_the_fingerprint_that_dropbearkey_shows() {
    let file = "0000000b7373682d656432353531390000004029fcbdcf3d818adb522a21426781b88eeb1cc85a60e9413265bae167e441964a\
                a4b09be67b9f0bd8168e1034635af6f89db6d60a58f9304849960a9b229a7d1c";
    let bytes: Vec<u8> =
        (0..file.len()).step_by(2).map(|at| u8::from_str_radix(&file[at..at + 2], 16).unwrap()).collect();
    let shown = "SHA256:t+SITaFvm+dwi9urfHznlu8UZDSKYP58eTb3aIG9SBw";
    assert_eq!(host_fingerprint(&bytes).as_deref(), Some(shown));
    assert_eq!(host_fingerprint(&bytes[..60]), None);
}

#[test]
fn weak_broken_and_decorated_keys_are_refused() {
    let with = |from: &str, to: &str| ED25519.replace(from, to);
    for (line, what) in [
        (RSA1024.to_owned(), "has 1024 bits, too few: 2048 is the least"),
        (format!("command=\"reboot\" {ED25519}"), "does not start with ssh-ed25519"),
        (with("ssh-ed25519", "ssh-dss"), "does not start with ssh-ed25519"),
        (with("ssh-ed25519", "ssh-rsa"), "says one type in front and another inside"),
        (with("RUi", "R"), "is not base64"),
        (with("CzIUrqVGuBDBXyu", "CzIUrqVGuBD"), "is no sound ssh-ed25519 key"),
        (with(" a comment", "\nssh-rsa x"), "holds a control character"),
        ("ssh-ed25519".to_owned(), "says one type in front and another inside"),
        (String::new(), "does not start with ssh-ed25519"),
        (format!("{ED25519}{}", "x".repeat(MAX_LINE)), "is longer than 4096 bytes"),
    ] {
        let error = key(&line).unwrap_err();
        assert!(error.contains(what), "{line}: {error}");
    }
    assert!(check(&vec![ED25519.to_owned(); 17]).is_err());
    let error = check(&[ED25519.to_owned(), "x".to_owned()]).unwrap_err().to_string();
    assert!(error.starts_with("parameter keys, line 2: "), "{error}");
}

proptest! {
    #[test]
    fn no_line_is_too_odd(line in any::<String>(), blob in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = key(&line);
        let _ = number_bits(&blob);
        for kind in ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp384"] {
            let blob = [&(kind.len() as u32).to_be_bytes(), kind.as_bytes(), &blob].concat();
            let _ = key(&format!("{kind} {}", BASE64_STANDARD.encode(blob)));
        }
    }

    #[test]
    fn no_host_key_is_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = host_fingerprint(&bytes);
    }
}
