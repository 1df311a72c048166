//! FreeRADIUS, in front of the responder and behind it, each with no more configuration than its part needs.

use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use crate::lab::end;
use crate::radius::SECRET;
use crate::radius::responder::free_port;
use crate::{Lab, Lines};

/// A running FreeRADIUS.
#[derive(Debug)]
pub struct FreeRadius {
    process: Child,
    port: u16,
    log: Lines,
}

/// What one of them does, in its own language.
struct Part {
    /// The secret of whoever asks it.
    secret: &'static str,
    /// Within `modules`.
    modules: String,
    /// Realms, home servers and virtual servers; `default` is the one that is asked.
    servers: String,
    /// The file of users.
    users: String,
}

impl Lab {
    /// A server that knows passwords by PAP, CHAP and MS-CHAP, in the language of its users file. The user
    /// `token` is asked for `Token?` first and gets in with the password 123456.
    ///
    /// # Errors
    /// When it does not come up; the message carries its log.
    pub fn passwords(&self, secret: &'static str, users: &str) -> Result<FreeRadius> {
        let servers = format!("server default {{\n{PASSWORDS}\n}}");
        let users = format!("token\tCleartext-Password := \"123456\"\n\n{users}\n");
        let modules = format!("{METHODS}\nfiles {{\n filename = ${{raddbdir}}/users\n}}");
        FreeRadius::start(self, &Part { secret, modules, servers, users })
    }

    /// A proxy that hands everything on to a loopback port. It adds a Proxy-State, as proxies do.
    ///
    /// # Errors
    /// As [`Lab::passwords`].
    pub fn proxy(&self, port: u16) -> Result<FreeRadius> {
        let servers = format!("{}\nserver default {{\nauthorize {{\n{ALL_ON}\n}}\n}}", home(port));
        FreeRadius::start(
            self,
            &Part { secret: SECRET, modules: String::new(), servers, users: String::new() },
        )
    }

    /// A server at which the outer EAP of TTLS ends, and which hands what is in the tunnel on to a loopback port.
    ///
    /// # Errors
    /// As [`Lab::passwords`].
    pub fn tunnel(&self, port: u16) -> Result<FreeRadius> {
        let folder = self.path("/run/lab/tunnel");
        std::fs::create_dir_all(&folder)?;
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=tunnel"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .current_dir(&folder)
            .output()?;
        ensure!(made.status.success(), "openssl: {}", String::from_utf8_lossy(&made.stderr));
        let servers =
            format!("{}\n{TUNNEL_SERVERS}\nserver inner {{\nauthorize {{\n{ALL_ON}\n}}\n}}", home(port));
        let modules = format!("{METHODS}\n{TUNNEL_MODULE}");
        FreeRadius::start(self, &Part { secret: SECRET, modules, servers, users: String::new() })
    }
}

impl FreeRadius {
    fn start(lab: &Lab, part: &Part) -> Result<Self> {
        // Between finding a free port and taking it, another process may: then the next one is tried.
        for _ in 0..5 {
            let port = free_port()?;
            let raddb = format!("/run/lab/raddb-{port}");
            std::fs::create_dir_all(lab.path(&raddb))?;
            lab.write(&format!("{raddb}/dictionary"), 0o644, "")?;
            lab.write(&format!("{raddb}/users"), 0o600, &part.users)?;
            lab.write(&format!("{raddb}/radiusd.conf"), 0o600, &configuration(&raddb, port, part))?;
            let mut process = lab
                .command("freeradius")
                .args(["-f", "-l", "stdout", "-d", &raddb])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .context("cannot run nsenter (util-linux)")?;
            let log = Lines::of_pipe(process.stdout.take().context("FreeRADIUS has a log")?);
            let server = Self { process, port, log };
            match server.log.wait_for("Ready to process requests") {
                Ok(_) => return Ok(server),
                Err(_) if !server.log.containing("Address already in use").is_empty() => {}
                Err(error) => return Err(error.context("FreeRADIUS did not come up")),
            }
        }
        bail!("FreeRADIUS found no free port in five tries")
    }

    /// Its port on loopback.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it logs: every login among it.
    #[must_use]
    pub fn log(&self) -> &Lines {
        &self.log
    }
}

impl Drop for FreeRadius {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn configuration(raddb: &str, port: u16, part: &Part) -> String {
    let Part { secret, modules, servers, .. } = part;
    format!(
        r#"
prefix = /usr
raddbdir = {raddb}
logdir = {raddb}
db_dir = {raddb}
libdir = /usr/lib/freeradius
name = lab
max_request_time = 60
cleanup_delay = 5
hostname_lookups = no
log {{
  destination = stdout
  auth = yes
}}
security {{
  reject_delay = 0
  status_server = yes
}}
thread pool {{
  start_servers = 2
  max_servers = 8
  min_spare_servers = 1
  max_spare_servers = 4
  max_requests_per_server = 0
}}
modules {{
{modules}
}}
client lab {{
  ipaddr = 127.0.0.1
  secret = "{secret}"
  require_message_authenticator = yes
}}
listen {{
  type = auth
  ipaddr = 127.0.0.1
  port = {port}
  virtual_server = default
}}
{servers}
"#
    )
}

/// Where a proxy hands its requests to.
fn home(port: u16) -> String {
    format!(
        r#"
proxy server {{
  default_fallback = no
}}
home_server next {{
  type = auth
  ipaddr = 127.0.0.1
  port = {port}
  secret = "{SECRET}"
  response_window = 30
}}
home_server_pool next {{
  type = fail-over
  home_server = next
}}
realm next {{
  auth_pool = next
  nostrip
}}
"#
    )
}

const ALL_ON: &str = "update control {\n Proxy-To-Realm := next\n}";

const METHODS: &str = "pap {\n}\nchap {\n}\nmschap {\n}";

const PASSWORDS: &str = r#"
authorize {
  if (&User-Name == "token" && !&State) {
    update reply {
      Reply-Message := "Token?"
      State := 0x746f6b656e
    }
    update control {
      Response-Packet-Type := Access-Challenge
      Auth-Type := Accept
    }
  }
  else {
    files
    chap
    mschap
    pap
  }
}
authenticate {
  Auth-Type PAP {
    pap
  }
  Auth-Type CHAP {
    chap
  }
  Auth-Type MS-CHAP {
    mschap
  }
}
"#;

const TUNNEL_MODULE: &str = r#"
eap {
  default_eap_type = ttls
  timer_expire = 60
  max_sessions = 64
  tls-config lab {
    private_key_file = /run/lab/tunnel/key.pem
    certificate_file = /run/lab/tunnel/certificate.pem
    ca_file = /run/lab/tunnel/certificate.pem
    tls_min_version = "1.2"
    tls_max_version = "1.2"
    cipher_list = "DEFAULT"
  }
  ttls {
    tls = lab
    default_eap_type = md5
    copy_request_to_tunnel = no
    use_tunneled_reply = no
    virtual_server = inner
  }
}
"#;

const TUNNEL_SERVERS: &str = r#"
server default {
  authorize {
    eap
  }
  authenticate {
    eap
  }
  post-proxy {
    eap
  }
}
"#;
