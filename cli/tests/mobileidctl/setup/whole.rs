//! The ways that an administrator goes.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Command};

use mobileid_simulator::{Options, Simulator};

use super::{CONTRACT, FILES, NOWHERE, fingerprint, openssl};
use crate::{
    pty::Watched,
    support::{Folder, Run, binary, ctl},
};

#[test]
fn flags_alone_make_all_files_and_what_is_left_is_said() {
    let folder = Folder::new();
    // Whatever the shell's umask takes away: readers of the configuration must be able to read it.
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(binary().get_program());
    shell.args(["setup", "--folder", &folder.text("etc")]).args(CONTRACT);
    let run = Run::of(shell.stdin(std::process::Stdio::null()).output().unwrap());
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(folder.there(), FILES);
    for (name, mode) in [
        ("", 0o755),
        ("client.crt", 0o644),
        ("client.key", 0o600),
        ("mobileid.toml", 0o644),
        ("users.toml", 0o600),
    ] {
        let meta = fs::metadata(folder.etc(name)).unwrap();
        assert_eq!(meta.permissions().mode() & 0o7777, mode, "{name}");
    }
    let sha256 = fingerprint(&folder.etc("client.crt")).replace(':', "").to_lowercase();
    let again = format!("mobileidctl setup --folder {} --trust Swisscom_Root_CA_4.crt", folder.text("etc"));
    for said in
        [sha256.as_str(), "mid://acme.example", "\"ACME: \"", "Send Swisscom", "www.swissdigicert.ch", &again]
    {
        assert!(run.stdout.contains(said), "{said}: {run:?}");
    }
    assert!(!run.stdout.contains("PRIVATE KEY") && !run.stderr.contains("PRIVATE KEY"));
    let text = fs::read_to_string(folder.etc("mobileid.toml")).unwrap();
    assert!(text.contains("\nap_id = \"mid://acme.example\"\ndtbd_prefix = \"ACME: \"\n"), "{text}");
}

