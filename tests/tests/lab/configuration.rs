//! A configuration that cannot be trusted or understood denies everybody, asks nobody, and says what to
//! mend in the system log.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};

use anyhow::{Result, ensure};
use mobileid_tests::{Conversation, Lab, Simulator};

use crate::support::{no_push, pam};

/// Breaks something, then checks that alice is denied as misconfigured and that the log names the culprit.
fn denies(
    arguments: &str,
    culprit: &str,
    spoil: impl FnOnce(&Lab, &Simulator<'_>) -> Result<()>,
) -> Result<()> {
    let lab = Lab::new()?;
    let mobile_id = lab.simulator()?;
    lab.pam_service("door", &lab.module(arguments)?)?;
    spoil(&lab, &mobile_id)?;
    let rounds = lab.ask("door", "alice", 1, Conversation::Talk)?;
    ensure!(rounds.iter().all(|round| round.result == pam::SERVICE_ERR), "{rounds:?}");
    lab.settle_syslog()?;
    let told = lab.syslog().containing("pam_mobileid");
    ensure!(told.iter().any(|line| line.contains(culprit)), "{culprit} is not named:\n{}", told.join("\n"));
    no_push(&mobile_id)
}

fn mode(lab: &Lab, path: &str, mode: u32) -> Result<()> {
    Ok(std::fs::set_permissions(lab.path(path), Permissions::from_mode(mode))?)
}

#[test]
fn an_unknown_argument() -> Result<()> {
    denies("nonsense", "nonsense", |_, _| Ok(()))
}

#[test]
fn an_argument_given_twice() -> Result<()> {
    denies("config=/etc/mobileid/other.toml", "is there twice", |_, _| Ok(()))
}

#[test]
fn a_file_that_is_not_there() -> Result<()> {
    denies("", "mobileid.toml", |lab, _| Ok(std::fs::remove_file(lab.path("/etc/mobileid/mobileid.toml"))?))
}

#[test]
fn a_file_that_others_may_write() -> Result<()> {
    denies("", "mobileid.toml", |lab, _| mode(lab, "/etc/mobileid/mobileid.toml", 0o666))
}

#[test]
fn a_file_of_another_owner() -> Result<()> {
    denies("", "mobileid.toml", |lab, _| {
        Ok(chown(lab.path("/etc/mobileid/mobileid.toml"), Some(1002), Some(1002))?)
    })
}

#[test]
fn a_folder_that_others_may_write() -> Result<()> {
    denies("", "/etc/mobileid", |lab, _| mode(lab, "/etc/mobileid", 0o777))
}

#[test]
fn a_key_that_others_may_read() -> Result<()> {
    denies("", "client.key", |lab, _| mode(lab, "/etc/mobileid/client.key", 0o644))
}

#[test]
fn a_link_where_the_file_should_be() -> Result<()> {
    denies("", "mobileid.toml", |lab, _| {
        let real = lab.path("/etc/mobileid/mobileid.toml");
        std::fs::rename(&real, lab.path("/home/bob/mobileid.toml"))?;
        Ok(symlink("/home/bob/mobileid.toml", real)?)
    })
}

#[test]
fn an_unknown_key_in_the_file() -> Result<()> {
    denies("", "surprise: unknown key", |_, mobile_id| mobile_id.configure("[surprise]\nskip_verify = true"))
}

#[test]
fn a_file_that_is_no_toml() -> Result<()> {
    denies("", "mobileid.toml", |_, mobile_id| mobile_id.configure("= = ="))
}

#[test]
fn a_user_table_that_others_may_write() -> Result<()> {
    denies("", "users.toml", |lab, _| mode(lab, "/etc/mobileid/users.toml", 0o666))
}
