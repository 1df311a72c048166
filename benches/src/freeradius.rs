//! The peer: FreeRADIUS, with a folder of its own for each start. Nothing under `/etc` is read or written.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::process::{Cores, Process, free_port};
use crate::service::{FIRST_NUMBER, Service, signature_request};

/// How the peer decides.
#[derive(Clone, Copy, Debug)]
pub enum Decides<'s> {
    /// By its users file, at once.
    Users,
    /// By a script that sleeps this long and then accepts: a script that costs nothing.
    Sleep(Duration),
    /// By a script that asks the service with curl and verifies the signature with openssl.
    Ask(&'s Service),
}

/// Its threads.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    start: u32,
    max: u32,
}

impl Pool {
    /// As Debian ships it.
    pub const STOCK: Pool = Pool { start: 5, max: 32 };
    /// As much as helps: beyond this the daemon runs out of file descriptors for `select`, and aborts.
    pub const LARGE: Pool = Pool { start: 512, max: 512 };

    /// `32` or `512`.
    #[must_use]
    pub fn name(self) -> String {
        self.max.to_string()
    }
}

/// A running FreeRADIUS.
#[derive(Debug)]
pub struct FreeRadius {
    /// The daemon.
    pub process: Process,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl FreeRadius {
    /// Starts one in this folder, which is emptied.
    ///
    /// # Errors
    /// It is not installed, or does not come up.
    pub fn start(folder: &Path, decides: Decides<'_>, pool: Pool, cores: Cores) -> Result<FreeRadius> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder)?;
        let folder = folder.canonicalize()?;
        let port = free_port()?;
        let program = program().context("FreeRADIUS is not installed")?;
        fs::write(folder.join("users"), "DEFAULT Cleartext-Password := \"password\"\n")?;
        let deciding = match decides {
            Decides::Users => USERS.to_owned(),
            Decides::Sleep(delay) => by_script(&folder, &sleeping(delay))?,
            Decides::Ask(service) => by_script(&folder, &asking(service))?,
        };
        fs::write(folder.join("radiusd.conf"), configuration(&folder, port, pool, &deciding))?;
        let mut command = Command::new(program);
        // -f: not into the background.
        command.arg("-f").arg("-d").arg(&folder).arg("-l").arg("stdout");
        let mut process = Process::start(&command, cores, &folder.join("log"))?;
        process.wait_for("Ready to process requests")?;
        process.wait_for_port(port)?;
        Ok(FreeRadius { process, port })
    }
}

fn program() -> Option<PathBuf> {
    // Debian's name and everybody else's.
    let names = ["/usr/sbin/freeradius", "/usr/sbin/radiusd"];
    names.into_iter().map(PathBuf::from).find(|path| path.exists())
}

/// The version it states, for the head of the tables.
#[must_use]
pub fn version() -> Option<String> {
    let output = Command::new(program()?).arg("-v").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.split("FreeRADIUS Version ").nth(1)?.split([',', '\n']).next()?.to_owned())
}

const USERS: &str = "    files\n    pap\n  }\n  authenticate {\n    Auth-Type PAP {\n      pap\n    }\n  }\n";

const BY_SCRIPT: &str = "    mobileid
    if (ok) {
      update control {
        Auth-Type := Accept
      }
    }
  }
  authenticate {
  }
";

fn by_script(folder: &Path, script: &str) -> Result<String> {
    let path = folder.join("script");
    fs::write(&path, script)?;
    fs::set_permissions(&path, Permissions::from_mode(0o700))?;
    Ok(BY_SCRIPT.to_owned())
}

fn sleeping(delay: Duration) -> String {
    format!("#!/bin/sh\nsleep {}\nexit 0\n", delay.as_secs_f64())
}

/// The vendor's way: curl asks, openssl verifies. Nothing more than it takes, to be fair.
fn asking(service: &Service) -> String {
    let file = |name: &str| service.file(name).display().to_string();
    let body = signature_request("$number", "$transaction", "$instant").to_string().replace('"', "\\\"");
    format!(
        r#"#!/bin/sh
set -eu
umask 077
number=$(({FIRST_NUMBER} + ${{1#user}}))
transaction=T$$-$(date +%s%N)
instant=$(date -u +%Y-%m-%dT%H:%M:%SZ)
answer=$(mktemp)
trap 'rm -f "$answer" "$answer.cms"' EXIT
curl --silent --fail --noproxy '*' --max-time 100 --cert {cert} --key {key} --cacert {root} \
  --header 'Content-Type: application/json' --data "{body}" https://{address}/rest/service/sign >"$answer"
sed -n 's/.*"Base64Signature" *: *"\([^"]*\)".*/\1/p' "$answer" | tr -d '\\' | openssl base64 -d -A >"$answer.cms"
text=$(openssl cms -verify -inform DER -in "$answer.cms" -CAfile {anchors} -purpose any 2>/dev/null)
test "$text" = "SIM: Log in with $transaction?"
"#,
        cert = file("client.crt"),
        key = file("client.key"),
        root = file("server-root.pem"),
        anchors = file("signer-anchors.pem"),
        address = service.address(),
    )
}

/// The least that serves: one listener, one client, no logging of logins, no delay of rejects.
fn configuration(folder: &Path, port: u16, pool: Pool, deciding: &str) -> String {
    let folder = folder.display();
    let Pool { start, max } = pool;
    format!(
        r#"prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = {folder}
logdir = {folder}
db_dir = {folder}
run_dir = {folder}
pidfile = {folder}/pid
max_request_time = 120
cleanup_delay = 5
max_requests = 65536
hostname_lookups = no
log {{
  destination = stdout
  auth = no
}}
security {{
  max_attributes = 200
  reject_delay = 0
  status_server = yes
}}
proxy_requests = no
thread pool {{
  start_servers = {start}
  max_servers = {max}
  min_spare_servers = 3
  max_spare_servers = 10
  max_queue_size = 65536
  max_requests_per_server = 0
  auto_limit_acct = no
}}
client bench {{
  ipaddr = 127.0.0.1
  secret = testing123
  require_message_authenticator = yes
}}
modules {{
  pap {{
  }}
  files {{
    usersfile = {folder}/users
  }}
  exec mobileid {{
    wait = yes
    program = "{folder}/script %{{User-Name}}"
    input_pairs = request
    shell_escape = yes
    timeout = 100
  }}
}}
server bench {{
  listen {{
    type = auth
    ipaddr = 127.0.0.1
    port = {port}
    recv_buff = 4194304
  }}
  authorize {{
{deciding}}}
"#
    )
}
