//! What the service manager is told (sd_notify(3)): that we are ready, reload, stop, and are alive.
//!
//! [`sd_notify`] writes and reads the protocol's words; the socket is ours, opened once at the start: the watchdog
//! is fed from the loop that carries packets, and that loop opens nothing.

use std::{
    env,
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use sd_notify::NotifyState;

/// The way to the service manager; none where there is no service manager.
#[derive(Debug, Default)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    /// How often the manager wants to hear from us, if at all.
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the service manager has set up this process's environment.
    ///
    /// # Errors
    /// `NOTIFY_SOCKET` names a socket that cannot be reached: the manager would wait in vain.
    pub fn from_environment() -> io::Result<Self> {
        let socket = env::var_os("NOTIFY_SOCKET").map(|path| connect(&path)).transpose()?;
        let watchdog = sd_notify::watchdog_enabled().filter(|_| socket.is_some());
        Ok(Self { socket, watchdog })
    }

    /// To this socket, which wants to hear from us this often.
    ///
    /// # Errors
    /// The socket cannot be reached.
    pub fn to(path: &OsStr, watchdog: Option<Duration>) -> io::Result<Self> {
        Ok(Self { socket: Some(connect(path)?), watchdog })
    }

    /// How often [`Self::alive`] is due: twice in the time after which the manager gives us up.
    #[must_use]
    pub fn feeding_interval(&self) -> Option<Duration> {
        self.watchdog.map(|w| w / 2)
    }

    /// Packets are answered from now on.
    pub fn ready(&self, status: &str) {
        self.tell(&[NotifyState::Ready, NotifyState::Status(status)]);
    }

    /// The configuration is being read again. [`Self::ready`] ends this, whatever comes of it.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(when) => self.tell(&[NotifyState::Reloading, when]),
            // A reload without its time would be taken for a failed one.
            Err(_) => self.tell(&[NotifyState::Status("reloading")]),
        }
    }

    /// The end has begun, and may take this long.
    pub fn stopping(&self, limit: Duration, status: &str) {
        let micros = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
        self.tell(&[
            NotifyState::Stopping,
            NotifyState::ExtendTimeoutUsec(micros),
            NotifyState::Status(status),
        ]);
    }

    /// The loop runs.
    pub fn alive(&self) {
        self.tell(&[NotifyState::Watchdog]);
    }

    fn tell(&self, states: &[NotifyState<'_>]) {
        let Some(socket) = &self.socket else { return };
        let message: String = states.iter().map(|state| format!("{state}\n")).collect();
        // The socket does not wait: a manager that does not read cannot hold up a login.
        let _ = socket.send(message.as_bytes());
    }
}

fn connect(path: &OsStr) -> io::Result<UnixDatagram> {
    let address = match path.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(path)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manager_hears_whole_messages_by_name_and_by_path() {
        let name = format!("mobileid-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let manager = UnixDatagram::bind_addr(&address).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let notifier = Notifier::to(OsStr::new(&format!("@{name}")), Some(Duration::from_secs(4))).unwrap();
        assert_eq!(notifier.feeding_interval(), Some(Duration::from_secs(2)));
        let mut buffer = [0; 256];
        let mut heard = |tell: &dyn Fn(&Notifier)| {
            tell(&notifier);
            let length = manager.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(heard(&|n| n.ready("waiting for logins")), "READY=1\nSTATUS=waiting for logins\n");
        assert_eq!(heard(&|n| n.alive()), "WATCHDOG=1\n");
        let reloading = heard(&|n| n.reloading());
        let when = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().trim_end();
        assert!(when.parse::<u64>().unwrap() > 0, "{reloading}");
        assert_eq!(
            heard(&|n| n.stopping(Duration::from_secs(30), "3 logins pending")),
            "STOPPING=1\nEXTEND_TIMEOUT_USEC=30000000\nSTATUS=3 logins pending\n"
        );
    }

    #[test]
    fn without_a_manager_nothing_is_said() {
        Notifier::default().ready("nobody hears this");
        assert!(Notifier::to(OsStr::new("/nonexistent/notify"), None).is_err());
    }
}
