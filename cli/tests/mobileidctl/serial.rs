//! Serial numbers that are kept, as the administrator sees and changes them.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{DirBuilderExt as _, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, UNIX_EPOCH},
};

use mobileid::{
    driver::pins::Pins,
    login::{self, Pinned},
    memory::pin::By,
    subscriber::Entry,
};

use crate::support::{Folder, Run, binary, ctl};

const OLD: &str = "MIDCHE0000000001";
const NEW: &str = "MIDCHE0000000002";

/// A configuration with alice in its table, and a folder of serial numbers.
struct House(Folder);

impl House {
    fn new() -> Self {
        Self(Folder::sound())
    }

    fn pins(&self) -> Pins {
        Pins::at(&self.0.path("state"))
    }

    /// A first login.
    fn logged_in(&self, user: &str, entry: &str, serial: &str) {
        let entry = Entry { directory: "users".to_owned(), id: entry.to_owned() };
        let pin = login::Pin { user: user.parse().unwrap(), entry, serial: serial.parse().unwrap() };
        let at = UNIX_EPOCH + Duration::from_secs(1_719_909_000);
        assert_eq!(self.pins().keep(&pin, By::Login, at), Pinned::Kept);
    }

    fn kept(&self, entry: &str) -> Option<String> {
        self.pins().get(entry).unwrap().map(|pin| pin.serial.to_string())
    }

    /// Runs `mobileidctl serial WORDS` on the folder, with the configuration where it takes one.
    fn serial(&self, words: &str) -> Run {
        let (state, config) = (self.0.text("state"), self.0.text("mobileid.toml"));
        let mut arguments: Vec<&str> = ["serial"].into_iter().chain(words.split(' ')).collect();
        arguments.extend(["--state", &state]);
        if !words.starts_with("list") {
            arguments.extend(["--config", &config]);
        }
        ctl(&arguments)
    }

    fn damage(&self) {
        let record = fs::read_dir(self.0.path("state/pins-1")).unwrap().map(|file| file.unwrap().path());
        record.filter(|path| path.extension().is_none()).for_each(|path| fs::write(path, "half").unwrap());
    }
}

/// Both, without what is said of this host's system log, which may have none.
fn said(run: &Run) -> (i32, &str, String) {
    let stderr = run.stderr.lines().filter(|line| !line.contains("not in the system log"));
    (run.code, run.stdout.as_str(), stderr.collect::<Vec<_>>().join("\n"))
}

#[test]
fn what_is_kept_is_listed() {
    let house = House::new();
    assert_eq!(said(&house.serial("list")), (0, "", "no serial numbers are kept here".to_owned()));
    house.logged_in("bob", "uid=bob,ou=people", NEW);
    house.logged_in("alice", "alice", OLD);
    // Who logs in with a phone number for a name shows it to nobody.
    house.logged_in("+41791234567", "41791234567", OLD);
    let run = house.serial("list");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 3), "{run:?}");
    let bob =
        format!("bob                  {NEW}, since 2024-07-02T08:30:00Z, by login, as uid=bob,ou=people");
    assert!(run.stdout.contains(&bob), "{run:?}");
    assert!(!run.stdout.contains("1234567"), "{run:?}");
    let json = house.serial("list --json").json();
    assert_eq!(json["serial"][1]["user"], "alice");
    assert_eq!(json["serial"][1]["serial"], OLD);
    assert_eq!(json["serial"][2]["by"], "login");
    house.damage();
    let run = house.serial("list");
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.contains("damaged, or of another version: 3"), "{run:?}");
}

