//! A running simulator: what the library hands out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::sync::oneshot;

use crate::behaviour::{Behaviour, Decision};
use crate::client_files;
use crate::folder::Folder;
use crate::journal::{Entry, Event, Journal};
use crate::options::Options;
use crate::phone::{self, Pending};
use crate::pki::Pki;
use crate::population::Population;
use crate::server;
use crate::service::{ApplicationProvider, Service};
use crate::srs::{self, Evidence, Identification, State};
use crate::subscribers::{Subscriber, test_numbers};

/// A Mobile ID service on this machine, with its phones. Ends, and has ended, when it is dropped.
///
/// It runs on threads of its own: calls block for moments at most, except those that are named `wait`.
pub struct Simulator {
    url: String,
    phone_url: String,
    srs_url: String,
    state: PathBuf,
    folder: Arc<Folder>,
    service: Arc<Service>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Starts one. Keys are made at the first start in a state folder, which takes a second or so.
    ///
    /// # Errors
    /// The state folder is not private or in use, an address is not a loopback one or is taken, or
    /// something of the operating system fails.
    pub fn start(options: Options) -> Result<Simulator> {
        let service_listener = server::bind(options.listen)?;
        let phone_listener = server::bind(options.phone)?;
        let srs_listener = server::bind(options.srs)?;
        let address = service_listener.local_addr()?;
        let url = format!("https://{address}");
        let phone_url = format!("http://{}", phone_listener.local_addr()?);
        let srs_url = format!("https://{}", srs_listener.local_addr()?);

        let folder = Arc::new(Folder::open(&options.state)?);
        let pki = Arc::new(Pki::open(folder.clone())?);
        let identity = pki.server(address.ip())?;
        let tls = server::tls(&identity, options.http2)?;
        let srs_tls = srs::tls(&pki.server(srs_listener.local_addr()?.ip())?)?;
        let certificates = [vec![pki.client()?], options.client_certificates.clone()].concat();
        let journal = Journal::new(folder.appendable("journal.jsonl")?);
        client_files::write(&folder, &options, &url, &srs_url, &identity.root, pki.signer_root())?;

        let provider = ApplicationProvider {
            id: options.ap_id,
            dtbd_prefix: options.dtbd_prefix,
            certificates,
            profiles: options.profiles,
        };
        let crowd = options.population.into_iter().flat_map(Population::subscribers);
        let subscribers = test_numbers().into_iter().chain(crowd).chain(options.subscribers);
        let service = Arc::new(Service::new(provider, pki, journal, subscribers, options.population));

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = service.clone();
        // A thread of its own owns the runtime: it may then be ended from anywhere, async code included.
        let thread = std::thread::Builder::new().name("mobileid-simulator".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listeners = (
                    tokio::net::TcpListener::from_std(service_listener),
                    tokio::net::TcpListener::from_std(phone_listener),
                    tokio::net::TcpListener::from_std(srs_listener),
                );
                if let (Ok(service_listener), Ok(phone_listener), Ok(srs_listener)) = listeners {
                    tokio::spawn(server::serve(service_listener, tls, serving.clone()));
                    tokio::spawn(srs::serve(srs_listener, srs_tls, serving.clone()));
                    tokio::spawn(phone::serve(phone_listener, serving));
                    let _ = stopped.await;
                }
            });
            runtime.shutdown_timeout(Duration::from_secs(5));
        })?;
        let state = folder.path().to_owned();
        Ok(Simulator {
            url,
            phone_url,
            srs_url,
            state,
            folder,
            service,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// The service's base URL, `https://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The phone page's URL.
    pub fn phone_url(&self) -> &str {
        &self.phone_url
    }

    /// The base URL of the Smart Registration Service.
    pub fn srs_url(&self) -> &str {
        &self.srs_url
    }

    /// The state folder, with `mobileid.toml` and what it names.
    pub fn state_dir(&self) -> &Path {
        &self.state
    }

    /// Everything that happened since the start.
    pub fn journal(&self) -> Vec<Entry> {
        self.service.journal.entries()
    }

    /// How often a text appeared on this number's phone.
    pub fn pushes(&self, msisdn: &str) -> usize {
        let msisdn = msisdn.trim_start_matches('+');
        self.service
            .journal
            .count(|entry| entry.event == Event::PushStarted && entry.msisdn.as_deref() == Some(msisdn))
    }

    /// Blocks until the journal has an entry that fits, and returns the first.
    ///
    /// # Errors
    /// None came within that time.
    pub fn wait_for_entry(&self, wanted: impl Fn(&Entry) -> bool, within: Duration) -> Result<Entry> {
        let find = |entries: &[Entry]| entries.iter().find(|entry| wanted(entry)).cloned();
        self.service.journal.wait_for(find, within).context("no such entry came into the journal")
    }

    /// What is on phones now, oldest first.
    pub fn pending(&self) -> Vec<Pending> {
        self.service.pending().iter().map(|transaction| Pending::of(transaction)).collect()
    }

    /// Blocks until a text is on this number's phone.
    ///
    /// # Errors
    /// None came within that time.
    pub fn wait_for_pending(&self, msisdn: &str, within: Duration) -> Result<Pending> {
        let msisdn = msisdn.trim_start_matches('+');
        let look = |_: &[Entry]| self.pending().into_iter().find(|pending| pending.msisdn == msisdn);
        self.service.journal.wait_for(look, within).with_context(|| format!("nothing came to +{msisdn}"))
    }

    /// Confirms a pending request. False if it is not pending, or no longer.
    pub fn approve(&self, id: &str) -> bool {
        self.service.decide(id, Decision::Approve)
    }

    /// Declines a pending request. False if it is not pending, or no longer.
    pub fn cancel(&self, id: &str) -> bool {
        self.service.decide(id, Decision::Cancel)
    }

    /// Changes what a subscriber does with requests from now on.
    ///
    /// # Errors
    /// Nobody has the number.
    pub fn set_behaviour(&self, msisdn: &str, behaviour: Behaviour) -> Result<()> {
        if !self.service.set_behaviour(msisdn, behaviour) {
            bail!("{msisdn} has no Mobile ID");
        }
        Ok(())
    }

    /// Activates a number anew, as its owner does on another phone without a recovery code: the certificate that signs
    /// from the next request on has a new serial number (guide 4.2), which is returned. It holds until the simulator
    /// ends.
    ///
    /// # Errors
    /// Nobody has the number.
    pub fn reactivate(&self, msisdn: &str) -> Result<String> {
        self.service.reactivate(msisdn).with_context(|| format!("{msisdn} has no Mobile ID"))
    }

    /// Adds a subscriber, or replaces the one with the same number.
    pub fn add_subscriber(&self, subscriber: Subscriber) {
        self.service.add_subscriber(subscriber);
    }

    /// Adds a user to users.toml; the number need not be a subscriber's.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add_user(&self, name: &str, msisdn: &str, language: &str) -> Result<()> {
        self.folder.append("users.toml", client_files::user(name, msisdn, language, None).as_bytes())
    }

    /// Every identification that was ordered.
    pub fn identifications(&self) -> Vec<Identification> {
        self.service.registry.identifications()
    }

    /// Brings an identification to its next state; after the last one, the person accepts the terms. False if nothing
    /// more can become of it.
    pub fn advance_identification(&self, ref_id: &str) -> bool {
        srs::changed(&self.service, self.service.registry.advance(ref_id))
    }

    /// Ends an identification in a state such as [`State::Error`]. False if it has ended already.
    pub fn end_identification(&self, ref_id: &str, state: State, reason: Option<&str>) -> bool {
        srs::changed(&self.service, self.service.registry.end(ref_id, state, reason.map(str::to_owned)))
    }

    /// Makes every token worthless that was given so far.
    pub fn expire_tokens(&self) {
        self.service.registry.expire_tokens();
    }

    /// Has the Registration Authority know a person.
    pub fn add_evidence(&self, evidence: Evidence) {
        self.service.registry.add_evidence(evidence);
    }

    /// Has it know nobody of this number any more.
    pub fn remove_evidence(&self, msisdn: &str) {
        self.service.registry.remove_evidence(msisdn.trim_start_matches('+'));
    }

    /// Ends the simulator and waits until it has ended, as dropping it does.
    pub fn stop(self) {}

    /// The line that tells a starting program that the simulator is ready.
    pub fn ready_line(&self) -> String {
        format!("ready service={} phone={} srs={}\n", self.url, self.phone_url, self.srs_url)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic over there is over there; there is nobody to tell it to.
            let _ = thread.join();
        }
    }
}
