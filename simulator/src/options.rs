//! How a simulator is started: in process by [`Options`], from a shell by the arguments that make them.

use std::ffi::OsString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustls_pki_types::{
    CertificateDer,
    pem::{self, PemObject},
};

use crate::keys::KeyKind;
use crate::population::Population;
use crate::profiles::Profile;
use crate::subscribers::{Subscriber, built_in, list_built_in};
use crate::subscribers_file::read_file;

/// Everything that can be chosen about a simulator.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// Where the service listens; loopback only. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the phone page listens; loopback only. Port 0 takes a free one.
    pub phone: SocketAddr,
    /// Where the Smart Registration Service listens; loopback only. Port 0 takes a free one.
    pub srs: SocketAddr,
    /// The state folder, created when missing.
    pub state: PathBuf,
    /// Who has a Mobile ID, beside the live service's two test numbers.
    pub subscribers: Vec<Subscriber>,
    /// A crowd beside them, for a load test.
    pub population: Option<Population>,
    /// Whether HTTP/2 is offered beside HTTP/1.1, which is all that was recorded of the live service.
    pub http2: bool,
    /// The AP_ID of the contract.
    pub ap_id: String,
    /// What every displayed text has to start with.
    pub dtbd_prefix: String,
    /// The signature profiles the Application Provider may use.
    pub profiles: Vec<Profile>,
    /// Certificates in DER that the service has registered, beside the one that it lays out.
    pub client_certificates: Vec<Vec<u8>>,
}

impl Options {
    /// The built-in subscribers on free loopback ports, with this state folder.
    pub fn new(state: impl Into<PathBuf>) -> Options {
        Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            phone: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            srs: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            state: state.into(),
            subscribers: built_in(),
            population: None,
            http2: false,
            ap_id: "mid://simulator.example".to_owned(),
            dtbd_prefix: "SIM: ".to_owned(),
            profiles: Profile::ALL.to_vec(),
            client_certificates: Vec::new(),
        }
    }
}

/// What a command line asks for.
#[derive(Debug)]
#[non_exhaustive]
pub enum Command {
    /// To serve until a signal comes or, if so chosen, until stdin ends.
    Serve {
        /// The simulator to start.
        options: Box<Options>,
        /// Whether the end of stdin ends it.
        exit_with_stdin: bool,
    },
    /// To print this and end.
    Print(String),
}

impl Command {
    /// Reads the arguments, without the program's name.
    ///
    /// # Errors
    /// An argument is unknown, lacks its value or has a bad one, or the subscribers file is wrong.
    pub fn from_args(args: impl IntoIterator<Item = OsString>) -> Result<Command> {
        use lexopt::prelude::*;

        let mut parser = lexopt::Parser::from_args(args);
        let mut state = None;
        let mut options = Options::new("");
        let mut exit_with_stdin = false;
        let mut crowd = Population::new(0);
        while let Some(argument) = parser.next()? {
            match argument {
                Long("listen") => options.listen = address(&mut parser, "--listen")?,
                Long("phone") => options.phone = address(&mut parser, "--phone")?,
                Long("srs") => options.srs = address(&mut parser, "--srs")?,
                Long("state") => state = Some(PathBuf::from(parser.value()?)),
                Long("subscribers") => options.subscribers = read_file(&PathBuf::from(parser.value()?))?,
                Long("population") => crowd.size = number(&mut parser, "--population")?,
                Long("population-delay") => {
                    let ms: u64 = number(&mut parser, "--population-delay")?;
                    crowd.after = Duration::from_millis(ms);
                }
                Long("population-key") => crowd.key = key(&parser.value()?.string()?)?,
                Long("http2") => options.http2 = true,
                Long("profiles") => options.profiles = profiles(&parser.value()?.string()?)?,
                Long("client-cert") => {
                    options.client_certificates.push(certificate(&PathBuf::from(parser.value()?))?);
                }
                Long("exit-with-stdin") => exit_with_stdin = true,
                Long("list-subscribers") => return Ok(Command::Print(list_built_in())),
                Short('V') | Long("version") => {
                    return Ok(Command::Print(
                        concat!("mobileid-simulator ", env!("CARGO_PKG_VERSION"), "\n").into(),
                    ));
                }
                Short('h') | Long("help") => return Ok(Command::Print(help())),
                other => return Err(other.unexpected().into()),
            }
        }
        let Some(state) = state else { bail!("--state DIR is missing; --help explains") };
        options.state = state;
        options.population = Some(crowd).filter(|crowd| crowd.size > 0);
        let listeners = [("--listen", options.listen), ("--phone", options.phone), ("--srs", options.srs)];
        for (name, address) in listeners {
            if !address.ip().is_loopback() {
                bail!("{name} {address}: not a loopback address; the simulator serves this machine only");
            }
        }
        Ok(Command::Serve { options: Box::new(options), exit_with_stdin })
    }
}

