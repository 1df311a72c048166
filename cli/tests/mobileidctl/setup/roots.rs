//! Whose word counts: roots as they come from anywhere, and certificates that would like to be one.

use std::{fs, path::Path, process::Command};

use super::{fingerprint, openssl};
use crate::support::{CLIENT_AUTH, Folder};

const SUBJECT: &str = "/C=CH/O=Swisscom/CN=Swisscom Root CA 4";

#[test]
fn a_root_that_nobody_vouches_for_is_refused_by_name_and_nothing_is_copied() {
    let folder = Folder::begun();
    folder.root("stranger", "/CN=Stranger");
    folder.root("false", SUBJECT);
    folder.root("loud", "/CN=\u{1b}[2Jloud");
    folder.self_signed("person", "ec", 30, CLIENT_AUTH);
    folder.write("empty", "");
    folder.write("words", "no certificate");
    folder.write("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    folder.write("large", vec![b' '; (1 << 20) + 1]);
    let both = [folder.read("stranger.crt"), folder.read("false.crt")].concat();
    folder.write("both", both);
    let fifo = Command::new("mkfifo").arg(folder.path("fifo")).status().unwrap();
    assert!(fifo.success());
    let before = folder.snapshot();
    let stranger = fingerprint(&folder.path("stranger.crt"));
    let lost = "00".repeat(32);
    for (file, named, says) in [
        ("stranger.crt", None, "CN=Stranger is none of Swisscom's published roots"),
        ("stranger.crt", Some(&lost), "CN=Stranger is none of Swisscom's published roots"),
        ("false.crt", None, "has the name of a Swisscom root, but not its fingerprint"),
        ("both", Some(&stranger), "has the name of a Swisscom root"),
        ("loud.crt", None, "loud is none of Swisscom's"),
        ("person.crt", None, "--trust"),
        ("empty", None, "--trust"),
        ("words", None, "--trust"),
        ("broken", None, "--trust"),
        ("large", None, "larger than 1 MiB"),
        ("fifo", None, "no regular file"),
        ("etc", None, "no regular file"),
        ("nowhere", None, "No such file"),
    ] {
        let (path, mut arguments) = (folder.text(file), vec!["--trust"]);
        arguments.push(&path);
        arguments.extend(named.iter().flat_map(|named| ["--trust-sha256", named.as_str()]));
        let run = folder.setup(&arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{file}: {run:?}");
        assert!(run.stderr.contains(says) && run.stderr.contains(&path), "{file}: {run:?}");
        assert!(!run.stderr.contains('\u{1b}'), "{file}: {run:?}");
        assert_eq!(folder.snapshot(), before, "{file}");
    }
    // Who means one root names one root.
    let run = folder.setup(&[
        "--trust",
        &folder.text("stranger.crt"),
        "--trust-sha256",
        &stranger,
        "--trust-sha256",
        &lost,
    ]);
    assert!(
        run.code == 2 && run.stderr.contains("no certificate of a --trust file has this fingerprint"),
        "{run:?}"
    );
    for wrong in ["", "00", &"zz".repeat(32), &"00".repeat(33)] {
        let run = folder.setup(&["--trust", &folder.text("stranger.crt"), "--trust-sha256", wrong]);
        assert!(run.code == 2 && run.stderr.contains("64 hexadecimal digits"), "{wrong}: {run:?}");
    }
    assert_eq!(folder.snapshot(), before);
}

#[test]
fn a_root_that_is_vouched_for_comes_in_by_any_form_and_once() {
    for form in ["pem", "der", "with words", "twice"] {
        let folder = Folder::begun();
        folder.root("ours", "/CN=Ours");
        let file = folder.path("ours.crt");
        let named = fingerprint(&file);
        let pem = fs::read_to_string(&file).unwrap();
        match form {
            "der" => folder.openssl(&["x509", "-in", "ours.crt", "-outform", "DER", "-out", "given"]),
            "with words" => folder.write("given", format!("Bag Attributes\n  ours\n{pem}trailing\n")),
            "twice" => folder.write("given", format!("{pem}{pem}")),
            _ => folder.write("given", &pem),
        }
        let arguments =
            ["--trust", &folder.text("given"), "--trust-sha256", &named.to_lowercase().replace(':', "")];
        let run = folder.setup(&arguments);
        // The service does not answer; everything before it is well.
        assert!(run.code == 1 && run.stdout.contains("--- heartbeat ---"), "{form}: {run:?}");
        let trusted: Vec<String> =
            folder.there().into_iter().filter(|name| name.starts_with("trust/")).collect();
        assert!(matches!(&trusted[..], [one] if one.starts_with("trust/root-")), "{form}: {trusted:?}");
        assert_eq!(fs::read_to_string(folder.etc(&trusted[0])).unwrap(), pem, "{form}");
        let before = folder.snapshot();
        let run = folder.setup(&arguments);
        assert!(
            run.code == 1 && run.stderr.contains(&format!("kept  {}", folder.etc(&trusted[0]).display())),
            "{run:?}"
        );
        assert_eq!(folder.snapshot(), before, "{form}");
    }
}

#[test]
fn a_root_that_is_there_counts_under_any_name_and_something_else_under_its_name_is_in_the_way() {
    let folder = Folder::begun();
    folder.root("ours", "/CN=Ours");
    let named = fingerprint(&folder.path("ours.crt"));
    let arguments = ["--trust", &folder.text("ours.crt"), "--trust-sha256", &named];
    fs::create_dir(folder.etc("trust")).unwrap();
    fs::copy(folder.path("ours.crt"), folder.etc("trust/whatever.CRT")).unwrap();
    let before = folder.snapshot();
    let run = folder.setup(&arguments);
    assert!(run.code == 1 && run.stderr.contains("trust/whatever.CRT"), "{run:?}");
    assert_eq!(folder.snapshot(), before);

    folder.root("other", "/CN=Other");
    let name = format!("root-{}.pem", &named.replace(':', "").to_lowercase()[..16]);
    fs::rename(folder.etc("trust/whatever.CRT"), folder.path("aside")).unwrap();
    fs::copy(folder.path("other.crt"), folder.etc("trust").join(&name)).unwrap();
    let before = folder.snapshot();
    let run = folder.setup(&arguments);
    assert!(run.code == 2 && run.stderr.contains("is there, and is not the root of that name"), "{run:?}");
    assert_eq!(folder.snapshot(), before);
    // A link to nowhere is something, too.
    fs::remove_file(folder.etc("trust").join(&name)).unwrap();
    std::os::unix::fs::symlink("/nowhere", folder.etc("trust").join(&name)).unwrap();
    let run = folder.setup(&arguments);
    assert!(run.code == 2 && run.stderr.contains(&name), "{run:?}");
}

#[test]
fn a_stranger_among_the_roots_of_swisscoms_service_is_left_to_do() {
    let folder = Folder::new();
    folder.root("stranger", "/CN=Stranger");
    // By its address, which is nobody's: the name is what counts.
    let place = ["--url", "https://127.0.0.1:1", "--server-name", "mobileid.Swisscom.COM"];
    let run = folder.setup(&[&super::CONTRACT[..], &place].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let named = fingerprint(&folder.path("stranger.crt"));
    // The same once more is the same.
    for _ in 0..2 {
        let run = folder.setup(&["--trust", &folder.text("stranger.crt"), "--trust-sha256", &named]);
        assert!(words(&run.stdout).contains("without Root CA 4 nobody can log in"), "{run:?}");
        assert!(!words(&run.stdout).contains("Take it out"), "{run:?}");
    }
    // Vouching is for one run: whoever runs setup later hears of it.
    let run = folder.setup(&[]);
    assert!(
        words(&run.stdout).contains("CN=Stranger, which is none of Swisscom's published roots"),
        "{run:?}"
    );
}

#[test]
fn roots_of_another_service_are_not_swisscoms_to_give() {
    let folder = Folder::new();
    let run = folder.setup(&[&super::CONTRACT[..], &super::NOWHERE].concat());
    assert!(run.code == 1 && !run.stdout.contains("swissdigicert"), "{run:?}");
    assert!(run.stdout.contains(" --trust ROOT.crt --trust-sha256 SHA-256\n"), "{run:?}");
}

/// A text without its line ends.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Swisscom's own certificates, where they lie beside the work tree: they are not ours to carry.
#[test]
fn swisscoms_published_roots_are_known() {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/real-signature");
    let [ca_2, ca_4] = ["2", "4"].map(|which| given.join(format!("Swisscom_Root_CA_{which}.crt")));
    if !ca_4.exists() || !ca_2.exists() {
        return;
    }
    let folder = Folder::begun();
    let [ca_2, ca_4] = [ca_2, ca_4].map(|path| path.display().to_string());
    let run = folder.setup(&["--trust", &ca_2]);
    assert!(run.code == 1 && run.stderr.contains("trust/swisscom-root-ca-2.pem"), "{run:?}");
    let run = folder.setup(&["--trust", &ca_4, "--trust", &ca_2]);
    assert!(run.code == 1 && run.stdout.contains("the published Swisscom Root CA 4"), "{run:?}");
    let file = folder.etc("trust/swisscom-root-ca-4.pem");
    assert!(
        openssl(&["x509", "-in", file.to_str().unwrap(), "-noout", "-subject"])
            .contains("Swisscom Root CA 4")
    );
}
