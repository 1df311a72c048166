//! sshd's effective configuration, as `sshd -T` prints it: does a login reach PAM, and can it wait for a phone?

use std::{collections::BTreeMap, time::Duration};

use super::{
    finding::{Finding, Kind, quoted},
    pam,
};

/// What a person needs before the phone rings: to type a password or unlock a key.
const MARGIN: Duration = Duration::from_secs(30);
/// So many may wait before sshd begins to drop connections.
const STARTUPS: u64 = 30;

/// The configuration for one user, without the blocks of others.
#[derive(Debug, Clone)]
pub(crate) struct Effective {
    /// None for what holds where no Match block applies.
    pub(crate) user: Option<String>,
    values: BTreeMap<String, String>,
}

impl Effective {
    /// Reads what `sshd -T` prints: a keyword in lower case and its value per line.
    pub(crate) fn parse(user: Option<&str>, text: &str) -> Self {
        let mut values = BTreeMap::new();
        for line in text.lines() {
            let (keyword, value) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            // Keywords that may be repeated are none of ours.
            values.entry(keyword.to_ascii_lowercase()).or_insert_with(|| value.trim().to_owned());
        }
        Self { user: user.map(str::to_owned), values }
    }

    fn value(&self, keyword: &str) -> &str {
        self.values.get(keyword).map_or("", String::as_str)
    }

    fn is_on(&self, keyword: &str) -> bool {
        self.value(keyword) == "yes"
    }

    fn kbd_interactive(&self) -> bool {
        // Before 8.7 it had the other name.
        self.is_on("kbdinteractiveauthentication") || self.is_on("challengeresponseauthentication")
    }

    fn place(&self) -> String {
        self.user.as_ref().map_or_else(|| "sshd".to_owned(), |user| format!("sshd, for {}", quoted(user)))
    }

    fn is_on_method(&self, method: Method) -> bool {
        match method {
            Method::Key => self.is_on("pubkeyauthentication"),
            Method::Host => self.is_on("hostbasedauthentication"),
            Method::Gssapi => self.is_on("gssapiauthentication"),
            Method::Password => self.is_on("passwordauthentication"),
            Method::KbdInteractive => self.kbd_interactive(),
            Method::Unknown => false,
        }
    }

    /// The ways in, each a list of methods, as they are written.
    fn written(&self) -> Vec<Vec<Method>> {
        let lists = self.value("authenticationmethods");
        if lists.is_empty() || lists == "any" {
            return Method::ALL.into_iter().filter(|m| self.is_on_method(*m)).map(|m| vec![m]).collect();
        }
        lists.split_whitespace().map(|list| list.split(',').map(Method::of).collect()).collect()
    }

    /// sshd leaves out a list with a method that is off.
    fn ways(&self) -> Vec<Vec<Method>> {
        let usable = |way: &Vec<Method>| way.iter().all(|method| self.is_on_method(*method));
        self.written().into_iter().filter(usable).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    Key,
    Host,
    Gssapi,
    Password,
    KbdInteractive,
    Unknown,
}

impl Method {
    const ALL: [Self; 5] = [Self::Key, Self::Host, Self::Gssapi, Self::Password, Self::KbdInteractive];

    fn of(name: &str) -> Self {
        match name {
            "publickey" => Self::Key,
            "hostbased" => Self::Host,
            "gssapi-with-mic" => Self::Gssapi,
            "password" => Self::Password,
            "keyboard-interactive" | "keyboard-interactive:pam" => Self::KbdInteractive,
            // Other devices of keyboard-interactive among them: they are not PAM.
            _ => Self::Unknown,
        }
    }

    fn reaches_pam(self) -> bool {
        matches!(self, Self::Password | Self::KbdInteractive)
    }
}

/// Examines the configurations for different users; the one for nobody in particular comes first.
pub(crate) fn examine(configurations: &[Effective], pam: &pam::Sshd, deadline: Duration) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(base) = configurations.first() {
        global(base, deadline, &mut findings);
    }
    for (index, configuration) in configurations.iter().enumerate() {
        for mut finding in of_user(configuration, pam) {
            // Said once, where it holds for everybody.
            let base = "sshd".to_owned();
            let own = std::mem::replace(&mut finding.place, base);
            if index == 0 || !findings.contains(&finding) {
                findings.push(Finding { place: own, ..finding });
            }
        }
    }
    findings
}

/// Whether sshd lets root come as far as PAM, in a configuration that was asked for root.
pub(crate) fn root_comes_to_pam(configurations: &[Effective]) -> bool {
    let mut of_root = configurations.iter().filter(|sshd| sshd.user.as_deref() == Some("root"));
    of_root.any(|sshd| sshd.is_on("usepam") && sshd.value("permitrootlogin") != "no")
}

