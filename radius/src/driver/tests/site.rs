//! A simulator, and configurations of it with other lines in place of some and one user with a number.

use std::{
    fs,
    ops::Deref,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use mobileid::{
    driver::pins::Pins,
    load::{self, Setup},
    login::Request,
    outcome::Outcome,
};
use mobileid_simulator::{Behaviour, Options, Pending, Simulator, Subscriber};
use tokio::task::JoinHandle;

use super::{Cancel, Engine, Job, PATIENCE};

/// What nothing reaches on a loaded machine.
pub(super) const NO_LIMIT: &str =
    "sim = 30\nsim_connection = 60\napp = 30\napp_connection = 60\nconnect = 30\n";
/// The person has two seconds, and everything else has time.
pub(super) const PHONES_LIMIT: &str =
    "sim = 2\nsim_connection = 60\napp = 2\napp_connection = 60\nconnect = 30\n";
/// What a login reaches that is never answered.
pub(super) const OUR_LIMIT: &str = "sim = 2\nsim_connection = 4\napp = 2\napp_connection = 4\nconnect = 2\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Http {
    One,
    Two,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Synch,
    Asynch,
}

pub(super) struct World {
    simulator: Simulator,
}

/// Another number each time.
pub(super) fn count() -> usize {
    static COUNTED: AtomicUsize = AtomicUsize::new(0);
    COUNTED.fetch_add(1, Ordering::SeqCst)
}

impl World {
    /// A simulator of its own: one behaviour's phone can show one text at a time.
    pub(super) fn start(http: Http) -> Arc<Self> {
        let name = format!("mobileid-engine-{}-{}", std::process::id(), count());
        let mut options = Options::new(std::env::temp_dir().join(name));
        options.http2 = http == Http::Two;
        Arc::new(Self { simulator: Simulator::start(options).unwrap() })
    }

    /// One that is shared by the tests that run at the same time and bring their own people.
    pub(super) fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let world = Self::start(Http::One);
            *shared = Arc::downgrade(&world);
            world
        })
    }

    /// Waits until a text is on this number's phone.
    pub(super) async fn pending(self: &Arc<Self>, msisdn: &str) -> Pending {
        let (world, msisdn) = (Arc::clone(self), msisdn.to_owned());
        let wait = move || world.wait_for_pending(&msisdn, PATIENCE).unwrap();
        tokio::task::spawn_blocking(wait).await.unwrap()
    }
}

impl Deref for World {
    type Target = Simulator;

    fn deref(&self) -> &Simulator {
        &self.simulator
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.simulator.state_dir());
    }
}

/// One configuration, loaded, with the engine that belongs to it.
pub(super) struct Site {
    pub(super) setup: Arc<Setup>,
    pub(super) msisdn: String,
    engine: Arc<Engine>,
    folder: PathBuf,
    _world: Arc<World>,
}

impl Site {
    pub(super) fn new(
        world: &Arc<World>,
        name: &str,
        msisdn: &str,
        mode: Mode,
        bend: impl FnOnce(String) -> String,
    ) -> Self {
        let state = world.state_dir();
        let folder = state.join(format!("site-{name}-{}", count()));
        fs::create_dir(&folder).unwrap();
        let config = fs::read_to_string(state.join("mobileid.toml")).unwrap();
        let config = with_mode(config, mode).replace("[signature]\n", "[signature]\nserial = \"if-known\"\n");
        let config = format!("{config}\n[timeouts]\npoll = 1\n{NO_LIMIT}");
        for file in ["client.crt", "client.key", "server-root.pem", "signer-anchors.pem"] {
            fs::copy(state.join(file), folder.join(file)).unwrap();
        }
        write(&folder.join("mobileid.toml"), &bend(config));
        write(
            &folder.join("users.toml"),
            &format!("[u]\nmsisdn = \"+{}\"\n", msisdn.trim_start_matches('+')),
        );
        let (setup, engine) = loaded(&folder);
        let msisdn = msisdn.trim_start_matches('+').to_owned();
        Self { setup, engine, folder, msisdn, _world: Arc::clone(world) }
    }

    /// With a new subscriber, who does this.
    pub(super) fn of(
        world: &Arc<World>,
        name: &str,
        behaviour: Behaviour,
        mode: Mode,
        bend: impl FnOnce(String) -> String,
    ) -> Self {
        let mut subscriber = Subscriber::new(&format!("+4179200{:04}", count())).unwrap();
        subscriber.behaviour = behaviour;
        let msisdn = subscriber.msisdn.clone();
        world.add_subscriber(subscriber);
        Self::new(world, name, &msisdn, mode, bend)
    }

    /// With a new subscriber, who waits for the test.
    pub(super) fn interactive(world: &Arc<World>, name: &str, mode: Mode) -> Self {
        Self::of(world, name, Behaviour::Interactive, mode, |config| config)
    }

    /// The same configuration on another node.
    pub(super) fn again(&self) -> Self {
        let (setup, engine) = loaded(&self.folder);
        let (folder, msisdn) = (self.folder.clone(), self.msisdn.clone());
        Self { setup, engine, folder, msisdn, _world: Arc::clone(&self._world) }
    }

    /// Where its engine keeps serial numbers.
    pub(super) fn serials(&self) -> PathBuf {
        self.folder.join("serials")
    }

    pub(super) fn engine(&self) -> Arc<Engine> {
        Arc::clone(&self.engine)
    }

    pub(super) fn request(&self) -> Request {
        request("u")
    }

    pub(super) fn start(&self) -> Job {
        Job::Start(self.request())
    }

    pub(super) fn spawn(&self, job: Job, cancel: Cancel) -> JoinHandle<Outcome> {
        let (engine, setup) = (self.engine(), Arc::clone(&self.setup));
        tokio::spawn(async move { engine.run(job, &setup, cancel, |_| {}).await })
    }

    /// A login from its start to its end.
    pub(super) async fn login(&self) -> Outcome {
        let (_holds, cancel) = tokio::sync::oneshot::channel();
        self.engine.run(self.start(), &self.setup, cancel, |_| {}).await
    }
}

pub(super) fn request(user: &str) -> Request {
    Request {
        user: user.parse().unwrap(),
        service: "VPN".into(),
        host: "gate".into(),
        rhost: None,
        client: Some("gate".into()),
        target: None,
        command: None,
        limit: None,
    }
}

fn loaded(folder: &Path) -> (Arc<Setup>, Arc<Engine>) {
    let setup = load::load(&folder.join("mobileid.toml")).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let engine = Engine::new(&setup.connection, Pins::at(&folder.join("serials"))).unwrap();
    (Arc::new(setup), Arc::new(engine))
}

fn with_mode(config: String, mode: Mode) -> String {
    let mode = match mode {
        Mode::Synch => "synch",
        Mode::Asynch => "asynch",
    };
    config.replace("[service]", &format!("[service]\nmessaging_mode = \"{mode}\""))
}

/// Says the mode in a configuration as the simulator has written it.
pub(super) fn set_mode(config: &Path, mode: Mode) {
    let text = fs::read_to_string(config).unwrap();
    write(config, &with_mode(text, mode));
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