#[test]
fn who_only_looks_makes_no_folders() {
    let house = House::new();
    for (words, code) in [("list", 0), ("show alice", 1), ("forget alice", 1)] {
        assert_eq!(house.serial(words).code, code, "{words}");
    }
    let (state, config) = (house.0.text("state"), house.0.text("mobileid.toml"));
    assert_eq!(ctl(&["whois", "alice", "--state", &state, "--config", &config]).code, 0);
    assert_eq!(ctl(&["breakglass", "list", "--state", &state]).code, 0);
    for verb in ["grace", "pushes"] {
        assert_eq!(ctl(&[verb, "list", "--runtime", &state]).code, 0, "{verb}");
    }
    assert!(!house.0.path("state").exists());
    fs::DirBuilder::new().mode(0o700).create(house.0.path("state")).unwrap();
    assert_eq!(house.serial("list").code, 0);
    assert_eq!(fs::read_dir(house.0.path("state")).unwrap().count(), 0);
}

#[test]
fn a_serial_number_that_is_none_is_not_pinned() {
    let house = House::new();
    for serial in
        ["MIDCHE000000000", "MIDCHE00000000011", "MIDCHEO16P1O6E9-", "CHE0000000000001", "MIDCHEé00000000"]
    {
        let run = house.serial(&format!("pin alice {serial}"));
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.stderr.contains("is MIDCHE and ten letters or digits"), "{run:?}");
    }
    assert!(!house.0.path("state").exists());
    // As a profile query writes it.
    assert_eq!(house.serial("pin alice midcheo16p1o6e92").code, 0);
    assert_eq!(house.kept("alice").as_deref(), Some("midcheo16p1o6e92"));
}

#[test]
fn a_folder_may_be_named_from_where_one_is() {
    let house = House::new();
    house.logged_in("alice", "alice", OLD);
    let mut command = binary();
    command.args(["serial", "list", "--state", "state"]).current_dir(house.0.path(""));
    let run = Run::of(command.output().unwrap());
    assert!(run.code == 0 && run.stdout.contains(OLD), "{run:?}");
}

#[test]
fn what_counts_is_shown() {
    let house = House::new();
    let run = house.serial("show alice");
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.stdout.contains("users says none, and none is kept here"), "{run:?}");
    house.logged_in("alice", "alice", OLD);
    let run = house.serial("show alice");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(
        run.stdout.contains(&format!("kept        {OLD}, since 2024-07-02T08:30:00Z, by login, as alice"))
    );
    assert!(run.stdout.contains("policy      first-use: "), "{run:?}");
    let json = house.serial("show alice --json").json();
    assert_eq!(
        (&json["kept"][0]["serial"], &json["serial"], &json["policy"]),
        (&OLD.into(), &OLD.into(), &"first-use".into())
    );

    house.0.write("users.toml", format!("[alice]\nmsisdn = \"+41791234567\"\nserial = \"{NEW}\"\n"));
    let run = house.serial("show alice");
    assert!(run.stdout.contains(&format!("users says {NEW}, which counts")), "{run:?}");
    assert_eq!(house.serial("show alice --json").json()["serial"], NEW);
    // The person has gone from the table; what was kept is still here, and by its entry as well.
    house.logged_in("bob", "uid=bob,ou=people", OLD);
    for name in ["bob", "uid=bob,ou=people"] {
        let run = house.serial(&format!("show {name}"));
        assert_eq!(run.code, 1, "{run:?}");
        assert!(run.stdout.contains("by login, as uid=bob,ou=people"), "{run:?}");
        assert!(run.stdout.contains("none of them knows the user"), "{run:?}");
    }
    // And where the configuration cannot be read.
    house.0.edit("ap_id", "ap_di");
    let run = house.serial("show bob");
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.stdout.contains(OLD) && run.stderr.contains("service.ap_di: unknown key"), "{run:?}");
}

