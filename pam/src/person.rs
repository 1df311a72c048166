//! The person who logs in, as the core sees them: somebody to show things to, and to wait for.

#![forbid(unsafe_code)]

use mobileid::{
    config::{PamConfig, SshdMessage},
    directory::Lookup,
    driver::{Tick, blocking::World, pins::Pins},
    login::{Login, Withheld},
    notice::Notice,
    text,
};

use crate::{
    facts::Facts,
    host::{Host, Priority, Style},
    recall::{Records, Turn},
    system::System,
};

/// The person during the wait.
pub(crate) struct Person<'a, 'm, H, S> {
    pub(crate) host: &'a mut H,
    pub(crate) system: &'a S,
    pub(crate) facts: &'a Facts,
    pub(crate) rules: &'a PamConfig,
    pub(crate) records: &'a mut Records<'m>,
    pub(crate) turn: Turn<'m>,
    pub(crate) tick: &'a Tick,
    pub(crate) pins: Pins,
    /// What the directories have said, if they were asked before.
    pub(crate) found: Option<Lookup>,
}

impl<H: Host, S: System> World for Person<'_, '_, H, S> {
    fn known(&mut self) -> Option<Lookup> {
        self.found.take()
    }

    fn passed_over(&mut self, line: &str) {
        self.host.syslog(Priority::Error, line);
    }

    /// Also with PAM_SILENT: without the code nobody can tell this login from an attacker's.
    ///
    /// Then waits until no other login asks the same phone: before, a person who does not press Enter would keep
    /// others waiting.
    fn show(&mut self, notice: &Notice) -> Result<(), Withheld> {
        let message = if self.facts.is_sshd() { self.rules.sshd_message } else { SshdMessage::Info };
        let (prompts, informs) = match message {
            SshdMessage::None => (false, false),
            SshdMessage::Info => (false, true),
            SshdMessage::Prompt => (true, true),
            // Older ones keep information back until the login has ended, but not a question.
            SshdMessage::Auto => (!self.system.shows_information_at_once(), true),
        };
        // sshd's method `password` can ask nothing: there the text is information after all.
        let prompted = prompts && self.host.ask(&notice.as_prompt()).is_some();
        self.records.of_phone(self.turn.come(self.tick)?);
        if informs && !prompted {
            show(self.host, self.facts, notice);
        }
        Ok(())
    }

    fn sending(&mut self, login: &Login) -> Result<(), Withheld> {
        self.records.sending()?;
        let user = self.facts.pam_user.as_deref().unwrap_or_default();
        let line = format!(
            "request sent: ap_trans_id={} user={} service={}",
            login.ap_trans_id(),
            text::escaped(user, 256),
            text::escaped(&self.facts.service, 64)
        );
        self.host.syslog(Priority::Info, &line);
        Ok(())
    }

    fn pins(&self) -> Pins {
        self.pins.clone()
    }

    fn tick(&self) -> Tick {
        Tick::clone(self.tick)
    }
}

/// Shows a notice where it disturbs nobody.
pub(crate) fn show(host: &mut impl Host, facts: &Facts, notice: &Notice) {
    // Where sudo cannot open the terminal it prints PAM_TEXT_INFO to standard output, also one that it knows by name;
    // su always does: into the pipe of whoever uses the command's output. PAM_ERROR_MSG goes to standard error there,
    // and to the terminal where there is one.
    let pipes = facts.is_sudo() || facts.is_su();
    let style = match notice.is_denial() || facts.tty.is_none() || pipes {
        true => Style::Error,
        false => Style::Info,
    };
    host.show(style, &notice.to_string());
}
