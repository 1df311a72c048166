//! The world's `/etc`: its accounts, its sudoers, and the few files that programs cannot do without.
//!
//! It is written from nothing, not copied from the machine, so that a test means the same everywhere. Only
//! what describes the installation itself comes over: the dynamic linker's cache and the PAM modules' and
//! login's own settings.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The people of the world. Ids start at 1001 in this order.
///
/// All but judy, who has no Mobile ID, are enrolled by the simulator, and behave as its table of built-in
/// subscribers says: alice confirms, bob cancels, and so on; from `wrong-text` on, who is called like an
/// attack makes it.
pub const USERS: [&str; 31] = [
    "judy",
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "wrong-text",
    "wrong-msisdn",
    "wrong-trans-id",
    "other-serial",
    "untrusted-chain",
    "expired-signer",
    "bad-signature",
    "no-signature",
    "two-signers",
    "trailing-garbage",
    "broken-json",
    "deep-json",
    "huge-body",
    "half-body",
    "slow-drip",
    "tls-reset",
    "http-503",
    "status-501",
    "status-502",
    "status-503",
    "status-504",
];

/// The password of every one of them.
pub const PASSWORD: &str = "correct horse";

/// [`PASSWORD`] as crypt(3) writes it with `$6$rounds=1000`: a test is not there to measure crypt.
const PASSWORD_HASH: &str = "$6$rounds=1000$mobileid$176zd2SHdMC7tSl6zuIthtxOcDFGfG4.JUT1ujceCT8.NA3tl6hSkbA0zqI7VAepFLZetc.Ab4OyZ3O8gq3qZ.";

/// What is taken from the machine when it is there.
const TAKEN_OVER: [&str; 6] =
    ["ld.so.cache", "ld.so.conf", "localtime", "login.defs", "security", "alternatives"];

/// The user and group id of one of [`USERS`].
pub(crate) fn id_of(user: &str) -> Result<u32> {
    let place = USERS.iter().position(|name| *name == user);
    let place = place.with_context(|| format!("{user} does not live in this world"))?;
    Ok(1001 + u32::try_from(place)?)
}

/// Writes `/etc`, `/root` and `/home` into the laboratory's folder.
pub(crate) fn furnish(world: &Path) -> Result<()> {
    let etc = world.join("etc");
    for folder in ["pam.d", "ssh", "sudoers.d", "mobileid"] {
        fs::create_dir_all(etc.join(folder))?;
    }
    for name in TAKEN_OVER {
        let source = Path::new("/etc").join(name);
        if source.exists() {
            let done = Command::new("cp").arg("-aL").arg(&source).arg(&etc).status()?;
            ensure!(done.success(), "cannot copy {}", source.display());
        }
    }
    accounts(&etc)?;
    let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
    write(&etc, "hosts", 0o644, &format!("127.0.0.1 localhost {host}"))?;
    write(&etc, "nsswitch.conf", 0o644, "passwd: files\ngroup: files\nshadow: files\nhosts: files\n")?;
    write(&etc, "shells", 0o644, "/bin/sh\n")?;
    // Whatever has no service file of its own is refused: a test that forgets to write one notices.
    write(&etc, "pam.d/other", 0o644, "auth required pam_deny.so\naccount required pam_deny.so\n")?;
    write(&etc, "sudoers", 0o440, "Defaults !lecture\nroot ALL=(ALL:ALL) ALL\n%people ALL=(ALL:ALL) ALL\n")?;
    keys(world, &etc)
}

fn accounts(etc: &Path) -> Result<()> {
    let mut passwd = String::from("root:x:0:0:root:/root:/bin/sh\n");
    passwd.push_str("sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n");
    let mut shadow = format!("root:{PASSWORD_HASH}:20000::::::\nsshd:!:20000::::::\n");
    let mut group = String::from("root:x:0:\ntty:x:5:\nutmp:x:43:\nmail:x:8:\nnogroup:x:65534:\n");
    for user in USERS {
        let id = id_of(user)?;
        writeln!(passwd, "{user}:x:{id}:{id}::/home/{user}:/bin/sh")?;
        writeln!(shadow, "{user}:{PASSWORD_HASH}:20000::::::")?;
        writeln!(group, "{user}:x:{id}:")?;
    }
    writeln!(group, "people:x:2000:{}", USERS.join(","))?;
    write(etc, "passwd", 0o644, &passwd)?;
    write(etc, "shadow", 0o600, &shadow)?;
    write(etc, "group", 0o644, &group)
}

/// A key for the server, which the client knows, and one for the client, which lets in every user.
fn keys(world: &Path, etc: &Path) -> Result<()> {
    let root_ssh = world.join("root/.ssh");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&root_ssh)?;
    for key in [etc.join("ssh/ssh_host_ed25519_key"), root_ssh.join("id_ed25519")] {
        let done = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f"])
            .arg(&key)
            .status()
            .context("cannot run ssh-keygen (openssh-client)")?;
        ensure!(done.success(), "ssh-keygen made no {}", key.display());
    }
    let host_key = fs::read_to_string(etc.join("ssh/ssh_host_ed25519_key.pub"))?;
    write(&root_ssh, "known_hosts", 0o600, &format!("lab {host_key}"))?;
    let client_key = fs::read_to_string(root_ssh.join("id_ed25519.pub"))?;
    for user in USERS {
        let home = world.join("home").join(user);
        let ssh = home.join(".ssh");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&ssh)?;
        write(&ssh, "authorized_keys", 0o600, &client_key)?;
        for path in [&home, &ssh, &ssh.join("authorized_keys")] {
            chown(path, Some(id_of(user)?), Some(id_of(user)?))?;
        }
    }
    // root too may log in with the key, where a test's sshd permits it.
    write(&root_ssh, "authorized_keys", 0o600, &client_key)
}

/// Writes one file with its mode, whatever the umask.
pub(crate) fn write(folder: &Path, name: &str, mode: u32, text: &str) -> Result<()> {
    let path = folder.join(name);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