#[test]
fn the_certificate_is_the_guides_with_the_purpose_that_its_recipe_lacks() {
    let folder = Folder::begun();
    let certificate = folder.etc("client.crt");
    let text =
        openssl(&["x509", "-in", certificate.to_str().unwrap(), "-noout", "-text", "-nameopt", "RFC2253"]);
    for part in [
        "Version: 3",
        "Signature Algorithm: sha256WithRSAEncryption",
        "Issuer: C=CH,O=ACME AG,CN=",
        "Subject: C=CH,O=ACME AG,CN=",
        "Public-Key: (2048 bit)",
        "X509v3 Key Usage: critical\n                Digital Signature\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "X509v3 Basic Constraints: critical\n                CA:FALSE\n",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let path = certificate.to_str().unwrap();
    let of_five_years = |days: u64| {
        let seconds = (days * 24 * 60 * 60).to_string();
        let check =
            Command::new("openssl").args(["x509", "-in", path, "-noout", "-checkend", &seconds]).output();
        check.unwrap().status.success()
    };
    assert!(of_five_years(1824) && !of_five_years(1826));
    assert_eq!(
        openssl(&["verify", "-purpose", "sslclient", "-CAfile", path, path]).trim(),
        format!("{path}: OK")
    );
    // No two alike, and no sign.
    let serial = |folder: &Folder| {
        openssl(&["x509", "-in", folder.etc("client.crt").to_str().unwrap(), "-noout", "-serial"])
    };
    let (one, other) = (serial(&folder), serial(&Folder::begun()));
    assert!(one != other && one.trim().len() == "serial=".len() + 32 && !one.contains('-'), "{one} {other}");
}

#[test]
fn what_is_missing_is_named_at_once_where_nobody_can_be_asked() {
    let folder = Folder::new();
    for (said, missing) in [
        (&[] as &[&str], "missing: --ap-id, --prefix, --organisation\n"),
        (&["--prefix", "A: ", "--country", "CH"], "missing: --ap-id, --organisation\n"),
    ] {
        let run = folder.setup(said);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        assert!(run.stderr.ends_with(missing), "{run:?}");
    }
    assert!(!folder.path("etc").exists());
}

#[test]
fn switzerland_is_where_nothing_else_is_said() {
    let folder = Folder::new();
    let said: Vec<_> = CONTRACT.into_iter().filter(|word| !["--country", "ch"].contains(word)).collect();
    let run = folder.setup(&[&said[..], &NOWHERE].concat());
    assert_eq!(run.code, 1, "{run:?}");
    let certificate = folder.etc("client.crt").display().to_string();
    let subject = openssl(&["x509", "-in", &certificate, "-noout", "-subject", "-nameopt", "RFC2253"]);
    assert!(subject.starts_with("subject=C=CH,O=ACME AG,CN="), "{subject}");
}

#[test]
fn an_answer_that_a_login_could_not_use_is_refused_by_its_flag() {
    let folder = Folder::new();
    for (flag, value) in [
        ("--ap-id", ""),
        ("--ap-id", "a\u{1b}[2Jb"),
        ("--prefix", " "),
        ("--prefix", "a prefix of more than fifty characters, which is too long"),
        ("--url", "http://mobileid.swisscom.com"),
        ("--server-name", "a name"),
        ("--name", ""),
        ("--organisation", "\u{9b}2J"),
        ("--country", "Switzerland"),
        ("--key", "rsa-1024"),
        ("--server-trust", "/nowhere"),
        ("--server-trust", "/dev/null"),
        ("--trust", "/nowhere"),
    ] {
        let mut arguments = CONTRACT.to_vec();
        if let Some(at) = arguments.iter().position(|word| *word == flag) {
            arguments.drain(at..at + 2);
        }
        let run = folder.setup(&[&arguments[..], &[flag, value]].concat());
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{flag} {value:?}: {run:?}");
        assert!(run.stderr.contains(flag) && !run.stderr.contains('\u{1b}'), "{flag} {value:?}: {run:?}");
    }
    assert!(!folder.path("etc").exists());
}

#[test]
fn from_the_contract_to_a_login_with_swisscoms_days_between() {
    let folder = Folder::new();
    let start = |listen: Option<&str>, certificates: Vec<Vec<u8>>| {
        let mut options = Options::new(folder.path("phone"));
        options.client_certificates = certificates;
        if let Some(listen) = listen {
            options.listen = listen.parse().unwrap();
        }
        Simulator::start(options).unwrap()
    };
    let simulator = start(None, Vec::new());
    let (url, state) = (simulator.url().to_owned(), simulator.state_dir().to_owned());
    let [roots, anchors] =
        ["server-root.pem", "signer-anchors.pem"].map(|name| state.join(name).display().to_string());
    let named = fingerprint(&state.join("signer-anchors.pem"));
    let said =
        ["--ap-id", "mid://simulator.example", "--prefix", "SIM: ", "--organisation", "X", "--country", "CH"];
    let place = ["--url", &url, "--server-trust", &roots, "--key", "rsa-2048"];
    let first = [&said[..], &place].concat();

    // The first day: nothing to believe in yet.
    let run = folder.setup(&first);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stderr.contains("wait for the roots"), "{run:?}");

    // Then the roots. The service does not know us.
    let run = folder.setup(&["--trust", &anchors, "--trust-sha256", &named]);
    assert_eq!(run.code, 1, "{run:?}");
    for said in
        ["--- check ---", "unauthorized-access (104)", "does not know the certificate yet", "Send Swisscom"]
    {
        assert!(run.stdout.contains(said), "{said}: {run:?}");
    }
    let before = folder.snapshot();

    // Then it does.
    drop(simulator);
    let certificate = folder.etc("client.crt").display().to_string();
    folder.openssl(&["x509", "-in", &certificate, "-outform", "DER", "-out", "client.der"]);
    let simulator = start(Some(url.strip_prefix("https://").unwrap()), vec![folder.read("client.der")]);
    // The same words as on the first day change nothing.
    for arguments in [&[] as &[&str], &first, &["--trust", &anchors, "--trust-sha256", &named]] {
        let run = folder.setup(arguments);
        assert_eq!(run.code, 1, "{run:?}");
        assert!(
            run.stdout.contains("healthy: the service works") && !run.stdout.contains("For Swisscom"),
            "{run:?}"
        );
        // Nobody can log in as long as nobody is entered.
        let (_, left) = run.stdout.split_once("\nLeft to do:\n").unwrap();
        let first =
            "  - Enter somebody: nobody is, and nobody can log in:\n      mobileidctl enrol alice --config ";
        assert!(left.starts_with(first) && left.lines().count() == 2, "{run:?}");
        assert!(!run.stderr.contains("made") && run.stderr.contains("is not Swisscom's: whoever"), "{run:?}");
        assert_eq!(folder.snapshot(), before);
    }

    let (config, memory) = (folder.etc("mobileid.toml").display().to_string(), folder.text("memory"));
    let person = ["alice", "--config", &config, "--state", &memory];
    let enrolled = ctl(&[&["enrol"], &person[..], &["--msisdn", "+41790000001"]].concat());
    assert_eq!(enrolled.code, 0, "{enrolled:?}");
    let run = folder.setup(&[]);
    assert!(run.code == 0 && run.stdout.contains("All is well. Next:\n"), "{run:?}");
    let login = ctl(&[&["login"], &person[..]].concat());
    assert_eq!(login.code, 0, "{login:?}");
    assert_eq!(simulator.pushes("+41790000001"), 2);
}

