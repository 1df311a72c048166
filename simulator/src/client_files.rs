//! What the simulator lays out for its client: a configuration that works as it is.

use std::collections::HashSet;

use anyhow::Result;

use crate::behaviour::Behaviour;
use crate::folder::{Folder, Mode, pem};
use crate::options::Options;
use crate::population::Population;
use crate::srs;
use crate::subscribers::Subscriber;

const SECRET_FILE: &str = "srs-client-secret";

/// Writes the files that belong to this start. They are replaced each time, since the port may be new.
pub(crate) fn write(
    folder: &Folder,
    options: &Options,
    url: &str,
    srs_url: &str,
    server_root: &[u8],
    anchor: &[u8],
) -> Result<()> {
    folder.write("server-root.pem", pem("CERTIFICATE", server_root).as_bytes(), Mode::Readable)?;
    folder.write("signer-anchors.pem", pem("CERTIFICATE", anchor).as_bytes(), Mode::Readable)?;
    folder.write(SECRET_FILE, format!("{}\n", srs::CLIENT_SECRET).as_bytes(), Mode::Private)?;
    let client_id = srs::CLIENT_ID;
    let (ap_id, prefix) = (quoted(&options.ap_id), quoted(&options.dtbd_prefix));
    let config = format!(
        "# Written by mobileid-simulator at each start.

[service]
ap_id = {ap_id}
ap_pwd = \"not-needed\"
dtbd_prefix = {prefix}
url = \"{url}\"
server_trust = \"server-root.pem\"
client_cert = \"client.crt\"
client_key = \"client.key\"

[signature]
profile = \"http://mid.swisscom.ch/Any-LoA4\"
trust = [\"signer-anchors.pem\"]

[users]
table = \"users.toml\"

[srs]
url = \"{srs_url}\"
evidence_url = \"{srs_url}\"
client_id = \"{client_id}\"
client_secret_file = \"{SECRET_FILE}\"
server_trust = \"server-root.pem\"
"
    );
    // Last, so that a configuration which is there names files which are there.
    write_users(folder, &options.subscribers)?;
    if let Some(crowd) = options.population {
        add_crowd(folder, crowd)?;
    }
    folder.write("mobileid.toml", config.as_bytes(), Mode::Private)
}

/// Writes users.toml unless it is there: users who were added stay.
fn write_users(folder: &Folder, subscribers: &[Subscriber]) -> Result<()> {
    if folder.has("users.toml") {
        return Ok(());
    }
    let mut text = "# Written by mobileid-simulator when it was missing. Add users as you like.\n".to_owned();
    for subscriber in subscribers {
        if let Some(name) = &subscriber.user {
            // The one user whose serial a client has to know, to notice that another one signs.
            let serial =
                (subscriber.behaviour == Behaviour::OtherSerial).then_some(subscriber.serial.as_str());
            text += &user(name, &subscriber.msisdn, "en", serial);
        }
    }
    folder.write("users.toml", text.as_bytes(), Mode::Private)
}

/// Adds those of a crowd who are not in users.toml yet: it may be of another start, with a smaller crowd.
fn add_crowd(folder: &Folder, crowd: Population) -> Result<()> {
    let text = folder.read_text("users.toml")?;
    let known = text.lines().collect::<HashSet<_>>();
    let mut more = String::new();
    for subscriber in crowd.subscribers() {
        if let Some(name) = subscriber.user.filter(|name| !known.contains(format!("[{name}]").as_str())) {
            more += &user(&name, &subscriber.msisdn, "en", None);
        }
    }
    folder.append("users.toml", more.as_bytes())
}

/// A user's table.
pub(crate) fn user(name: &str, msisdn: &str, language: &str, serial: Option<&str>) -> String {
    let key = if name.contains('.') { quoted(name) } else { name.to_owned() };
    let serial = serial.map_or(String::new(), |serial| format!("serial = {}\n", quoted(serial)));
    let msisdn = msisdn.trim_start_matches('+');
    format!("\n[{key}]\nmsisdn = \"+{msisdn}\"\nlanguage = {}\n{serial}", quoted(language))
}

/// A string of JSON is one of TOML as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
