//! A NAS whose every packet the story decides.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::DEADLINE;
use crate::radius::SECRET;
use crate::radius::packet::{Draft, Reply, code};

/// A socket that asks one server.
#[derive(Debug)]
pub struct Nas {
    socket: UdpSocket,
    secret: String,
}

impl Nas {
    /// A NAS at 127.0.0.1 that shares [`SECRET`] with the server on this loopback port.
    ///
    /// # Errors
    /// When there is no socket.
    pub fn new(port: u16) -> Result<Self> {
        Self::at("127.0.0.1", port, SECRET)
    }

    /// A NAS at another loopback address, or with another secret.
    ///
    /// # Errors
    /// As [`Nas::new`].
    pub fn at(address: &str, port: u16, secret: &str) -> Result<Self> {
        let socket = UdpSocket::bind((address, 0)).with_context(|| format!("no socket at {address}"))?;
        let server = if address.contains(':') { "::1" } else { "127.0.0.1" };
        socket.connect((server, port))?;
        Ok(Self { socket, secret: secret.to_owned() })
    }

    /// Asks another server from now on, from the same address and port: what a NAS does whose first server
    /// does not answer.
    ///
    /// # Errors
    /// When the socket refuses.
    pub fn turn_to(&self, port: u16) -> Result<()> {
        let server = SocketAddr::new(self.socket.local_addr()?.ip(), port);
        Ok(self.socket.connect(server)?)
    }

    /// A login with a right Message-Authenticator, sent; the draft is what its reply is checked against.
    ///
    /// # Errors
    /// As [`Nas::send`].
    pub fn login(&self, identifier: u8, user: &str, password: &str) -> Result<Draft> {
        let draft = Draft::login(identifier, user, password, &self.secret);
        self.send(&draft.signed(&self.secret))?;
        Ok(draft)
    }

    /// Sends octets as they are.
    ///
    /// # Errors
    /// When the machine refuses to send.
    pub fn send(&self, octets: &[u8]) -> Result<()> {
        match self.socket.send(octets) {
            // Said about an earlier datagram, to a port that was closed; this one was not sent.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                self.socket.send(octets).map(drop)?
            }
            sent => sent.map(drop)?,
        }
        Ok(())
    }

    /// The next datagram, if one comes within this time.
    ///
    /// # Errors
    /// When the socket fails otherwise.
    pub fn datagram(&self, within: Duration) -> Result<Option<Vec<u8>>> {
        self.socket.set_read_timeout(Some(within.max(Duration::from_millis(1))))?;
        let mut buffer = vec![0; 4096];
        match self.socket.recv(&mut buffer) {
            Ok(length) => Ok(Some(buffer.get(..length).unwrap_or_default().to_vec())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(None),
            // A signal that means something to the test's process, not to this wait.
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
            // The port is not open yet, or no longer.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for the next datagram, which must be a right answer to this request.
    ///
    /// # Errors
    /// When nothing comes, or something else.
    pub fn answer(&self, request: &Draft) -> Result<Reply> {
        self.answer_octets(request).map(|(reply, _)| reply)
    }

    /// As [`Nas::answer`], with the octets as they came.
    ///
    /// # Errors
    /// As [`Nas::answer`].
    pub fn answer_octets(&self, request: &Draft) -> Result<(Reply, Vec<u8>)> {
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            if let Some(octets) = self.datagram(Duration::from_millis(200))? {
                let reply = Reply::check(&octets, request, &self.secret)
                    .with_context(|| format!("not an answer to {request:?}: {octets:02x?}"))?;
                return Ok((reply, octets));
            }
        }
        bail!("no answer to {request:?}")
    }

    /// Waits for one answer to each of these requests, in whatever order, and returns them in theirs.
    ///
    /// # Errors
    /// When one is not answered, or twice.
    pub fn answers(&self, requests: &[Draft]) -> Result<Vec<Reply>> {
        let mut replies = vec![None; requests.len()];
        let deadline = Instant::now() + DEADLINE;
        while let missing @ 1.. = replies.iter().filter(|reply| reply.is_none()).count() {
            ensure!(Instant::now() < deadline, "{missing} of {} requests were not answered", requests.len());
            let Some(octets) = self.datagram(Duration::from_millis(200))? else { continue };
            let of_it = |request: &Draft| octets.get(1) == Some(&request.identifier);
            let place = requests.iter().position(of_it).context("an answer to a request that nobody made")?;
            let (Some(request), Some(reply)) = (requests.get(place), replies.get_mut(place)) else {
                continue;
            };
            let earlier = reply.replace(Reply::check(&octets, request, &self.secret)?);
            ensure!(earlier.is_none(), "answered twice: {request:?}");
        }
        Ok(replies.into_iter().flatten().collect())
    }

    /// Everything that came until now. The server answers a Status-Server at once and takes packets of one
    /// socket in their order, so what it had to say to earlier ones at once comes before that answer.
    ///
    /// # Errors
    /// When the server does not answer any more.
    pub fn until_now(&self) -> Result<Vec<Vec<u8>>> {
        let status = Draft::new(code::STATUS_SERVER, 255);
        self.send(&status.signed(&self.secret))?;
        let mut before = Vec::new();
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            let Some(octets) = self.datagram(Duration::from_millis(200))? else { continue };
            match Reply::check(&octets, &status, &self.secret) {
                Ok(_) => return Ok(before),
                Err(_) => before.push(octets),
            }
        }
        bail!("the server does not answer Status-Server any more; before: {before:02x?}")
    }

    /// Checks that nothing was answered to anything until now.
    ///
    /// # Errors
    /// When something was.
    pub fn hears_nothing(&self) -> Result<()> {
        let heard = self.until_now()?;
        ensure!(heard.is_empty(), "silence was due, and this came: {heard:02x?}");
        Ok(())
    }

    /// Whether somebody answers a Status-Server within a moment.
    ///
    /// # Errors
    /// When the socket fails.
    pub fn finds_a_server(&self) -> Result<bool> {
        let status = Draft::new(code::STATUS_SERVER, 254);
        self.send(&status.signed(&self.secret))?;
        let octets = self.datagram(Duration::from_millis(100))?;
        Ok(octets.is_some_and(|octets| Reply::check(&octets, &status, &self.secret).is_ok()))
    }
}