#[test]
fn a_person_is_asked_one_thing_a_line_and_again_where_the_answer_cannot_be() {
    let folder = Folder::new();
    let mut person = Watched::asked(&["setup", "--folder", &folder.text("etc"), "--key", "rsa-2048"]);
    person.answers("AP_ID, such as mid://acme.example: ", "");
    person.answers("must be 1 to 200 printable characters", " acme.example ");
    person.answers("AP_IDs usually begin with mid://; keep this one? [y/N]: ", "perhaps");
    person.answers("y or n", "");
    person.answers("AP_ID, such as mid://acme.example: ", " mid://acme.example ");
    person.answers("Prefix of every text on the phone, such as \"ACME: \": ", "Bank:");
    person.answers("phones will show: Bank:Log in as alice ...; keep it? [y/N]: ", "n");
    person.answers("Prefix of every text on the phone, such as \"ACME: \": ", "\"Bank: \"");
    person.wait_for("phones will show: Bank: Log in as alice");
    person.answers("Company, for the certificate, such as ACME AG: ", "Bank AG");
    person.answers("Its country, two letters [CH]: ", "Schweiz");
    person.answers("must be two letters, such as CH", "");
    person.answers("The certificate's name, such as mobileid.acme.example [", "mobileid.bank.example");
    for part in [
        "To be written, in ",
        "  AP_ID        mid://acme.example",
        "  prefix       \"Bank: \"",
        "  service      https://mobileid.swisscom.com:443",
        "  certificate  C=CH, O=Bank AG, CN=mobileid.bank.example",
    ] {
        person.wait_for(part);
    }
    person.answers("Write this? [Y/n]: ", "");
    let run = person.ended();
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("\nLeft to do:\n"), "{run:?}");
    assert_eq!(folder.there(), FILES);
    let text = fs::read_to_string(folder.etc("mobileid.toml")).unwrap();
    assert!(text.contains("ap_id = \"mid://acme.example\"\ndtbd_prefix = \"Bank: \"\n"), "{text}");
    let certificate = folder.etc("client.crt");
    let subject =
        openssl(&["x509", "-in", certificate.to_str().unwrap(), "-noout", "-subject", "-nameopt", "RFC2253"]);
    assert_eq!(subject.trim(), "subject=C=CH,O=Bank AG,CN=mobileid.bank.example");
    // Nobody is asked twice.
    let run = Watched::asked(&["setup", "--folder", &folder.text("etc")]).ended();
    assert!(run.code == 1 && !run.stderr.contains("AP_ID"), "{run:?}");
}

