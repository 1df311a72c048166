use super::*;

/// As the README has it, printed by `sshd -T`.
const GOOD: &str = "\
port 22
usepam yes
logingracetime 150
permitrootlogin yes
pubkeyauthentication yes
hostbasedauthentication no
gssapiauthentication no
passwordauthentication no
kbdinteractiveauthentication yes
authenticationmethods publickey,keyboard-interactive:pam
maxstartups 60:30:200
hostkey /etc/ssh/a
hostkey /etc/ssh/b
";

fn edited(changes: &[(&str, &str)]) -> String {
    let lines = GOOD.lines().map(|line| {
        let keyword = line.split(' ').next().unwrap();
        let changed = changes.iter().find(|(changed, _)| *changed == keyword);
        changed.map_or_else(|| line.to_owned(), |(keyword, value)| format!("{keyword} {value}"))
    });
    let text: Vec<_> = lines.collect();
    let known = |keyword: &str| GOOD.lines().any(|line| line.starts_with(&format!("{keyword} ")));
    assert!(changes.iter().all(|(keyword, _)| known(keyword)), "{changes:?}");
    text.join("\n")
}

fn kinds(changes: &[(&str, &str)], asks_phone_alone: bool) -> Vec<Kind> {
    let text = edited(changes);
    let all = [Effective::parse(None, &text), Effective::parse(Some("root"), &text)];
    let pam = pam::Sshd { place: "/etc/pam.d/sshd:1".to_owned(), config: None, asks_phone_alone };
    examine(&all, &pam, Duration::from_secs(90)).into_iter().map(|finding| finding.kind).collect()
}

/// What is changed, whether the stack asks for the phone alone, what is found.
type Story = (&'static [(&'static str, &'static str)], bool, &'static [Kind]);

const KBD: (&str, &str) = ("authenticationmethods", "keyboard-interactive:pam");

#[test]
fn each_configuration_and_what_is_found() {
    use Kind::*;
    let stories: &[Story] = &[
        (&[], true, &[]),
        (&[], false, &[]),
        (&[KBD], false, &[]),
        (&[KBD, ("permitrootlogin", "prohibit-password")], false, &[]),
        (&[("permitrootlogin", "no")], true, &[]),
        (&[("usepam", "no")], true, &[UsePamOff]),
        (&[KBD], true, &[NoFirstFactor]),
        (&[("authenticationmethods", "keyboard-interactive,publickey")], true, &[NoFirstFactor]),
        (&[("permitrootlogin", "prohibit-password")], true, &[RootRefusedAfterApproval]),
        (&[("permitrootlogin", "without-password")], true, &[RootRefusedAfterApproval]),
        (&[("permitrootlogin", "forced-commands-only")], true, &[RootRefusedAfterApproval]),
        (&[("logingracetime", "119")], true, &[GraceTimeShort]),
        (&[("logingracetime", "120")], true, &[]),
        (&[("logingracetime", "0")], true, &[]),
        (&[("maxstartups", "10:30:100")], true, &[MaxStartupsLow]),
        (&[("maxstartups", "30:30:100")], true, &[]),
        (&[("kbdinteractiveauthentication", "no")], true, &[KbdInteractiveOff]),
        (&[("pubkeyauthentication", "no")], true, &[MethodsUnusable]),
        (&[("authenticationmethods", "publickey")], true, &[MethodsSkipPam]),
        (&[("authenticationmethods", "publickey keyboard-interactive:pam")], false, &[MethodsSkipPam]),
        (&[("authenticationmethods", "any")], false, &[MethodsSkipPam]),
        (&[("authenticationmethods", "any"), ("pubkeyauthentication", "no")], false, &[]),
        (
            &[("authenticationmethods", "any"), ("kbdinteractiveauthentication", "no")],
            false,
            &[KbdInteractiveOff, MethodsSkipPam],
        ),
        (
            &[("authenticationmethods", "publickey,password"), ("passwordauthentication", "yes")],
            true,
            &[PasswordHidesMessage],
        ),
        (
            &[("authenticationmethods", "password,keyboard-interactive"), ("passwordauthentication", "yes")],
            false,
            &[StackRunsTwice],
        ),
        // A list with a method that is off counts for nothing.
        (&[("authenticationmethods", "publickey,keyboard-interactive password")], false, &[]),
        (
            &[("authenticationmethods", "publickey"), ("passwordauthentication", "yes")],
            false,
            &[MethodsSkipPam, PasswordAuthIdle],
        ),
        (&[("passwordauthentication", "yes")], false, &[PasswordAuthIdle]),
        (&[("authenticationmethods", "publickey,keyboard-interactive:bsdauth")], false, &[MethodsUnusable]),
    ];
    for (changes, alone, expected) in stories {
        assert_eq!(&kinds(changes, *alone), expected, "{changes:?}, phone alone: {alone}");
    }
}

#[test]
fn a_match_block_for_one_user_is_told_with_the_user() {
    let user = edited(&[("authenticationmethods", "publickey")]);
    let all = [
        Effective::parse(None, GOOD),
        Effective::parse(Some("root"), GOOD),
        Effective::parse(Some("backup"), &user),
    ];
    let found = examine(&all, &pam::Sshd::default(), Duration::from_secs(90));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].kind, found[0].place.as_str()), (Kind::MethodsSkipPam, "sshd, for \"backup\""));
}

#[test]
fn the_deadline_of_the_configuration_is_the_measure() {
    let all = [Effective::parse(None, GOOD)];
    let long = examine(&all, &pam::Sshd::default(), Duration::from_secs(150));
    assert_eq!(long[0].kind, Kind::GraceTimeShort);
    assert_eq!(long[0].remedy, "LoginGraceTime 210");
}

#[test]
fn an_older_sshd_has_the_other_name() {
    let text = GOOD.replace("kbdinteractiveauthentication", "challengeresponseauthentication");
    let all = [Effective::parse(None, &text)];
    assert_eq!(examine(&all, &pam::Sshd::default(), Duration::from_secs(90)), []);
}

#[test]
fn values_are_escaped_and_nonsense_is_no_panic() {
    let text = edited(&[("authenticationmethods", "publickey,\u{1b}[2J")]);
    let found = examine(&[Effective::parse(None, &text)], &pam::Sshd::default(), Duration::from_secs(90));
    assert!(found[0].what.contains("\\u{1b}[2J"), "{found:?}");
    for text in
        ["", "usepam", "\u{0}", "usepam yes\nmaxstartups :::\nlogingracetime -1\nauthenticationmethods , ,"]
    {
        let _ = examine(&[Effective::parse(None, text)], &pam::Sshd::default(), Duration::MAX);
    }
}

#[test]
fn root_comes_to_pam_unless_sshd_says_no() {
    let comes = |changes: &[(&str, &str)]| {
        let text = edited(changes);
        root_comes_to_pam(&[Effective::parse(None, GOOD), Effective::parse(Some("root"), &text)])
    };
    assert!(comes(&[]) && comes(&[("permitrootlogin", "prohibit-password")]));
    assert!(!comes(&[("permitrootlogin", "no")]) && !comes(&[("usepam", "no")]));
    assert!(!root_comes_to_pam(&[Effective::parse(None, GOOD)]), "nothing was asked for root");
}
