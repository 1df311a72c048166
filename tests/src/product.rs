//! The product in a world: the line that asks the PAM module, the administrator's tool, and what they leave behind.

use std::fs;
use std::process::Output;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::Lab;

impl Lab {
    /// The line of a PAM service that asks the module, with these arguments beside its configuration file.
    ///
    /// # Errors
    /// When the module is not built.
    pub fn module(&self, arguments: &str) -> Result<String> {
        let module = self.bring(&self.artefacts().module()?)?;
        let line = format!("auth required {module} config=/etc/mobileid/mobileid.toml {arguments}");
        Ok(line.trim_end().to_owned())
    }

    /// The audit lines that the module has written for a user, in order.
    ///
    /// # Errors
    /// When one is no JSON.
    pub fn audits(&self, user: &str) -> Result<Vec<Value>> {
        let lines = self.audit_lines(user);
        lines.iter().map(|line| serde_json::from_str(line).context("an audit line is no JSON")).collect()
    }

    /// The audit lines that the module has written for a user, as they are.
    #[must_use]
    pub fn audit_lines(&self, user: &str) -> Vec<String> {
        let of_user = format!("\"user\":\"{user}\"");
        let lines = self.syslog().containing(&of_user);
        let lines = lines.iter().filter(|line| line.contains("pam_mobileid("));
        lines.filter_map(|line| Some(line.get(line.find('{')?..)?.to_owned())).collect()
    }

    /// Runs `mobileidctl` as root, to its end.
    ///
    /// # Errors
    /// When it is not built, or cannot be started.
    pub fn mobileidctl(&self, arguments: &[&str]) -> Result<Output> {
        let tool = self.bring(&self.artefacts().mobileidctl()?)?;
        self.run(self.command(&tool).args(arguments))
    }

    /// The serial numbers that are kept in a folder of the world, as they are written.
    ///
    /// # Errors
    /// When a record cannot be read, or is no JSON.
    pub fn pins(&self, state: &str) -> Result<Vec<Value>> {
        // Where nothing was ever kept there is no folder.
        let Ok(entries) = fs::read_dir(self.path(&format!("{state}/pins-1"))) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for entry in entries {
            let file = entry?.path();
            // What has an extension is a lock, or was being written when its writer was killed.
            if file.extension().is_none() {
                let text = fs::read_to_string(&file)?;
                found.push(serde_json::from_str(&text).with_context(|| format!("no JSON: {text}"))?);
            }
        }
        Ok(found)
    }
}