#[test]
fn a_flag_that_looks_like_a_slip_is_taken_with_a_word() {
    let folder = Folder::new();
    let said = ["--ap-id", "acme.example", "--prefix", "ACME:", "--organisation", "X", "--country", "CH"];
    let run = folder.setup(&[&said[..], &NOWHERE, &["--key", "rsa-2048"]].concat());
    assert_eq!(run.code, 1, "{run:?}");
    for warning in [
        "warning: --ap-id acme.example: AP_IDs usually begin with mid://\n",
        "warning: --prefix ACME:: phones will show: ACME:Log in as alice ...\n",
    ] {
        assert!(run.stderr.contains(warning), "{run:?}");
    }
    assert_eq!(folder.there(), FILES);
    assert!(!folder.setup(&[]).stderr.contains("usually begin"));
    assert!(!Folder::begun().setup(&CONTRACT).stderr.contains("usually begin"));
}

#[test]
fn who_leaves_the_questions_leaves_nothing_behind() {
    let folder = Folder::new();
    let etc = folder.text("etc");
    let asked = || Watched::asked(&["setup", "--folder", &etc, "--prefix", "ACME: "]);
    let question = "AP_ID, such as mid://acme.example: ";

    // Ctrl-C.
    let mut person = asked();
    person.wait_for(question);
    person.types("mid://acme\u{3}");
    let run = person.ended();
    assert_ne!(run.code, 0, "{run:?}");
    // Ctrl-D.
    let mut person = asked();
    person.answers(question, "mid://acme.example");
    person.wait_for("Company");
    person.types("\u{4}");
    let run = person.ended();
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stderr.contains("the input has ended; nothing was written"), "{run:?}");
    // No.
    let mut person = asked();
    person.answers(question, "acme.example");
    person.answers("keep this one? [y/N]: ", "Y");
    person.answers("Company", "ACME AG");
    person.answers("Its country", "");
    person.answers("The certificate's name", "mobileid.acme.example");
    person.answers("Write this? [Y/n]: ", "no");
    let run = person.ended();
    assert!(run.code == 2 && run.stderr.contains("mobileidctl: nothing was written"), "{run:?}");
    // Nothing that is kept.
    let mut person = asked();
    person.types(&"acme.example\nn\n".repeat(5));
    let run = person.ended();
    assert!(run.code == 2 && run.stderr.contains("no answer that is kept; nothing was written"), "{run:?}");
    // Nothing but wrong answers.
    let mut person = asked();
    person.types("\n\n\n\n\n");
    let run = person.ended();
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(run.stderr.matches("must be 1 to 200").count(), 5, "{run:?}");
    // An answer without an end.
    let mut person = asked();
    person.wait_for(question);
    person.types(&format!("{}\n", "x".repeat(3000)));
    let run = person.ended();
    assert_eq!(run.code, 2, "{run:?}");

    assert!(!folder.path("etc").exists());
}

