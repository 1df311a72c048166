//! OpenLDAP's server on the loopback interface, with ten thousand people and some who are difficult.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::*;

pub(super) struct Slapd {
    process: Child,
    folder: PathBuf,
    plain: SocketAddr,
    tls: SocketAddr,
}

impl Slapd {
    /// One for all tests that run at the same time; it ends with the last of them.
    pub(super) fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Slapd>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let slapd = Arc::new(Self::start());
            *running = Arc::downgrade(&slapd);
            slapd
        })
    }

    fn start() -> Self {
        // The next one may start while the last one still clears up.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let count = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mobileid-slapd-{}-{count}", std::process::id()));
        fs::create_dir_all(folder.join("db")).unwrap();
        certificates(&folder);
        let conf = CONF.replace("FOLDER", folder.to_str().unwrap());
        fs::write(folder.join("slapd.conf"), conf).unwrap();
        fs::write(folder.join("lab.schema"), SCHEMA).unwrap();
        fs::write(folder.join("tree.ldif"), tree()).unwrap();
        run(Command::new("/usr/sbin/slapadd")
            .args(["-q", "-f"])
            .arg(folder.join("slapd.conf"))
            .arg("-l")
            .arg(folder.join("tree.ldif")));
        let (plain, tls) = (refusing(), refusing());
        let process = Command::new("/usr/sbin/slapd")
            .args(["-d", "0", "-h", &format!("ldap://{plain} ldaps://{tls}"), "-f"])
            .arg(folder.join("slapd.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let slapd = Self { process, folder, plain, tls };
        let begun = Instant::now();
        while std::net::TcpStream::connect(tls).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "slapd does not come up");
            thread::sleep(Duration::from_millis(20));
        }
        slapd
    }

    fn root(&self, name: &str) -> Vec<u8> {
        let pem = fs::read(self.folder.join(name)).unwrap();
        CertificateDer::from_pem_slice(&pem).unwrap().to_vec()
    }

    /// In the clear, as the reader.
    pub(super) fn ldap(&self) -> Ldap {
        Ldap { bind: reader("reader's password"), ..ldap(vec![server(self.plain, Security::Loopback)]) }
    }

    fn over(&self, address: SocketAddr, security: Security, root: &str) -> Ldap {
        Ldap { servers: vec![server(address, security)], roots: vec![self.root(root)], ..self.ldap() }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn reader(password: &str) -> Bind {
    Bind::Simple { dn: "cn=reader,dc=acme,dc=example".into(), password: Secret::new(password.into()) }
}

fn run(command: &mut Command) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}

/// A root and a server's certificate below it, and a root that has nothing to do with them.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        run(Command::new("openssl").args(arguments.split(' ')).current_dir(folder));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for name in ["root", "stranger"] {
        openssl(&format!("req -x509 {key} -keyout {name}.key -out {name}.pem -days 2 -subj /CN={name}"));
    }
    openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"));
    fs::write(folder.join("server.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1").unwrap();
    openssl(
        "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile server.ext -out server.pem",
    );
}

const CONF: &str = "
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include FOLDER/lab.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile FOLDER/slapd.pid
TLSCACertificateFile FOLDER/root.pem
TLSCertificateFile FOLDER/server.pem
TLSCertificateKeyFile FOLDER/server.key
sizelimit 500
disallow bind_anon
database mdb
suffix dc=acme,dc=example
directory FOLDER/db
maxsize 268435456
index objectClass,uid,member eq
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree=ou=kept,dc=acme,dc=example attrs=labKept,labMany,serialNumber
  by dn.exact=cn=writer,dc=acme,dc=example write by dn.exact=cn=reader,dc=acme,dc=example read by * none
access to attrs=labBlind by dn.exact=cn=writer,dc=acme,dc=example =w by * none
access to * by dn.exact=cn=reader,dc=acme,dc=example read by dn.exact=cn=writer,dc=acme,dc=example read by * none
";

/// Attributes as Active Directory has them, and some for serial numbers: with one value, with many, and one that the
/// writer may not read.
const SCHEMA: &str = "
attributetype ( 1.3.6.1.4.1.99999.1 NAME 'userAccountControl' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.2 NAME 'accountExpires' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.3 NAME 'labMemberOf' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.4 NAME 'labSerial' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.5 NAME 'labNote' SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )
attributetype ( 1.3.6.1.4.1.99999.7 NAME 'labKept' EQUALITY caseIgnoreMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.99999.8 NAME 'labMany' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.99999.9 NAME 'labBlind' EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.99999.6 NAME 'labAccount' AUXILIARY
  MAY ( userAccountControl $ accountExpires $ labMemberOf $ labSerial $ labNote $ labKept $ labMany $ labBlind ) )