fn address(parser: &mut lexopt::Parser, name: &str) -> Result<SocketAddr> {
    let text = lexopt::ValueExt::string(parser.value()?)?;
    text.parse().with_context(|| format!("{name} {text:?}: not an address with a port, such as 127.0.0.1:0"))
}

fn number<T: std::str::FromStr>(parser: &mut lexopt::Parser, name: &str) -> Result<T>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text = lexopt::ValueExt::string(parser.value()?)?;
    text.parse().with_context(|| format!("{name} {text:?}: not a number, or too large"))
}

fn certificate(path: &Path) -> Result<Vec<u8>> {
    let certificate = CertificateDer::from_pem_file(path);
    let why = |error| match error {
        pem::Error::NoItemsFound => "no certificate in PEM".to_owned(),
        error => error.to_string(),
    };
    Ok(certificate.map_err(|error| anyhow!("--client-cert {}: {}", path.display(), why(error)))?.to_vec())
}

fn key(name: &str) -> Result<KeyKind> {
    match name {
        "ec" => Ok(KeyKind::Ec),
        "rsa" => Ok(KeyKind::Rsa),
        _ => bail!("--population-key {name:?}: it is ec or rsa"),
    }
}

fn profiles(list: &str) -> Result<Vec<Profile>> {
    let profile = |name: &str| {
        let found = Profile::ALL.iter().find(|profile| profile.uri().rsplit('/').next() == Some(name));
        found.copied().with_context(|| format!("--profiles: {name:?} is none of {}", names(Profile::ALL)))
    };
    list.split(',').map(profile).collect()
}

fn names(profiles: &[Profile]) -> String {
    profiles.iter().filter_map(|profile| profile.uri().rsplit('/').next()).collect::<Vec<_>>().join(", ")
}

fn help() -> String {
    format!(
        "\
Simulates Swisscom Mobile ID on this machine: the service and the phones.

Usage: mobileid-simulator --state DIR [OPTION]...

  --state DIR             keys, certificates and a ready client configuration
  --listen ADDRESS        where the service listens (127.0.0.1:0)
  --phone ADDRESS         where the phone page listens (127.0.0.1:0)
  --srs ADDRESS           where the Registration Service listens (127.0.0.1:0)
  --subscribers FILE      who has a Mobile ID, instead of the built-in table
  --profiles LIST         profiles that the AP may use, with commas between:
                          {}
  --client-cert FILE      a certificate that the service knows, too; repeatable
  --http2                 offers HTTP/2 beside HTTP/1.1
  --population N          adds user0 to userN-1, who confirm and share a key
  --population-delay MS   how long each of them takes (0)
  --population-key KEY    what they sign with: ec (the default) or rsa
  --exit-with-stdin       end when standard input ends
  --list-subscribers      print the built-in table: names, keys, what they do
  -h, --help, -V, --version

When it is ready it prints one line: ready service=... phone=... srs=...
Exit codes: 0 told to end, 1 could not start. See mobileid-simulator(1).
",
        Profile::ALL.chunks(3).map(names).collect::<Vec<_>>().join("\n                          "),
    )
}