#[test]
fn json_is_one_line_with_the_certificate_and_without_the_key() {
    let folder = Folder::new();
    let run = folder.setup(&[&CONTRACT[..], &NOWHERE, &["--json"]].concat());
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    let line = run.json();
    assert_eq!(line["verdict"], "left");
    let files = line["files"].as_array().unwrap();
    assert!(files.len() == 4 && files.iter().all(|file| file["state"] == "made"), "{line}");
    let send = &line["for_swisscom"];
    assert_eq!(send["pem"], fs::read_to_string(folder.etc("client.crt")).unwrap());
    assert_eq!((&send["ap_id"], &send["dtbd_prefix"]), (&"mid://acme.example".into(), &"ACME: ".into()));
    let commands: Vec<_> =
        line["left"].as_array().unwrap().iter().filter_map(|todo| todo["command"].as_str()).collect();
    assert!(commands.len() == 1 && commands[0].starts_with("mobileidctl setup --folder "), "{line}");
    assert!(!run.stdout.contains("PRIVATE KEY"));

    folder.root("root", "/CN=Test Root");
    let named = fingerprint(&folder.path("root.crt"));
    let run = folder.setup(&["--trust", &folder.text("root.crt"), "--trust-sha256", &named, "--json"]);
    let line = run.json();
    assert_eq!((run.code, &line["check"]["verdict"]), (1, &"sound".into()), "{run:?}");
    assert_eq!(line["heartbeat"]["verdict"], "unhealthy");
}

#[test]
fn doctor_is_asked_about_the_system_that_reads_the_folder() {
    let folder = Folder::new();
    let simulator = Simulator::start(Options::new(folder.path("phone"))).unwrap();
    let state = simulator.state_dir().display().to_string();
    fs::create_dir_all(folder.path("root/etc/pam.d")).unwrap();
    let modules = format!("root/usr/lib/{}-linux-gnu/security", std::env::consts::ARCH);
    fs::create_dir_all(folder.path(&modules)).unwrap();
    folder.write(&format!("{modules}/pam_deny.so"), "");
    folder.write("root/etc/pam.d/sshd", "auth required pam_mobileid.so\n");
    let arguments = ["--simulator", &state, "--root", &folder.text("root")];
    let run = folder.setup(&arguments);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(
        run.stdout.contains("--- doctor ---\nerror: ") && run.stdout.contains("module-missing"),
        "{run:?}"
    );
    assert!(run.stdout.contains("Mend what doctor has found:\n      mobileidctl doctor\n"), "{run:?}");
    // What it cannot look at is left to do, too.
    fs::remove_dir_all(folder.path("root")).unwrap();
    let run = folder.setup(&arguments);
    assert!(run.code == 1 && run.stdout.contains("Mend what doctor has found"), "{run:?}");
}

