use super::*;
use crate::config::{FileConfig, KindFile};

/// An LDAP directory, whatever its settings: what it says is told by the story.
fn ldap() -> Kind {
    let text = "[service]\nap_id='a'\ndtbd_prefix='A: '\nclient_cert='c'\nclient_key='k'\n[signature]\ntrust='t'\n\
                [[directory]]\ntype='ldap'\nname='ad'\nservers='ldap://127.0.0.1'\nbind='anonymous'\nbase='dc=x'\n\
                filter='(uid={user})'\n";
    let file = FileConfig::parse("m.toml", text).unwrap();
    match &file.directories[0].kind {
        KindFile::Ldap(file) => Kind::Ldap(Box::new(file.ldap.clone())),
        KindFile::File(_) | KindFile::Command(_) => panic!("no LDAP"),
    }
}

fn table(text: &str) -> Kind {
    Kind::File(UserTable::parse("users.toml", text).unwrap())
}

fn directories(kinds: Vec<(&str, WhenUnavailable, Kind)>) -> Directories {
    let named =
        |(name, unavailable, kind): (&str, _, _)| Directory { name: name.to_owned(), unavailable, kind };
    Directories::new(kinds.into_iter().map(named).collect())
}

const CAROL: &str = "[carol]\nmsisdn='+41790000003'\n";

/// What is found, where the remote directories say these things in turn.
fn found(directories: &Directories, user: &str, says: &[Answer]) -> String {
    let mut says = says.iter();
    let found = directories.lookup(&user.parse().unwrap(), |_| says.next().cloned().ok_or("asked too often"));
    assert_eq!(says.next(), None, "somebody was not asked");
    match found {
        Ok(Lookup::Found(subscriber)) => subscriber.msisdn.digits().to_owned(),
        Ok(Lookup::NotEnrolled) => "not enrolled".to_owned(),
        Ok(Lookup::Barred(why)) => format!("barred: {why}"),
        Ok(Lookup::Unavailable(why)) => format!("unavailable: {why}"),
        Err(why) => why.to_owned(),
    }
}

#[test]
fn the_first_directory_that_knows_somebody_settles_it() {
    use Answer::{Away, Barred, NotEnrolled, Unusable};
    use WhenUnavailable::{Deny, Next};
    let (away, no) = (Away("down".into()), NotEnrolled);
    let alone = |when| {
        directories(vec![("one", when, ldap()), ("two", Deny, ldap()), ("guests", Deny, table(CAROL))])
    };
    let alice = match UserTable::parse("u", "[alice]\nmsisdn='+41790000001'")
        .unwrap()
        .lookup(&"alice".parse().unwrap())
    {
        Answer::Found(alice) => Answer::Found(alice),
        other => panic!("{other:?}"),
    };
    for (when, user, says, expected) in [
        (Deny, "alice", vec![alice.clone()], "41790000001"),
        (Deny, "alice", vec![no.clone(), alice.clone()], "41790000001"),
        (Deny, "carol", vec![no.clone(), no.clone()], "41790000003"),
        (Deny, "bob", vec![no.clone(), no.clone()], "not enrolled"),
        (Deny, "carol", vec![away.clone()], "unavailable: one: down"),
        (Next, "carol", vec![away.clone(), no.clone()], "41790000003"),
        (Next, "alice", vec![away.clone(), alice], "41790000001"),
        // Whom the one that is away may know is not unknown.
        (Next, "bob", vec![away.clone(), no.clone()], "unavailable: one: down"),
        (Next, "carol", vec![away.clone(), away], "unavailable: two: down"),
        (Next, "carol", vec![Unusable("no country".into())], "unavailable: one: no country"),
        (Next, "carol", vec![Barred("disabled".into())], "barred: one: disabled"),
        (Deny, "carol", vec![no, Barred("disabled".into())], "barred: two: disabled"),
        (Deny, "carol", vec![], "asked too often"),
    ] {
        assert_eq!(found(&alone(when), user, &says), expected, "{user}");
    }
}

#[test]
fn nobody_is_waited_for_to_know_what_is_at_hand() {
    let (carol, bob): (UserName, UserName) = ("carol".parse().unwrap(), "bob".parse().unwrap());
    let before = directories(vec![
        ("users", WhenUnavailable::Deny, table(CAROL)),
        ("ad", WhenUnavailable::Deny, ldap()),
    ]);
    assert!(before.at_hand(&carol).is_some() && before.at_hand(&bob).is_none() && !before.all_at_hand());
    // The directory before the table may say something else of her.
    let after = directories(vec![
        ("ad", WhenUnavailable::Deny, ldap()),
        ("users", WhenUnavailable::Deny, table(CAROL)),
    ]);
    assert!(after.at_hand(&carol).is_none());
    assert!(Directories::of_table(UserTable::default()).all_at_hand());
    assert_eq!(before.ldap().map(|(name, _)| name).collect::<Vec<_>>(), ["ad"]);
}

#[test]
fn a_number_that_nobody_knows_is_the_phone_that_is_asked() {
    use Answer::{Away, Barred, NotEnrolled, Unusable};
    use WhenUnavailable::{Deny, Next};
    let number = || UserName::of_number("+41791234567".parse().unwrap());
    let at = |when, says: Answer| {
        directories(vec![("ad", when, ldap())]).lookup(&number(), |_| Ok::<_, ()>(says.clone()))
    };
    let Ok(Lookup::Found(found)) = at(Deny, NotEnrolled) else { panic!("not found") };
    assert_eq!(found.msisdn.digits(), "41791234567");
    assert_eq!((found.entry.directory.as_str(), found.entry.id.as_str()), ("user-name", "41791234567"));
    // A directory that knows it, or that may know it, is what counts.
    for (when, says, expected) in [
        (Deny, Away("no +41791234567 here".into()), Lookup::Unavailable("ad: no +41*******67 here".into())),
        (Next, Away("down".into()), Lookup::Unavailable("ad: down".into())),
        (Next, Unusable("two entries".into()), Lookup::Unavailable("ad: two entries".into())),
        (Deny, Barred("disabled".into()), Lookup::Barred("ad: disabled".into())),
    ] {
        assert_eq!(at(when, says), Ok(expected));
    }
    let known = directories(vec![("users", Deny, table("['+41791234567']\nmsisdn='+41790000009'\n"))]);
    let Ok(Lookup::Found(found)) = known.lookup(&number(), |_| Err(())) else { panic!("not found") };
    assert_eq!((found.msisdn.digits(), found.entry.directory.as_str()), ("41790000009", "users"));
}