#[test]
fn a_serial_number_is_given() {
    let house = House::new();
    let state = house.0.text("state");
    let run = house.serial(&format!("pin alice {OLD}"));
    assert_eq!(said(&run), (0, &*format!("alice: {OLD} is kept in {state}\n"), String::new()));
    let run = house.serial(&format!("pin alice {NEW}"));
    assert_eq!(run.stdout, format!("alice: {NEW} is kept in {state}, in place of {OLD}\n"));
    assert_eq!(house.kept("alice").as_deref(), Some(NEW));
    let json = house.serial(&format!("pin alice {OLD} --json")).json();
    assert_eq!((&json["old"], &json["new"], &json["entry"]), (&NEW.into(), &OLD.into(), &"alice".into()));
    assert!(house.serial("list").stdout.contains("by administrator"));
    // What cannot be read is written over.
    house.damage();
    let run = house.serial("show alice");
    assert!(
        run.code == 2 && run.stdout.contains("cannot be read: mobileidctl serial forget 'alice'"),
        "{run:?}"
    );
    assert_eq!(house.serial(&format!("pin alice {NEW}")).code, 0);

    let run = house.serial(&format!("pin bob {OLD}"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{run:?}");
    assert!(run.stderr.contains("bob is in no directory"), "{run:?}");
    house.0.write("users.toml", format!("[alice]\nmsisdn = \"+41791234567\"\nserial = \"{OLD}\"\n"));
    let run = house.serial(&format!("pin alice {NEW}"));
    assert_eq!(said(&run), (1, "", format!("users says {OLD}, which is what counts: change it there")));
    house.0.write("users.toml", "[alice]\nmsisdn = \"+41791234567\"\n");
    house.0.edit("[signature]\n", "[signature]\nserial = \"ignore\"\n");
    let run = house.serial(&format!("pin alice {NEW}"));
    assert!(run.code == 0 && run.stderr.contains("no login looks at it"), "{run:?}");
    house.0.edit("ap_id", "ap_di");
    assert_eq!(house.serial(&format!("pin alice {OLD}")).code, 2);
}

#[test]
fn a_serial_number_is_forgotten() {
    let house = House::new();
    let state = house.0.text("state");
    assert_eq!(said(&house.serial("forget alice")), (1, "", "no serial number of alice is kept".to_owned()));
    house.logged_in("alice", "alice", OLD);
    let run = house.serial("forget alice");
    assert_eq!(said(&run), (0, &*format!("alice: {OLD} is forgotten in {state}, as alice\n"), String::new()));
    // Whoever is called so, and whatever is.
    house.logged_in("alice", "uid=alice,ou=people", OLD);
    house.logged_in("someone", "alice", NEW);
    house.logged_in("bob", "bob", OLD);
    let run = house.serial("forget alice");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run:?}");
    assert!(run.stderr.contains("alice stands for 2 entries, and all are forgotten"), "{run:?}");
    assert_eq!(house.kept("bob").as_deref(), Some(OLD));
    house.damage();
    let run = house.serial("forget bob --json");
    assert_eq!((run.code, &run.json()["forgotten"][0]["entry"]), (0, &"bob".into()), "{run:?}");
    assert!(run.json()["forgotten"][0]["old"].is_null());
    // Neither the person nor the configuration is needed.
    house.logged_in("bob", "uid=bob,ou=people", OLD);
    house.0.edit("ap_id", "ap_di");
    let run = house.serial("forget uid=bob,ou=people");
    assert_eq!(run.code, 0, "{run:?}");
    assert!(run.stderr.contains("directories that keep serial numbers themselves are not asked"), "{run:?}");
    let run = house.serial("forget bob");
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
}

#[test]
fn a_folder_of_the_responders_is_the_responders() {
    let house = House::new();
    house.logged_in("alice", "alice", OLD);
    if !nix::unistd::geteuid().is_root() {
        return; // Only root can give a folder away.
    }
    chown(house.0.path("state"), Some(65_534), None).unwrap();
    for words in ["list", "show alice", "forget alice"] {
        let run = house.serial(words);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run:?}");
        let told = format!(
            "{} belongs to nobody: run this as nobody:\nrunuser -u nobody -- ",
            house.0.text("state")
        );
        assert!(run.stderr.contains(&told), "{run:?}");
        assert!(
            run.stderr.contains(&format!("mobileidctl serial {words} --state {}", house.0.text("state")))
        );
    }
}

