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
        Ok(format!("auth required {module} config=/etc/mobileid/mobileid.toml {arguments}"))
    }

    /// The audit lines that the module has written for a user, in order.
    ///
    /// # Errors
    /// When one is no JSON.
    pub fn audits(&self, user: &str) -> Result<Vec<Value>> {
        let mut audits = Vec::new();
        for line in self.syslog().containing("{\"time\":") {
            let record: Value =
                serde_json::from_str(line.get(line.find('{').unwrap_or(0)..).unwrap_or_default())
                    .with_context(|| format!("an audit line is no JSON: {line}"))?;
            if record.get("user").and_then(Value::as_str) == Some(user) {
                audits.push(record);
            }
        }
        Ok(audits)
    }
}
