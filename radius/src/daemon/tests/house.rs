//! What the stories happen in: a simulator with people of its own, a daemon's folder, a NAS.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use mobileid_simulator::{Behaviour, Options, Pending, Simulator, Subscriber};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    runtime::Handle,
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};

use super::super::{Daemon, Order, Plan, Refused, Surroundings};
use crate::{
    authenticator::{SharedSecret, Signed, check_answer, hide_password},
    log::Log,
    notify::Notifier,
    packet::{Builder, Code, Packet, attribute},
    server::Level,
    testing::Folder,
};

/// What nothing takes that goes well.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const CONFIG: &str = r#"
mobileid = "SIMULATOR/mobileid.toml"
listen = ["127.0.0.1:0"]
state_dir = "."
audit = "audit.json"
metrics = "127.0.0.1:0"

[[client]]
name = "vpn"
address = "127.0.0.1"
secret = "s3cret-s3cret-s3cret"
mode = "wait"
nas_timeout = 60
first_factor = "none"
password = "ignored"
# learn
"#;

/// A simulator and a daemon's folder.
pub(super) struct House {
    simulator: Simulator,
    folder: Folder,
    people: Vec<(&'static str, String)>,
}

/// A person's phone, with a text on it.
pub(super) struct Phone<'a> {
    house: &'a House,
    pending: Pending,
}

/// A daemon that runs.
pub(super) struct Running {
    at: std::net::SocketAddr,
    metrics: std::net::SocketAddr,
    orders: mpsc::Sender<Order>,
    task: JoinHandle<Result<(), Refused>>,
}

/// A client with a port of its own.
pub(super) struct Nas {
    socket: UdpSocket,
    secret: SharedSecret,
    next: u8,
}

/// An answer that was checked.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    octets: Vec<u8>,
}

impl House {
    pub(super) fn new(name: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let folder = Folder::new(&format!("daemon-{name}"));
        let simulator = Simulator::start(Options::new(folder.join("simulator"))).unwrap();
        let mut people = Vec::new();
        let mut users = String::new();
        for user in ["alice", "bob", super::PANICS] {
            let number = NUMBER.fetch_add(1, Ordering::SeqCst);
            let mut subscriber = Subscriber::new(&format!("+4179300{number:04}")).unwrap();
            subscriber.behaviour = Behaviour::Interactive;
            people.push((user, subscriber.msisdn.clone()));
            users += &format!("[{user}]\nmsisdn = \"+{}\"\n", subscriber.msisdn.trim_start_matches('+'));
            simulator.add_subscriber(subscriber);
        }
        write_closed(&folder.join("simulator/users.toml"), &users);
        let house = Self { simulator, folder, people };
        house.write(|config| config);
        house
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.path("radiusd.toml")
    }

    /// Writes the configuration anew, bent like this.
    pub(super) fn write(&self, bend: impl FnOnce(String) -> String) {
        write_closed(&self.config(), &bend(CONFIG.replace("SIMULATOR", "simulator")));
    }

    pub(super) fn around(&self, notifier: Notifier) -> Surroundings {
        Surroundings {
            config: self.config(),
            workers: Handle::current(),
            notifier,
            log: Log::to_stderr(Level::Error),
        }
    }

    pub(super) async fn start(&self) -> Running {
        self.start_with(Notifier::default()).await
    }

    pub(super) async fn start_with(&self, notifier: Notifier) -> Running {
        let plan = Plan::read(&self.config()).unwrap_or_else(|refused| panic!("{refused}"));
        let daemon = Daemon::new(plan, self.around(notifier)).unwrap_or_else(|refused| panic!("{refused}"));
        let (at, _) = daemon.addresses().next().unwrap();
        let metrics = daemon.metrics_address().unwrap();
        let (orders, taken) = mpsc::channel(4);
        Running { at, metrics, orders, task: tokio::spawn(daemon.run(taken)) }
    }

    fn number(&self, user: &str) -> &str {
        &self.people.iter().find(|(name, _)| *name == user).unwrap().1
    }

    /// Waits until there is a text on somebody's phone.
    pub(super) async fn phone(&self, user: &str) -> Phone<'_> {
        let number = self.number(user).to_owned();
        let pending = tokio::task::block_in_place(|| self.simulator.wait_for_pending(&number, PATIENCE));
        Phone { house: self, pending: pending.unwrap() }
    }

    pub(super) fn pushes(&self, user: &str) -> usize {
        self.simulator.pushes(self.number(user))
    }

    pub(super) async fn audit_lines(&self, count: usize) -> Vec<String> {
        self.lines_of("audit.json", count).await
    }

    /// Waits until a file has so many lines.
    pub(super) async fn lines_of(&self, file: &str, count: usize) -> Vec<String> {
        let path = self.path(file);
        let read = async {
            loop {
                let text = fs::read_to_string(&path).unwrap();
                if text.lines().count() >= count {
                    return text.lines().map(str::to_owned).collect();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, read).await.unwrap()
    }
}

impl Phone<'_> {
    pub(super) fn text(&self) -> &str {
        &self.pending.text
    }

    pub(super) fn approve(self) {
        assert!(self.house.simulator.approve(&self.pending.id));
    }

    pub(super) fn cancel(self) {
        assert!(self.house.simulator.cancel(&self.pending.id));
    }
}