";

/// How many people there are who are like each other.
const STAFF: usize = 10_000;
/// How many people there are whose serial numbers are written.
const KEPT: usize = 30;

fn tree() -> String {
    let mut ldif = String::from(
        "dn: dc=acme,dc=example\nobjectClass: dcObject\nobjectClass: organization\no: ACME\ndc: acme\n\n\
         dn: cn=reader,dc=acme,dc=example\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
         cn: reader\nuserPassword: reader's password\n\n\
         dn: cn=writer,dc=acme,dc=example\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n\
         cn: writer\nuserPassword: writer's password\n\n\
         dn: ou=kept,dc=acme,dc=example\nobjectClass: organizationalUnit\nou: kept\n\n\
         dn: ou=people,dc=acme,dc=example\nobjectClass: organizationalUnit\nou: people\n\n\
         dn: ou=groups,dc=acme,dc=example\nobjectClass: organizationalUnit\nou: groups\n\n\
         dn: ou=others,dc=acme,dc=example\nobjectClass: organizationalUnit\nou: others\n\n\
         dn: ou=elsewhere,ou=others,dc=acme,dc=example\nobjectClass: referral\nobjectClass: extensibleObject\n\
         ou: elsewhere\nref: ldap://127.0.0.1:1/dc=elsewhere\n\n",
    );
    let mut person = |dn: &str, uid: &str, lines: &str| {
        writeln!(
            ldif,
            "dn: {dn},dc=acme,dc=example\nobjectClass: inetOrgPerson\nobjectClass: labAccount\ncn: {uid}\nsn: {uid}\n\
             uid: {uid}\nuserPassword: {uid}'s password\n{lines}"
        )
        .unwrap();
    };
    let people = [
        (
            "alice",
            "mobile: +41 79 000 00 01\npreferredLanguage: fr-CH\nlabSerial: MIDCHE1\nuserAccountControl: 512\n",
        ),
        ("bob", "userAccountControl: 512\n"),
        ("carol", "mobile: +41 79 000 00 03\nuserAccountControl: 514\n"),
        ("dave", "mobile: 079 000 00 04\nuserAccountControl: 512\n"),
        ("erin", "mobile: +41 79 000 00 05\nuserAccountControl: 512\naccountExpires: 132223104000000000\n"),
        ("paren)(", "mobile: +41 79 000 00 06\nuserAccountControl: 512\n"),
        // A line's end, and NUL.
        ("frank", "mobile: +41 79 000 00 07\nlabNote:: YQpi\n"),
        ("grace", "mobile: +41 79 000 00 08\nlabNote:: YQBi\n"),
    ];
    for (uid, lines) in people {
        person(&format!("uid={uid},ou=people"), uid, lines);
    }
    person(
        "uid=heidi,ou=people",
        "heidi",
        &format!("mobile: +41790000009\nlabNote: {}\n", "x".repeat(1 << 20)),
    );
    person("uid=twin,ou=people", "twin", "mobile: +41790000010\n");
    person("cn=twin,ou=people", "twin", "mobile: +41790000011\n");
    person("uid=outsider,ou=others", "outsider", "mobile: +41790000012\n");
    for at in 0..KEPT {
        let uid = format!("Kept{at}");
        person(&format!("uid={uid},ou=kept"), &uid, "mobile: +41790000020\n");
    }
    for at in 0..STAFF {
        let (uid, number) = (format!("staff{at}"), format!("mobile: +4179{at:07}\n"));
        person(&format!("uid={uid},ou=people"), &uid, &number);
    }
    let mut group = |cn: &str, members: &[&str]| {
        write!(ldif, "dn: cn={cn},ou=groups,dc=acme,dc=example\nobjectClass: groupOfNames\ncn: {cn}\n")
            .unwrap();
        for member in members {
            writeln!(ldif, "member: {member},dc=acme,dc=example").unwrap();
        }
        ldif.push('\n');
    };
    group("vpn", &["uid=alice,ou=people", "uid=staff1,ou=people"]);
    // The company is in itself, by way of the vpn.
    group("company", &["cn=vpn,ou=groups", "cn=all,ou=groups"]);
    group("all", &["cn=company,ou=groups"]);
    group("others", &["uid=bob,ou=people"]);
    // Nine, each in the next, with somebody in the second and somebody in the first.
    group("deep1", &["uid=staff4,ou=people"]);
    group("deep2", &["cn=deep1,ou=groups", "uid=staff3,ou=people"]);
    for at in 3..10 {
        group(&format!("deep{at}"), &[&format!("cn=deep{},ou=groups", at - 1)]);
    }
    // As many as a reader of names gets of this server by default, and more.
    for at in 0..600 {
        group(&format!("team{at}"), &["uid=staff5,ou=people"]);
    }
    ldif
}