/// What a Match block cannot change.
fn global(base: &Effective, deadline: Duration, findings: &mut Vec<Finding>) {
    let needed = deadline.saturating_add(MARGIN).as_secs();
    if let Ok(grace @ 1..) = base.value("logingracetime").parse::<u64>()
        && grace < needed
    {
        findings.push(Finding::new(
            Kind::GraceTimeShort,
            "sshd",
            &format!(
                "LoginGraceTime is {grace} s: sshd cuts off a login that may wait {} s for the phone, after the password or key",
                deadline.as_secs()
            ),
            &format!("LoginGraceTime {}", needed.saturating_add(30)),
        ));
    }
    let startups = base.value("maxstartups");
    if let Some(Ok(begin)) = startups.split(':').next().map(str::parse::<u64>)
        && begin < STARTUPS
    {
        findings.push(Finding::new(
            Kind::MaxStartupsLow,
            "sshd",
            &format!(
                "MaxStartups is {}: while {begin} logins wait for a phone, sshd drops others",
                quoted(startups)
            ),
            "MaxStartups 60:30:200",
        ));
    }
}

fn of_user(sshd: &Effective, pam: &pam::Sshd) -> Vec<Finding> {
    let place = sshd.place();
    let mut findings = Vec::new();
    let mut find = |kind, what: &str, remedy: &str| findings.push(Finding::new(kind, &place, what, remedy));
    if !sshd.is_on("usepam") {
        find(Kind::UsePamOff, "UsePAM is off: no login asks the phone", "UsePAM yes");
        return findings;
    }
    let root_in = sshd.value("permitrootlogin");
    if sshd.user.as_deref() == Some("root") && root_in == "no" {
        return findings;
    }
    let (written, ways) = (sshd.written(), sshd.ways());
    let methods = quoted(sshd.value("authenticationmethods"));
    let reach_pam = |way: &Vec<Method>| way.iter().any(|method| method.reaches_pam());
    let named = written.iter().flatten().any(|method| *method == Method::KbdInteractive);
    if !sshd.kbd_interactive() && (named || !ways.iter().any(reach_pam)) {
        let what =
            format!("KbdInteractiveAuthentication is off, and AuthenticationMethods {methods} needs it");
        find(Kind::KbdInteractiveOff, &what, "KbdInteractiveAuthentication yes");
    } else if ways.is_empty() {
        let what = format!("no way of AuthenticationMethods {methods} can be gone: a method in each is off");
        find(Kind::MethodsUnusable, &what, GOOD_METHODS);
    }
    if !ways.iter().all(reach_pam) {
        let what =
            format!("AuthenticationMethods is {methods}: there is a way in that does not ask the phone");
        find(Kind::MethodsSkipPam, &what, GOOD_METHODS);
    }
    if ways.iter().any(|way| way.contains(&Method::Password) && !way.contains(&Method::KbdInteractive)) {
        let what = "with the method \"password\" the code is shown only when the login is over";
        find(Kind::PasswordHidesMessage, what, "PasswordAuthentication no, KbdInteractiveAuthentication yes");
    }
    if ways.iter().any(|way| way.iter().filter(|method| method.reaches_pam()).count() > 1) {
        let what = format!(
            "AuthenticationMethods is {methods}: one login runs the PAM stack twice, and asks for the password twice; the phone rings once"
        );
        find(Kind::StackRunsTwice, &what, "name one of password and keyboard-interactive in a list");
    }
    let idle = !ways.is_empty() && !ways.iter().any(|way| way.contains(&Method::Password));
    if idle && sshd.is_on("passwordauthentication") {
        let what =
            format!("PasswordAuthentication is on, but AuthenticationMethods {methods} does not use it");
        find(Kind::PasswordAuthIdle, &what, "PasswordAuthentication no says what holds");
    }
    if pam.asks_phone_alone && ways.iter().any(|way| asks_phone_first(way)) {
        let what = format!(
            "the stack asks for the phone alone ({}), and no key comes before it",
            quoted(&pam.place)
        );
        let remedy = "AuthenticationMethods publickey,keyboard-interactive:pam, or \"@include common-auth\" before the line";
        find(Kind::NoFirstFactor, &what, remedy);
    }
    let refused_late = ways.iter().any(|way| way.contains(&Method::Key) && reach_pam(way));
    if sshd.user.as_deref() == Some("root") && root_in != "yes" && refused_late {
        let what = format!(
            "PermitRootLogin is {}: sshd refuses root after the phone has confirmed",
            quoted(root_in)
        );
        find(Kind::RootRefusedAfterApproval, &what, "PermitRootLogin yes (key and phone stay needed), or no");
    }
    findings
}

const GOOD_METHODS: &str =
    "AuthenticationMethods publickey,keyboard-interactive:pam, with KbdInteractiveAuthentication yes";

/// Whether PAM is reached before anything was shown.
fn asks_phone_first(way: &[Method]) -> bool {
    way.first().is_some_and(|method| method.reaches_pam())
}

#[cfg(test)]
mod tests;
