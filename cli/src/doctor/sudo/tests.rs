use super::*;

struct Texts<'a>(&'a [(&'a str, &'a str)]);

impl Files for Texts<'_> {
    fn text(&self, path: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "it is not there".to_owned())
    }

    fn names(&self, folder: &str) -> Result<Vec<String>, String> {
        let inside = self.0.iter().filter_map(|(name, _)| name.strip_prefix(folder)?.strip_prefix('/'));
        Ok(inside.map(str::to_owned).collect())
    }
}

fn of(text: &str) -> Sudoers {
    examine(&Texts(&[("/etc/sudoers", text)]), "/etc/sudoers")
}

fn kinds(sudoers: &Sudoers) -> Vec<Kind> {
    sudoers.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn each_setting_and_what_is_found() {
    use Kind::*;
    let stories: &[(&str, &[Kind])] = &[
        // As Debian has it.
        (
            "Defaults\tenv_reset\nDefaults\tmail_badpass\nDefaults\tsecure_path=\"/usr/sbin:/usr/bin\"\nDefaults\tuse_pty\n\
          root\tALL=(ALL:ALL) ALL\n%sudo\tALL=(ALL:ALL) ALL\n",
            &[],
        ),
        ("Defaults passwd_timeout=1, passwd_tries=9, !pam_session", &[]),
        ("Defaults !authenticate", &[SudoAsksNobody]),
        ("Defaults !!authenticate", &[]),
        ("Defaults !authenticate\nDefaults authenticate", &[]),
        ("Defaults:backup !authenticate\nDefaults authenticate", &[SudoAsksNobody]),
        ("%admin ALL=(ALL) NOPASSWD: ALL", &[SudoNopasswd]),
        ("# %admin ALL=(ALL) NOPASSWD: ALL", &[]),
        ("%admin ALL=(ALL) ALL # no NOPASSWD: here", &[]),
        ("Defaults env_reset, timestamp_timeout=0", &[SudoTimestampZero]),
        ("Defaults !timestamp_timeout", &[SudoTimestampZero]),
        ("Defaults timestamp_timeout = -1", &[SudoTimestampEndless]),
        ("Defaults timestamp_timeout=\"-0.5\"", &[SudoTimestampEndless]),
        ("Defaults timestamp_timeout=15", &[]),
        ("Defaults timestamp_timeout=\\\n0", &[SudoTimestampZero]),
        ("Defaults rootpw", &[SudoAsksAnotherPhone]),
        ("Defaults>root targetpw", &[SudoAsksAnotherPhone]),
        ("Defaults !runaspw", &[]),
        ("Defaults badpass_message=\"a, rootpw, b\"", &[]),
    ];
    for (text, expected) in stories {
        assert_eq!(&kinds(&of(text)), expected, "{text}");
    }
}

#[test]
fn includes_are_followed_beside_the_file_and_in_folders() {
    let files = Texts(&[
        ("/etc/sudoers", "@include local\n#includedir /etc/sudoers.d\n#1000 ALL=ALL\n"),
        ("/etc/local", "Defaults pam_service=admin, pam_login_service=admin-i\n"),
        ("/etc/sudoers.d/10-a", "x ALL=NOPASSWD: ALL\n"),
        ("/etc/sudoers.d/b.dpkg-old", "Defaults rootpw\n"),
        ("/etc/sudoers.d/c~", "Defaults rootpw\n"),
    ]);
    let sudoers = examine(&files, "/etc/sudoers");
    assert_eq!(kinds(&sudoers), [Kind::SudoNopasswd]);
    assert_eq!(sudoers.findings[0].place, "/etc/sudoers.d/10-a:1");
    assert_eq!(sudoers.services, BTreeSet::from(["admin".to_owned(), "admin-i".to_owned()]));
}

#[test]
fn what_cannot_be_followed_is_said() {
    for text in ["@include gone", "@include sudoers", "@include local.%h", "@includedir %h.d"] {
        assert_eq!(kinds(&of(text)), [Kind::NotExamined], "{text}");
    }
    // Twice each time would be 2^16 files.
    let many = of("@include sudoers\n@include sudoers\n");
    assert!(many.files < FILES_MAX + 100 && kinds(&many).contains(&Kind::NotExamined));
}

#[test]
fn no_text_makes_it_panic() {
    for text in [
        "Defaults",
        "Defaults !",
        "Defaults =",
        "Defaults@",
        "@include",
        "#",
        "\\",
        "Defaults a=\"",
        "é#é\\é",
    ] {
        let _ = of(text);
    }
}