impl Running {
    pub(super) async fn nas(&self) -> Nas {
        self.nas_with("s3cret").await
    }

    /// A NAS with a secret whose words are this one.
    pub(super) async fn nas_with(&self, word: &str) -> Nas {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(self.at).await.unwrap();
        let secret = [word; 3].join("-");
        Nas { socket, secret: SharedSecret::new(secret.as_bytes()), next: 0 }
    }

    pub(super) async fn order(&self, order: Order) {
        self.orders.send(order).await.unwrap();
    }

    pub(super) async fn reload(&self) {
        self.order(Order::Reload).await;
    }

    pub(super) async fn stop(self) -> Result<(), Refused> {
        self.order(Order::Stop).await;
        self.ended().await
    }

    pub(super) async fn ended(self) -> Result<(), Refused> {
        timeout(PATIENCE, self.task).await.unwrap().unwrap()
    }

    /// The whole response.
    pub(super) async fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.metrics).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    /// Waits until the metrics have this line.
    pub(super) async fn metric(&self, line: &str) {
        let seen = async {
            while !self.get("/metrics").await.lines().any(|found| found == line) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("never {line}"));
    }
}

impl Nas {
    pub(super) async fn login(&mut self, user: &str) -> Vec<u8> {
        self.login_with(user, &[]).await
    }

    /// Sends a login with these attributes as well; gives the packet.
    pub(super) async fn login_with(&mut self, user: &str, more: &[(u8, &[u8])]) -> Vec<u8> {
        let mut packet = self.request(Code::ACCESS_REQUEST);
        self.fill(&mut packet, user);
        for (kind, value) in more {
            packet.add(*kind, value).unwrap();
        }
        let packet = packet.signed_request(&self.secret);
        self.send_again(&packet).await;
        packet
    }

    pub(super) async fn unsigned_login(&mut self, user: &str) {
        let mut packet = self.request(Code::ACCESS_REQUEST);
        self.fill(&mut packet, user);
        self.send_again(&packet.unsigned()).await;
    }

    /// Asks whether the daemon is there, and waits for its answer.
    pub(super) async fn status(&mut self) {
        let request = self.request(Code::STATUS_SERVER).signed_request(&self.secret);
        self.send_again(&request).await;
        assert_eq!(self.answer_to(&request).await.code, Code::ACCESS_ACCEPT);
    }

    pub(super) async fn send_again(&self, packet: &[u8]) {
        self.socket.send(packet).await.unwrap();
    }

    /// Waits for the answer to this packet, which must be signed.
    pub(super) async fn answer_to(&mut self, request: &[u8]) -> Answer {
        let request = Packet::parse(request).unwrap();
        let mut buffer = [0; 4096];
        let received = timeout(PATIENCE, self.socket.recv(&mut buffer)).await.expect("an answer");
        let octets = buffer[..received.unwrap()].to_vec();
        let packet = Packet::parse(&octets).unwrap();
        assert_eq!(packet.identifier(), request.identifier());
        assert_eq!(check_answer(&packet, &request.authenticator(), &self.secret), Signed::Valid);
        Answer { code: packet.code(), octets }
    }

    fn request(&mut self, code: Code) -> Builder {
        self.next += 1;
        Builder::new(code, self.next, [self.next; 16])
    }

    fn fill(&self, packet: &mut Builder, user: &str) {
        let password = hide_password(b"password", &self.secret, &[self.next; 16]).unwrap();
        packet.add(attribute::USER_NAME, user.as_bytes()).unwrap();
        packet.add(attribute::USER_PASSWORD, &password).unwrap();
        packet.add(attribute::CALLING_STATION_ID, b"203.0.113.9").unwrap();
    }
}

impl Answer {
    pub(super) fn first(&self, kind: u8) -> &[u8] {
        Packet::parse(&self.octets).unwrap().first(kind).expect("the attribute")
    }

    pub(super) fn text(&self, kind: u8) -> String {
        String::from_utf8(self.first(kind).to_vec()).unwrap()
    }
}

/// Writes a file that is closed to others.
pub(super) fn write_closed(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
