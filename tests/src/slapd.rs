//! OpenLDAP's server beside the world: an administrator adds people with ldapadd, the product asks it over TLS.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::lab::end;
use crate::radius::free_port;
use crate::{DEADLINE, Lab, Simulator};

/// A running slapd with the tree `dc=acme,dc=example`.
#[derive(Debug)]
pub struct Slapd {
    process: Child,
    folder: PathBuf,
    port: u16,
}

/// The password of the account that the product asks as, and of the administrator.
const READER: &str = "reader's password";

impl Lab {
    /// Starts one with nobody in it but the account that the product asks as.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn slapd(&self) -> Result<Slapd> {
        let folder = self.path("/run/lab/slapd");
        fs::create_dir_all(folder.join("db"))?;
        certificates(&folder)?;
        let place = folder.to_str().context("the laboratory's folder is text")?;
        fs::write(folder.join("slapd.conf"), CONF.replace("FOLDER", place))?;
        fs::write(folder.join("tree.ldif"), TREE)?;
        let conf = folder.join("slapd.conf");
        run(Command::new("/usr/sbin/slapadd").arg("-f").arg(&conf).arg("-l").arg(folder.join("tree.ldif")))?;
        let port = free_port()?;
        let mut process = Command::new("/usr/sbin/slapd")
            .args(["-d", "0", "-h", &format!("ldaps://127.0.0.1:{port}"), "-f"])
            .arg(&conf)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run slapd")?;
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            ensure!(process.try_wait()?.is_none() && Instant::now() < deadline, "slapd does not come up");
            // A port tells nobody that it is open; trying again is all there is.
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Slapd { process, folder, port })
    }
}

impl Slapd {
    /// Adds a person, as an administrator does.
    ///
    /// # Errors
    /// What ldapadd says.
    pub fn hire(&self, uid: &str, password: &str, number: &str) -> Result<()> {
        let person = format!(
            "dn: uid={uid},ou=people,dc=acme,dc=example\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
             userPassword: {password}\nmobile: {number}\n"
        );
        self.apply("ldapadd", &person)
    }

    /// Makes the product ask it, by the recipe of `docs/directories.md`.
    ///
    /// # Errors
    /// When files cannot be read or written.
    pub fn configure(&self, lab: &Lab, mobile_id: &Simulator<'_>) -> Result<()> {
        lab.write("/etc/mobileid/ldap.secret", 0o600, &format!("{READER}\n"))?;
        let root = fs::read_to_string(self.folder.join("root.pem"))?;
        lab.write("/etc/mobileid/ldap-ca.pem", 0o644, &root)?;
        mobile_id.configure(&RECIPE.replace("PORT", &self.port.to_string()))
    }

    /// The same, and makes it the keeper of serial numbers: they are read from this attribute and written to it. The
    /// product may write [`Slapd::WRITABLE`] and nothing else.
    ///
    /// # Errors
    /// As [`Slapd::configure`].
    pub fn configure_as_keeper(&self, lab: &Lab, mobile_id: &Simulator<'_>, attribute: &str) -> Result<()> {
        self.configure(lab, mobile_id)?;
        mobile_id.set("[directory]", "write_serial = true")?;
        mobile_id.set("directory.attributes", &format!("serial = \"{attribute}\""))
    }

    /// The attribute that the product may write.
    pub const WRITABLE: &str = "employeeNumber";

    /// The values of a person's attribute.
    ///
    /// # Errors
    /// What ldapsearch says.
    pub fn values(&self, uid: &str, attribute: &str) -> Result<Vec<String>> {
        let person = format!("uid={uid},ou=people,dc=acme,dc=example");
        let mut search = self.client("ldapsearch");
        let found = run(search.args(["-LLL", "-o", "ldif-wrap=no", "-s", "base", "-b", &person, attribute]))?;
        let begin = format!("{attribute}: ");
        Ok(found.lines().filter_map(|line| Some(line.strip_prefix(&begin)?.to_owned())).collect())
    }

