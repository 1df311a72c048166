//! What is read from files, and under which guards.

use super::*;

#[test]
fn a_file_with_a_secret_must_be_closed_and_one_without_need_not() {
    let folder = Folder::new();
    let inline = folder.put("inline.toml", &one_client(""), 0o644);
    let shown = load(&inline).unwrap_err().to_string();
    assert!(shown.contains("it holds a shared secret, and") && shown.contains("chmod go-rwx"), "{shown}");
    let inline = folder.put("inline.toml", &one_client(""), 0o600);
    let beside = folder.put("beside.toml", sample(0), 0o644);
    for path in [inline, beside] {
        // Both get as far as the core's file, which is not there.
        let shown = load(&path).unwrap_err().to_string();
        assert!(shown.contains("mobileid.toml: cannot be read"), "{shown}");
        assert_eq!(shown.lines().count(), 1, "{shown}");
    }
    let writable = folder.put("beside.toml", sample(0), 0o666);
    assert!(load(&writable).unwrap_err().to_string().contains("may be changed by others"));
}

#[test]
fn secret_files_are_closed_and_hold_one_line() {
    let folder = Folder::new();
    for (text, mode, says) in [
        ("0123456789abcdef", 0o600, None),
        ("0123456789abcdef\n", 0o400, None),
        ("0123456789abcdef\r\n", 0o600, None),
        ("0123456789abcdef\n", 0o640, Some("may be read by others")),
        ("0123456789abcdef\n\n", 0o600, Some("must be one line")),
        ("0123456789abcdef \n", 0o600, Some("begins or ends with a blank")),
        ("", 0o600, Some("must have 8 characters at least")),
    ] {
        folder.put("vpn.secret", text, mode);
        match says {
            None => assert_eq!(folder.read(sample(0)).unwrap().warnings().len(), 1, "{text:?}"),
            Some(says) => {
                let found = folder.mistakes(sample(0));
                assert!(found.len() == 1 && found[0].contains(says), "{found:?}");
                assert!(found[0].starts_with("r.toml:4: client.secret_file: "), "{found:?}");
            }
        }
    }
}

#[test]
fn what_is_learnt_needs_its_folder_and_nothing_else_does() {
    let folder = Folder::new();
    let absent = |text: &str| format!("state_dir = \"absent\"\n{text}");
    assert!(folder.read(&absent(&one_client(""))).is_ok());
    let found = folder.mistakes(&absent(&one_client("message_authenticator = \"learn\"")));
    assert!(found.len() == 1 && found[0].starts_with("r.toml:1: state_dir: "), "{found:?}");
    assert!(found[0].contains("message_authenticator = \"learn\" needs it"), "{found:?}");
}

#[test]
fn an_audit_file_is_the_one_beside_the_configuration() {
    let folder = Folder::new();
    let s = folder.read(&format!("audit = \"audit.log\"\n{}", one_client(""))).unwrap();
    assert_eq!(s.audit, AuditTo::File(folder.0.canonicalize().unwrap().join("audit.log")));
    assert!(
        folder.mistakes(&format!("audit = \"/\"\n{}", one_client("")))[0]
            .contains("must be a file, or \"stdout\"")
    );
}

#[test]
fn settings_do_not_show_their_secrets() {
    let shown = format!("{:?}", settings(&FULL));
    for secret in ["0123456789abcdefghij", "twenty-five", "0f0f", "15, 15"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
