//! SELinux, where it enforces: may sshd, and with it the module, connect to the service?

use super::finding::{Finding, Kind};

/// The boolean that lets a login program ask a service by HTTP.
pub(crate) const BOOLEAN: &str = "authlogin_yubikey";
/// What the policy's http_port_t has.
const HTTP_PORTS: [u16; 8] = [80, 81, 443, 488, 8008, 8009, 8443, 9000];

/// What this host's policy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) enforcing: bool,
    /// Of [`BOOLEAN`]; none where the policy does not have it.
    pub(crate) boolean: Option<bool>,
}

impl Policy {
    /// Reads what the kernel shows: `enforce`, and the boolean's file, "1 1" for now and pending.
    pub(crate) fn parse(enforce: &str, boolean: Option<&str>) -> Self {
        Self {
            enforcing: enforce.trim() == "1",
            boolean: boolean.map(|text| text.trim_start().starts_with('1')),
        }
    }
}

/// `port` is where the module connects to: the proxy's, or the service's; none where the configuration is not known.
pub(crate) fn examine(policy: Policy, port: Option<u16>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !policy.enforcing {
        return findings;
    }
    if policy.boolean != Some(true) {
        let what =
            "SELinux enforces: unless a policy module of yours allows it, sshd cannot connect to the service";
        let remedy = match policy.boolean {
            Some(_) => format!("setsebool -P {BOOLEAN} 1"),
            None => {
                format!("this policy has no {BOOLEAN}: add a module that lets sshd connect to http_port_t")
            }
        };
        findings.push(Finding::new(Kind::SelinuxConnection, "SELinux", what, &remedy));
    }
    if let Some(port) = port.filter(|port| !HTTP_PORTS.contains(port)) {
        let what = format!("SELinux enforces, and port {port} is none that {BOOLEAN} opens to sshd");
        let remedy = format!("a proxy on 8443, or a policy module that lets sshd connect to port {port}");
        findings.push(Finding::new(Kind::SelinuxPort, "SELinux", &what, &remedy));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_and_what_is_found() {
        // `enforce`, the boolean, the port, what is found.
        type Story = (&'static str, Option<&'static str>, Option<u16>, &'static [Kind]);
        let stories: &[Story] = &[
            ("0\n", Some("0 0"), Some(3128), &[]),
            ("1\n", Some("1 1"), Some(443), &[]),
            ("1", Some("1 1"), None, &[]),
            ("1", Some("0 0"), Some(443), &[Kind::SelinuxConnection]),
            ("1", None, Some(8443), &[Kind::SelinuxConnection]),
            ("1", Some("1 1"), Some(3128), &[Kind::SelinuxPort]),
        ];
        for (enforce, boolean, port, expected) in stories {
            let found = examine(Policy::parse(enforce, *boolean), *port);
            let kinds: Vec<_> = found.iter().map(|finding| finding.kind).collect();
            assert_eq!(&kinds, expected, "{enforce:?} {boolean:?} {port:?}");
        }
    }

    #[test]
    fn a_policy_without_the_boolean_is_not_told_to_set_it() {
        let found = examine(Policy::parse("1", None), None);
        assert!(!found[0].remedy.contains("setsebool"), "{found:?}");
    }
}
