//! The PAM module in a world: the line that asks it, and what it leaves in the system log.

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
}
