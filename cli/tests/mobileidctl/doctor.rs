//! A small system below a folder: PAM files, modules, sudoers, and an sshd that is a script, or the real one.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{Folder, Run, ctl};

/// What the README recommends, as `sshd -T` prints it.
const SSHD: &str = "\
usepam yes
logingracetime 150
permitrootlogin yes
pubkeyauthentication yes
passwordauthentication no
kbdinteractiveauthentication yes
authenticationmethods publickey,keyboard-interactive:pam
maxstartups 60:30:200
";
/// sshd admits root.
const USERS: &str = "[alice]\nmsisdn = \"+41791234567\"\n[root]\nmsisdn = \"+41791234568\"\n";
const REAL: &str = "/usr/sbin/sshd";

struct System {
    folder: Folder,
    modules: String,
}

impl System {
    /// Sound in every part.
    fn sound() -> Self {
        let modules = format!("root/usr/lib/{}-linux-gnu/security", std::env::consts::ARCH);
        let system = Self { folder: Folder::sound(), modules };
        // The port that SELinux's policies open; nobody connects to it.
        system.folder.edit("https://127.0.0.1:1\"", "https://127.0.0.1:443\"");
        system.folder.write("users.toml", USERS);
        for name in ["pam_deny.so", "pam_mobileid.so"] {
            system.write(&format!("{}/{name}", system.modules), "");
        }
        system.write("root/etc/pam.d/sshd", "auth required pam_mobileid.so\n");
        for service in ["sudo", "su", "login"] {
            let text = "@include common-auth\nauth required pam_mobileid.so\n";
            system.write(&format!("root/etc/pam.d/{service}"), text);
        }
        let common = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\nauth required pam_permit.so\n";
        system.write("root/etc/pam.d/common-auth", common);
        system.write("root/etc/sudoers", "Defaults env_reset\n@includedir /etc/sudoers.d\n");
        system.write("root/etc/sudoers.d/README", "# nothing\n");
        system.sshd(SSHD);
        system
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.folder.path(name).parent().unwrap()).unwrap();
        self.folder.write(name, text);
    }

    fn sshd(&self, says: &str) {
        self.write("says", says);
        let script = format!("#!/bin/sh\nexec /bin/cat {}\n", self.folder.text("says"));
        self.write("sshd", &script);
        self.folder.mode("sshd", 0o700);
    }

    fn doctor(&self, more: &[&str]) -> Run {
        let (root, sshd) = (self.folder.text("root"), self.folder.text("sshd"));
        let mut arguments = vec!["--root", &root, "--sshd", &sshd];
        arguments.extend(more);
        self.folder.ctl("doctor", &arguments)
    }

    /// The names of what is found.
    fn finds(&self, more: &[&str]) -> Vec<String> {
        let json = self.doctor(&[more, &["--json"]].concat()).json();
        let findings = json["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["name"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_sound_system_is_well() {
    let system = System::sound();
    let run = system.doctor(&["--user", "alice"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run:?}");
    assert!(run.stdout.contains("errors: 0, warnings: 0, notes: 0\n"), "{run:?}");
    for part in ["PAM: sshd", "PAM: sudo", "sshd", "sudoers", "mobileid.toml"] {
        assert!(run.stdout.contains(part), "{part:?} is missing: {run:?}");
    }
    let json = system.doctor(&["--json"]);
    assert_eq!((json.code, json.stderr.as_str()), (0, ""));
    assert_eq!(json.json()["verdict"], "well");
}

#[test]
fn what_is_wrong_is_said_with_place_name_and_remedy() {
    let system = System::sound();
    system.write("root/etc/pam.d/sudo", "auth required pam_unix.so\nauth required pam_mobileid.so\n");
    let run = system.doctor(&[]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""), "{run:?}");
    for part in
        ["etc/pam.d/sudo:2: ", "error: ", "(push-after-wrong-password)", "    mend: write \"requisite\""]
    {
        assert!(run.stdout.contains(part), "{part:?} is missing: {run:?}");
    }
    let json = system.doctor(&["--json"]).json();
    assert_eq!(json["verdict"], "unwell");
    assert_eq!(json["findings"][0]["severity"], "error");
}

#[test]
fn a_configuration_that_cannot_be_used_is_found_before_a_stack_needs_it() {
    let system = System::sound();
    for service in ["sshd", "sudo", "su", "login"] {
        system.write(&format!("root/etc/pam.d/{service}"), "auth required pam_unix.so\n");
    }
    let config_is_found = |more: &[&str]| {
        let (root, sshd) = (system.folder.text("root"), system.folder.text("sshd"));
        let run = ctl(&[&["doctor", "--root", &root, "--sshd", &sshd], more].concat());
        assert!(run.stdout.contains("service-without-mobileid"), "{run:?}");
        assert!(run.stdout.contains("errors: 0,"), "nobody is refused yet: {run:?}");
        (run.code, run.stdout.contains("config-unusable"))
    };
    assert_eq!(config_is_found(&[]), (0, false), "there is none yet");
    system.write("root/etc/mobileid/mobileid.toml", "[service]\n");
    assert_eq!(config_is_found(&[]), (1, true));
    let absent = system.folder.text("absent.toml");
    assert_eq!(config_is_found(&["--config", &absent]), (1, true));
    assert_eq!(config_is_found(&["--config", &system.folder.text("mobileid.toml")]), (0, false));
}

#[test]
fn a_configuration_that_a_stack_needs_and_cannot_use_is_an_error() {
    let system = System::sound();
    system.folder.write("users.toml", "[alice]\n");
    let run = system.doctor(&[]);
    assert!(run.code == 1 && run.stdout.contains("errors: 1, warnings: 0, notes: 0\n"), "{run:?}");
    assert!(
        run.stdout.starts_with("error: ") && run.stdout.contains("the module refuses everybody"),
        "{run:?}"
    );
    assert_eq!(system.doctor(&["--json"]).json()["findings"][0]["severity"], "error");
}

#[test]
fn the_services_without_the_phone_are_one_line_and_several_findings() {
    let system = System::sound();
    for service in ["sudo", "su", "login"] {
        system.write(&format!("root/etc/pam.d/{service}"), "auth required pam_unix.so\n");
    }
    let run = system.doctor(&[]);
    let expected = "note: without the phone: login, su, sudo (service-without-mobileid)\n    mend: where one should ask it: ";
    assert!(run.code == 0 && run.stdout.starts_with(expected), "{run:?}");
    assert!(run.stdout.contains("errors: 0, warnings: 0, notes: 1\n"), "{run:?}");
    assert_eq!(system.finds(&[]), ["service-without-mobileid"; 3]);
}

#[test]
fn who_would_be_locked_out_is_named_with_the_remedy() {
    let system = System::sound();
    system.folder.write("users.toml", "# nobody yet\n");
    system.write("root/etc/group", "sudo:x:27:bob\n");
    let run = system.doctor(&[]);
    for part in [
        "mobileid.toml: nobody is in the table of users (\"users\")",
        "warning: sshd, for root: no table of users has an entry for root: every login of root is refused",
        "warning: sshd, sudo: no table of users has an entry for bob, of sudo",
        "mend: `mobileidctl enrol root --msisdn ...`, or PermitRootLogin no;",
        "errors: 0, warnings: 3, notes: 0\n",
    ] {
        assert!(run.code == 1 && run.stdout.contains(part), "{part:?} is missing: {run:?}");
    }
    // Nobody is refused where they are let in, or where no stack has the module.
    system.folder.edit("table = \"users.toml\"\n", "table = \"users.toml\"\nunenrolled = \"allow\"\n");
    system.folder.write("users.toml", "[alice]\nmsisdn = \"+41791234567\"\n");
    assert!(system.finds(&[]).is_empty());
    system.folder.edit("unenrolled = \"allow\"\n", "");
    for service in ["sshd", "sudo", "su", "login"] {
        system.write(&format!("root/etc/pam.d/{service}"), "auth required pam_unix.so\n");
    }
    assert!(!system.finds(&[]).contains(&"not-entered".to_owned()));
}

#[test]
fn each_part_is_looked_at() {
    let stories: &[(&str, &str, &str)] = &[
        ("root/etc/sudoers.d/admin", "Defaults !authenticate\n", "sudo-asks-nobody"),
        ("root/etc/sudoers.d/admin", "Defaults pam_service=gone\n%x ALL=NOPASSWD: ALL\n", "sudo-nopasswd"),
        ("root/etc/sudoers.d/admin", "@include gone\n", "not-examined"),
        ("root/etc/pam.d/su", "auth required pam_unix.so\n", "service-without-mobileid"),
        ("root/etc/pam.d/vpn", "auth required pam_mobileid.so\n", "no-first-factor"),
        ("root/sys/fs/selinux/enforce", "1", "selinux-connection"),
        ("says", "usepam no\nmaxstartups 60:30:200\n", "use-pam-off"),
        ("sshd", "#!/bin/sh\necho 'line 3: \u{1b}[2J' >&2; exit 255\n", "not-examined"),
        ("users.toml", "[alice]\n", "config-unusable"),
        ("users.toml", "[alice]\nmsisdn = \"+41791234567\"\n", "not-entered"),
        ("root/etc/group", "sudo:x:27:alice,bob\n", "not-entered"),
    ];
    for (file, text, expected) in stories {
        let system = System::sound();
        system.write(file, text);
        if *file == "sshd" {
            system.folder.mode("sshd", 0o700);
        }
        assert_eq!(system.finds(&[]), [*expected], "{file}: {text}");
        let run = system.doctor(&[]);
        assert!(!run.stdout.contains('\u{1b}'), "{run:?}");
        let examined = run.stdout.lines().find(|line| line.starts_with("examined: ")).unwrap();
        let all = ["sudoers", ", sshd"].iter().all(|part| examined.contains(part));
        assert_eq!(all, *expected != "not-examined", "{run:?}");
        let only_note = matches!(*expected, "service-without-mobileid" | "sudo-nopasswd");
        assert_eq!(run.code, i32::from(!only_note), "{run:?}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let system = System::sound();
    fs::remove_file(system.folder.path("root/etc/sudoers")).unwrap();
    assert_eq!(system.finds(&[]), ["not-installed"]);
    fs::remove_file(system.folder.path(&format!("{}/pam_mobileid.so", system.modules))).unwrap();
    assert!(system.finds(&[]).contains(&"module-missing".to_owned()));
    fs::remove_dir_all(system.folder.path("root/etc/pam.d")).unwrap();
    let run = system.doctor(&[]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
    assert!(run.stderr.contains("etc/pam.d: No such file"), "{run:?}");
}

#[test]
fn the_deadline_is_that_of_the_configuration() {
    let system = System::sound();
    system.folder.edit("[timeouts]\n", "[timeouts]\nsim = 140\nsim_connection = 150\n");
    assert_eq!(system.finds(&[]), ["grace-time-short"]);
}

#[test]
fn single_files_and_folders_can_be_named() {
    let system = System::sound();
    system.write("other/sudo", "auth required pam_mobileid.so\n");
    assert_eq!(system.finds(&["--pam-dir", &system.folder.text("other")]), ["no-first-factor"]);
    system.write("rules", "Defaults rootpw\n");
    assert_eq!(system.finds(&["--sudoers", &system.folder.text("rules")]), ["sudo-asks-another-phone"]);
}

#[test]
fn a_user_who_would_be_more_than_a_name_is_refused() {
    for user in ["a,addr=::1", "", "a b", "a\nb"] {
        assert_eq!(ctl(&["doctor", "--user", user]).code, 2, "{user:?}");
    }
}

/// sshd wants a folder in /run, which a system that never ran it does not have: it gets a /run of its own.
#[test]
fn the_real_sshd_says_what_it_would_do_for_whom() {
    if !Path::new(REAL).exists() {
        return;
    }
    let system = System::sound();
    let key = system.folder.text("host");
    let made =
        Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status().unwrap();
    assert!(made.success());
    let written = |usual: &str| {
        format!(
            "HostKey {key}\nUsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n{usual}\
             AuthenticationMethods publickey,keyboard-interactive:pam\n\
             Match User backup\n    AuthenticationMethods publickey\n"
        )
    };
    let good = "LoginGraceTime 150\nMaxStartups 60:30:200\nPermitRootLogin yes\n";
    for (usual, user, expected) in [
        (good, "alice", &[] as &[&str]),
        (good, "backup", &["methods-skip-pam"]),
        (
            "LoginGraceTime 30\n",
            "alice",
            &["grace-time-short", "root-refused-after-approval", "max-startups-low"],
        ),
    ] {
        system.write("sshd_config", &written(usual));
        let arguments = [
            "doctor",
            "--json",
            "--config",
            &system.folder.text("mobileid.toml"),
            "--root",
            &system.folder.text("root"),
            "--sshd-config",
            &system.folder.text("sshd_config"),
            "--user",
            user,
        ];
        let output = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c"])
            .arg("mount -t tmpfs tmpfs /run && mkdir -m 0755 /run/sshd && exec \"$@\"")
            .args(["sh", env!("CARGO_BIN_EXE_mobileidctl")])
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let run = Run::of(output);
        let json = run.json();
        let names: Vec<_> =
            json["findings"].as_array().unwrap().iter().map(|finding| finding["name"].clone()).collect();
        assert_eq!(names, expected, "{user}: {run:?}");
    }
}
