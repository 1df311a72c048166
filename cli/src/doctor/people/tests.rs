use mobileid::{
    config::{Exempt, Require},
    directory::file::UserTable,
};

use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n\
                      ben:x:1001:27::/home/ben:/bin/sh\ncarl:x:1002:1002::/home/carl:/bin/sh\nbroken\n";
const GROUP: &str = "root:x:0:\nsudo:x:27:anna,toor\nstaff:x:50:anna,root\nwheel:x:10:root\nbroken\n";

fn table(names: &[&str]) -> Directories {
    let entry = |(at, name): (usize, &&str)| format!("[{name}]\nmsisdn = \"+4179000000{at}\"\n");
    let text: String = names.iter().enumerate().map(entry).collect();
    Directories::of_table(UserTable::parse("users.toml", &text).unwrap())
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Place and sentence of each finding.
fn found(
    rules: &PamConfig,
    entered: &[&str],
    services: &[&str],
    root_by_sshd: bool,
) -> Vec<(String, String)> {
    let doors = Doors { config: "mobileid.toml", services: services.to_vec(), root_by_sshd };
    let found = examine(rules, &table(entered), &Accounts::parse(PASSWD, GROUP), &doors);
    assert!(found.iter().all(|finding| finding.kind == Kind::NotEntered));
    found.into_iter().map(|finding| (finding.place, finding.what)).collect()
}

#[test]
fn who_is_refused_is_named() {
    let both = &["sshd", "sudo"][..];
    // Who is entered, the services, whether sshd admits root, and what is named where.
    type Story =
        (&'static [&'static str], &'static [&'static str], bool, &'static [(&'static str, &'static str)]);
    let stories: &[Story] = &[
        (&["root", "anna", "ben"], both, true, &[]),
        (&["anna", "ben"], both, true, &[("sshd, for root", "for root:")]),
        (&["anna", "ben"], both, false, &[]),
        (&["root", "anna"], both, true, &[("sshd, sudo", "for ben, of sudo:")]),
        (&["root"], &["sudo"], true, &[("sudo", "for anna, ben, of sudo:")]),
        // Nobody logs in by these services.
        (&["carl"], &[], false, &[]),
        (&[], &[], false, &[("mobileid.toml", "(\"users\")")]),
    ];
    for (entered, services, root, expected) in stories {
        let found = found(&PamConfig::default(), entered, services, *root);
        assert_eq!(found.len(), expected.len(), "{entered:?}: {found:?}");
        for ((place, what), (in_place, part)) in found.iter().zip(*expected) {
            assert!(place == in_place && what.contains(part), "{entered:?}: {found:?}");
        }
    }
}

#[test]
fn whom_the_rules_let_in_is_not_named() {
    let exempt = |exempt| PamConfig { exempt, ..PamConfig::default() };
    let require = |require| PamConfig { require, ..PamConfig::default() };
    for (rules, expected) in [
        (PamConfig::default(), &["sshd, for root", "sshd, sudo"][..]),
        (exempt(Exempt { users: names(&["root"]), ..Exempt::default() }), &["sshd, sudo"]),
        (exempt(Exempt { groups: names(&["sudo"]), ..Exempt::default() }), &["sshd, for root"]),
        (exempt(Exempt { services: names(&["sshd"]), ..Exempt::default() }), &["sudo"]),
        (require(Require { services: Some(names(&["sudo"])), ..Require::default() }), &["sudo"]),
        (
            require(Require { groups: Some(names(&["staff"])), ..Require::default() }),
            &["sshd, for root", "sshd, sudo"],
        ),
        (require(Require { users: Some(names(&["carl"])), ..Require::default() }), &[]),
        // It exempts nobody: this host does not have it.
        (exempt(Exempt { groups: names(&["gone"]), ..Exempt::default() }), &["sshd, for root", "sshd, sudo"]),
    ] {
        let places: Vec<_> =
            found(&rules, &["carl"], &["sshd", "sudo"], true).into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, expected, "{:?} {:?}", rules.exempt, rules.require);
    }
}

#[test]
fn many_names_are_counted() {
    let all: Vec<_> = (0..13).map(|number| format!("u{number:02}")).collect();
    let accounts = Accounts::parse("", &format!("wheel:x:10:{}\n", all.join(",")));
    let doors = Doors { config: "", services: vec!["sudo"], root_by_sshd: false };
    let found = examine(&PamConfig::default(), &table(&["u00"]), &accounts, &doors);
    assert!(
        found[0].what.contains("for u01, u02") && found[0].what.contains("u10 and 2 more, of wheel:"),
        "{found:?}"
    );
}

#[test]
fn a_directory_that_would_have_to_be_asked_says_nothing() {
    use mobileid::directory::{Directory, WhenUnavailable, command::Program};

    let program =
        Program { path: "/bin/true".into(), arguments: Vec::new(), timeout: std::time::Duration::ZERO };
    let asked = Directory {
        name: "hr".to_owned(),
        unavailable: WhenUnavailable::Deny,
        kind: Source::Command(program),
    };
    let directories = Directories::new(table(&[]).iter().cloned().chain([asked]).collect());
    let doors = Doors { config: "", services: vec!["sshd", "sudo"], root_by_sshd: true };
    assert!(examine(&PamConfig::default(), &directories, &Accounts::parse(PASSWD, GROUP), &doors).is_empty());
}