/// slapd, with alice in it, and an attribute that the reader may write.
struct Slapd {
    process: Child,
    folder: PathBuf,
    port: u16,
}

const CONF: &str = "
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=x
directory FOLDER/db
rootdn cn=reader,dc=x
rootpw secret
";

const TREE: &str = "dn: dc=x
objectClass: dcObject
objectClass: organization
o: x
dc: x

dn: uid=alice,dc=x
objectClass: inetOrgPerson
cn: alice
sn: alice
uid: alice
mobile: +41791234567
";

impl Slapd {
    fn start(house: &House) -> Self {
        let folder = house.0.path("slapd");
        fs::create_dir_all(folder.join("db")).unwrap();
        let conf = folder.join("slapd.conf");
        fs::write(&conf, CONF.replace("FOLDER", folder.to_str().unwrap())).unwrap();
        fs::write(folder.join("tree.ldif"), TREE).unwrap();
        let add = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(&conf)
            .arg("-l")
            .arg(folder.join("tree.ldif"))
            .output();
        assert!(add.unwrap().status.success());
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let url = format!("ldap://127.0.0.1:{port}");
        let process = Command::new("/usr/sbin/slapd")
            .args(["-d", "0", "-h", &url, "-f"])
            .arg(&conf)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let slapd = Self { process, folder, port };
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "slapd does not come up");
            thread::sleep(Duration::from_millis(20));
        }
        slapd
    }

    /// The directory "corp", in the configuration of this house.
    fn configured(&self, house: &House) {
        house.0.write("ldap.secret", "secret");
        let corp = format!(
            "[[directory]]\ntype = \"ldap\"\nname = \"corp\"\nservers = [\"ldap://127.0.0.1:{}\"]\n\
             bind_dn = \"cn=reader,dc=x\"\nbind_password_file = \"ldap.secret\"\nbase = \"dc=x\"\n\
             filter = \"(uid={{user}})\"\ntimeout = 2\nwrite_serial = true\nattributes.serial = \"employeeNumber\"\n",
            self.port
        );
        house.0.edit("[users]\ntable = \"users.toml\"\n", &corp);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_directory_that_keeps_them_is_changed_itself() {
    let house = House::new();
    let slapd = Slapd::start(&house);
    slapd.configured(&house);
    let run = house.serial("show alice");
    assert!(run.code == 1 && run.stdout.contains("corp keeps none yet"), "{run:?}");
    assert_eq!(said(&house.serial(&format!("pin alice {OLD}"))).1, format!("alice: {OLD} is kept in corp\n"));
    let run = house.serial(&format!("pin alice {NEW}"));
    assert_eq!(run.stdout, format!("alice: {NEW} is kept in corp, in place of {OLD}\n"));
    assert!(house.serial("show alice").stdout.contains(&format!("corp keeps {NEW}")));
    assert_eq!(house.kept("uid=alice,dc=x"), None);
    // What lies here of former times goes as well.
    house.logged_in("alice", "uid=alice,dc=x", OLD);
    let run = house.serial("forget alice");
    assert_eq!((run.code, run.stdout.lines().count()), (0, 2), "{run:?}");
    assert!(run.stdout.contains(&format!("alice: {NEW} is forgotten in corp, as alice\n")), "{run:?}");
    assert_eq!(house.serial("forget alice").code, 1);

    house.logged_in("alice", "uid=alice,dc=x", OLD);
    drop(slapd);
    let run = house.serial("forget alice");
    assert_eq!((run.code, run.stdout.lines().count()), (2, 1), "{run:?}");
    assert!(run.stderr.contains("corp: ") && run.stderr.contains("refused"), "{run:?}");
    assert_eq!(house.serial("show alice").code, 2);
    assert_eq!(house.serial(&format!("pin alice {NEW}")).code, 2);
}