#[test]
fn without_a_contract_the_simulators_files_are_taken() {
    let folder = Folder::new();
    let state = folder.text("phone");
    // Typed in one go: the simulator is still making its keys.
    let early =
        binary().args(["setup", "--folder", &folder.text("etc"), "--simulator", &state]).spawn().unwrap();
    let simulator = Simulator::start(Options::new(folder.path("phone"))).unwrap();
    assert_eq!(early.wait_with_output().unwrap().status.code(), Some(0));
    for round in 0..2 {
        if round == 0 {
            fs::remove_dir_all(folder.path("etc")).unwrap();
        }
        let run = folder.setup(&["--simulator", &state]);
        assert_eq!(run.code, 0, "{run:?}");
        assert!(
            ["This is the SIMULATOR, not Swisscom", "serial forget USER", "      rm "]
                .iter()
                .all(|part| run.stdout.contains(part)),
            "{run:?}"
        );
        assert_eq!(run.stderr.contains("made"), round == 0, "{run:?}");
        for name in folder.there() {
            assert_eq!(
                fs::read(folder.etc(&name)).unwrap(),
                fs::read(folder.path("phone").join(&name)).unwrap()
            );
        }
    }
    for private in ["client.key", "srs-client-secret", "users.toml", "mobileid.toml"] {
        assert_eq!(
            fs::metadata(folder.etc(private)).unwrap().permissions().mode() & 0o7777,
            0o600,
            "{private}"
        );
    }
    let config = folder.etc("mobileid.toml").display().to_string();
    let login = ctl(&["login", "alice", "--config", &config, "--state", &folder.text("memory")]);
    assert_eq!(login.code, 0, "{login:?}");

    // Whoever runs setup later hears of it just so, and Swisscom of nothing.
    let run = folder.setup(&[]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let key = folder.etc("client.key").display().to_string();
    assert!(run.code == 0 && words.contains("This is the SIMULATOR, not Swisscom"), "{run:?}");
    assert!(words.contains(&format!("with a simulated number: rm {key} ")), "{run:?}");
    assert!(!words.contains("For Swisscom") && !words.contains("users.toml /"), "{run:?}");
    let simulators = fs::read_to_string(folder.etc("mobileid.toml")).unwrap();
    // With another name for the server's certificate it may be a tunnel to Swisscom.
    let tunnel = simulators.replace("server_trust", "server_name = \"mobileid.swisscom.com\"\nserver_trust");
    // Longer than a label of a name may be: no resolver is asked.
    let elsewhere = simulators.replace(simulator.url(), &format!("https://{}.invalid", "m".repeat(64)));
    let unmarked = simulators.replacen("# Written by", "# Ours, and not by", 1);
    for other in [tunnel, elsewhere, unmarked] {
        fs::write(folder.etc("mobileid.toml"), &other).unwrap();
        let run = folder.setup(&[]);
        assert!(other != simulators && !run.stdout.contains("SIMULATOR"), "{run:?}");
    }
    fs::write(folder.etc("mobileid.toml"), &simulators).unwrap();
    // A key of our own may be one that Swisscom knows.
    let (ours, copies) = (Folder::begun(), folder.path("phone"));
    for name in ["client.key", "client.crt"] {
        fs::copy(ours.etc(name), folder.etc(name)).unwrap();
    }
    let run = folder.setup(&[]);
    assert!(run.stdout.contains("SIMULATOR") && run.stdout.contains("      rm "), "{run:?}");
    assert!(!run.stdout.contains("/client.key "), "{run:?}");
    for name in ["client.key", "client.crt"] {
        fs::copy(copies.join(name), folder.etc(name)).unwrap();
    }

    // A table with nobody in it stays too, and is said to be in the way of the simulator's people.
    fs::write(folder.etc("users.toml"), "# nobody\n").unwrap();
    let run = folder.setup(&["--simulator", &state]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let (ours, theirs) = (folder.etc("users.toml"), folder.path("phone/users.toml"));
    let says = format!(
        "people are in {}: move {} away and run this again: mobileidctl",
        theirs.display(),
        ours.display()
    );
    assert!(run.code == 1 && words.contains(&says), "{run:?}");

    // The people here stay; anything else is in the way, and then nothing is taken.
    fs::write(folder.etc("users.toml"), "[zoe]\nmsisdn = \"+41790000001\"\n").unwrap();
    let run = folder.setup(&["--simulator", &state]);
    assert!(run.code == 0 && !run.stdout.contains("users.toml /"), "{run:?}");
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let table = folder.etc("users.toml").display().to_string();
    assert!(words.contains(&format!("and in {table} everybody with a simulated number: rm ")), "{run:?}");
    drop(simulator);
    let run = folder.setup(&["--simulator", &state]);
    let again = format!("mobileidctl setup --folder {} --simulator {state}\n", folder.text("etc"));
    assert!(run.code == 1 && run.stdout.contains(&again) && !run.stdout.contains("Send Swisscom"), "{run:?}");
    let run = folder.setup(&[]);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(run.code == 1 && words.contains("start it again, with the same --listen"), "{run:?}");
    assert!(words.contains("This is the SIMULATOR") && !words.contains("Send Swisscom"), "{run:?}");
    fs::remove_file(folder.etc("client.crt")).unwrap();
    let _anew = Simulator::start(Options::new(folder.path("phone"))).unwrap();
    let run = folder.setup(&["--simulator", &state]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(
        run.stderr.contains("mobileid.toml: is another than the simulator's")
            && run.stderr.contains("--listen"),
        "{run:?}"
    );
    assert!(!folder.etc("client.crt").exists());
}