    /// Gives a person's attribute this value in place of all others, as an administrator does.
    ///
    /// # Errors
    /// What ldapmodify says.
    pub fn replace(&self, uid: &str, attribute: &str, value: &str) -> Result<()> {
        let person = format!("uid={uid},ou=people,dc=acme,dc=example");
        self.apply("ldapmodify", &format!("dn: {person}\nreplace: {attribute}\n{attribute}: {value}\n"))
    }

    /// Takes every value of a person's attribute away.
    ///
    /// # Errors
    /// What ldapmodify says.
    pub fn clear(&self, uid: &str, attribute: &str) -> Result<()> {
        let person = format!("uid={uid},ou=people,dc=acme,dc=example");
        self.apply("ldapmodify", &format!("dn: {person}\ndelete: {attribute}\n"))
    }

    fn apply(&self, program: &str, ldif: &str) -> Result<()> {
        let file = self.folder.join("change.ldif");
        fs::write(&file, ldif)?;
        run(self.client(program).arg("-f").arg(file)).map(drop)
    }

    /// One of OpenLDAP's clients, as the administrator.
    fn client(&self, program: &str) -> Command {
        let mut client = Command::new(program);
        client
            .env("LDAPTLS_CACERT", self.folder.join("root.pem"))
            .args(["-x", "-H", &format!("ldaps://127.0.0.1:{}", self.port)])
            .args(["-D", "cn=admin,dc=acme,dc=example", "-w", READER]);
        client
    }

    /// Stops it, as an outage would.
    pub fn stop(&mut self) {
        end(&mut self.process);
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

const RECIPE: &str = r#"
[[directory]]
type = "ldap"
name = "openldap"
servers = ["ldaps://127.0.0.1:PORT"]
trust = "ldap-ca.pem"
bind_dn = "cn=mobileid,dc=acme,dc=example"
bind_password_file = "ldap.secret"
base = "ou=people,dc=acme,dc=example"
filter = "(&(objectClass=inetOrgPerson)(uid={user}))"
[directory.attributes]
user = "uid"
language = "preferredLanguage"
"#;

const CONF: &str = r#"
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile FOLDER/slapd.pid
TLSCACertificateFile FOLDER/root.pem
TLSCertificateFile FOLDER/server.pem
TLSCertificateKeyFile FOLDER/server.key
database mdb
suffix dc=acme,dc=example
rootdn cn=admin,dc=acme,dc=example
rootpw "reader's password"
directory FOLDER/db
access to attrs=userPassword by anonymous auth by * none
access to attrs=employeeNumber by dn.exact="cn=mobileid,dc=acme,dc=example" write
access to dn.subtree="ou=people,dc=acme,dc=example" by dn.exact="cn=mobileid,dc=acme,dc=example" read
"#;

const TREE: &str = "dn: dc=acme,dc=example
objectClass: dcObject
objectClass: organization
o: ACME
dc: acme

dn: cn=mobileid,dc=acme,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: mobileid
userPassword: reader's password

dn: ou=people,dc=acme,dc=example
objectClass: organizationalUnit
ou: people
";

fn certificates(folder: &std::path::Path) -> Result<()> {
    fs::write(folder.join("server.ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1")?;
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    for arguments in [
        format!("req -x509 {key} -keyout root.key -out root.pem -days 2 -subj /CN=root"),
        format!("req {key} -keyout server.key -out server.csr -subj /CN=localhost"),
        "x509 -req -in server.csr -CA root.pem -CAkey root.key -CAcreateserial -days 2 -extfile server.ext \
         -out server.pem"
            .to_owned(),
    ] {
        run(Command::new("openssl").args(arguments.split_whitespace()).current_dir(folder))?;
    }
    Ok(())
}

/// What a command prints.
fn run(command: &mut Command) -> Result<String> {
    let done = command.output().with_context(|| format!("cannot run {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    }
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