#[test]
fn people_are_found_by_their_names_and_by_nothing_else() {
    let slapd = Slapd::shared();
    let ldap = slapd.ldap();
    for (user, expected) in [
        ("alice", "41790000001"),
        ("paren)(", "41790000006"),
        ("staff0", "41790000000"),
        ("staff9999", "41790009999"),
        ("bob", "not enrolled"),
        ("nobody", "not enrolled"),
        ("outsider", "not enrolled"),
        // The server takes these for alice. They are not unknown, or they might need no phone.
        ("ALICE", "unusable: the entry's uid: is not this user's name letter for letter"),
        ("alice ", "unusable: the entry's uid: is not this user's name letter for letter"),
        (" alice", "unusable: the entry's uid: is not this user's name letter for letter"),
        // And these would be more than a name, were they pasted into the filter.
        ("*", "not enrolled"),
        ("alic*", "not enrolled"),
        ("alice)(uid=*", "not enrolled"),
        ("*)(objectClass=*", "not enrolled"),
        ("\\61lice", "not enrolled"),
        ("alice)(|(uid=*", "not enrolled"),
        (
            "dave",
            "unusable: the entry's mobile: has no phone number with its country code, like +41791234567",
        ),
        ("twin", "unusable: more than one entry fits the filter: which of them logs in is not guessed"),
    ] {
        assert_eq!(asked(&ldap, user), expected, "{user}");
    }
    let user = "alice".parse().unwrap();
    let Ok(Answer::Found(alice)) = lookup(&ldap, &user, &patient(), in_a_minute(), SystemTime::now()) else {
        panic!("alice is not found")
    };
    assert_eq!(alice.language, Some(crate::subscriber::Language::Fr));
    assert_eq!(alice.serial.unwrap().as_str(), "MIDCHE1");
    let swiss = Ldap { default_country: Some("41".into()), ..slapd.ldap() };
    assert_eq!(asked(&swiss, "dave"), "41790000004");
}

#[test]
fn ten_thousand_who_fit_are_nobody_and_bounded() {
    let slapd = Slapd::shared();
    let every = Ldap { filter: "(|(uid={user})(uid=staff*))".parse().unwrap(), ..slapd.ldap() };
    assert!(asked(&every, "alice").starts_with("unusable: more than one entry"));
}

#[test]
fn accounts_of_active_directory_are_barred() {
    let slapd = Slapd::shared();
    let ad = Ldap { active_directory: true, ..slapd.ldap() };
    assert_eq!(asked(&ad, "alice"), "41790000001");
    assert_eq!(asked(&ad, "carol"), "barred: the account is disabled (userAccountControl)");
    assert_eq!(asked(&ad, "erin"), "barred: the account has expired (accountExpires)");
    assert!(asked(&ad, "staff1").starts_with("unusable: the entry's userAccountControl: cannot be read"));
}

#[test]
fn groups_are_found_and_those_that_hold_them() {
    let slapd = Slapd::shared();
    let search = |nested| GroupSearch {
        base: "ou=groups,dc=acme,dc=example".into(),
        filter: "(&(objectClass=groupOfNames)(member={dn}))".parse().unwrap(),
        name: "cn".into(),
        nested,
    };
    let direct = Ldap { groups: Some(search(false)), ..slapd.ldap() };
    assert_eq!(asked(&direct, "alice"), "41790000001 vpn");
    assert_eq!(asked(&direct, "staff2"), "41790000002");
    let nested = Ldap { groups: Some(search(true)), ..slapd.ldap() };
    assert_eq!(asked(&nested, "alice"), "41790000001 vpn company all");
    let eight: String = (2..10).map(|at| format!(" deep{at}")).collect();
    assert_eq!(asked(&nested, "staff3"), format!("41790000003{eight}"));
    assert_eq!(asked(&nested, "staff4"), "unusable: groups are nested more than 8 deep");
    // The server sends 500 of 600: those that are missing might be the ones that a rule is about.
    assert!(asked(&direct, "staff5").starts_with("unusable: more groups of one member than are listed"));
}

#[test]
fn hostile_values_are_refused() {
    let slapd = Slapd::shared();
    let mut notes = slapd.ldap();
    notes.attributes.groups = Some("labNote".into());
    for user in ["frank", "grace"] {
        assert_eq!(asked(&notes, user), "unusable: a group's name is no text of at most 256 printable bytes");
    }
    let said = asked(&notes, "heidi");
    assert!(said.starts_with("unusable: ") && said.contains("longer than 1 MiB"), "{said}");
    // What is not asked for is not sent.
    assert_eq!(asked(&slapd.ldap(), "heidi"), "41790000009");
}

#[test]
fn referrals_are_named_and_not_followed() {
    let slapd = Slapd::shared();
    let base = |base: &str| Ldap { base: base.into(), ..slapd.ldap() };
    let referred = "refers to another server, which is not followed";
    assert!(asked(&base("dc=acme,dc=example"), "alice").contains(referred));
    assert!(asked(&base("ou=elsewhere,ou=others,dc=acme,dc=example"), "alice").contains(referred));
    assert!(asked(&base("ou=nowhere,dc=acme,dc=example"), "alice").contains("has no entry ou=nowhere"));
    // A forest's other domains are left out where the server is Active Directory's.
    let forest = Ldap { active_directory: true, ..base("dc=acme,dc=example") };
    assert_eq!(asked(&forest, "alice"), "41790000001");
}

#[test]
fn tls_is_believed_under_the_configured_root_and_name_alone() {
    let slapd = Slapd::shared();
    for (address, security) in [(slapd.tls, Security::Tls), (slapd.plain, Security::StartTls)] {
        assert_eq!(asked(&slapd.over(address, security, "root.pem"), "alice"), "41790000001");
        let said = asked(&slapd.over(address, security, "stranger.pem"), "alice");
        assert!(said.contains("UnknownIssuer"), "{said}");
        let mut other = slapd.over(address, security, "root.pem");
        other.servers[0].name = "127.0.0.1".into();
        assert_eq!(asked(&other, "alice"), "41790000001");
        for name in ["dc1.acme.example", "127.0.0.2", "::1"] {
            other.servers[0].name = name.into();
            let said = asked(&other, "alice");
            assert!(
                said.contains("not valid for name") || said.contains("NotValidForName"),
                "{name}: {said}"
            );
        }
    }
}

#[test]
fn whoever_asks_has_to_be_let_in() {
    let slapd = Slapd::shared();
    let wrong = Ldap { bind: reader("not the password"), ..slapd.ldap() };
    assert!(asked(&wrong, "alice").contains("does not let bind_dn in: invalidCredentials (49)"));
    let nobody = Ldap { bind: Bind::Anonymous, ..slapd.ldap() };
    assert!(asked(&nobody, "alice").starts_with("away: "), "{}", asked(&nobody, "alice"));
    let mut failover = slapd.ldap();
    failover.servers.insert(0, server(refusing(), Security::Loopback));
    assert_eq!(asked(&failover, "alice"), "41790000001");
}

#[test]
fn passwords_are_judged() {
    let slapd = Slapd::shared();
    let tls = slapd.over(slapd.tls, Security::Tls, "root.pem");
    let judged = |user: &str, password: &str| {
        let user = user.parse().unwrap();
        judge(&tls, &user, &Secret::new(password.into()), &patient(), in_a_minute()).unwrap()
    };
    assert_eq!(judged("alice", "alice's password"), Judged::Right);
    for (user, password) in [
        ("alice", "bob's password"),
        ("alice", ""),
        ("alice", "alice's password\0"),
        ("ALICE", "alice's password"),
        ("alice", " "),
        ("nobody", "alice's password"),
        ("*", "alice's password"),
    ] {
        assert_eq!(judged(user, password), Judged::Wrong, "{user} {password:?}");
    }
    assert!(matches!(judged("twin", "twin's password"), Judged::Away(why) if why.contains("more than one")));
}
