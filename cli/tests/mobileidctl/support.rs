//! A folder with a configuration and what it names, and the binary run on it.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder for one test, gone when it ends.
pub(crate) struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What OpenSSL reads instead of the system's configuration.
const OPENSSL_CNF: &str = "[req]\ndistinguished_name = dn\n[dn]\n";

const CONFIG: &str = r#"[service]
ap_id = "mid://acme.example"
dtbd_prefix = "ACME: "
url = "https://127.0.0.1:1"
server_trust = "root.crt"
client_cert = "client.crt"
client_key = "client.key"

[signature]
trust = ["root.crt"]

[timeouts]
connect = 1

[users]
table = "users.toml"
"#;

pub(crate) const CLIENT_AUTH: &str = "extendedKeyUsage=clientAuth";

impl Folder {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ctl-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::DirBuilder::new().mode(0o700).create(&path).unwrap();
        let folder = Self(path);
        folder.write("openssl.cnf", OPENSSL_CNF);
        folder
    }

    /// With a sound configuration in it.
    pub(crate) fn sound() -> Self {
        let folder = Self::new();
        folder.root("root", "/CN=Test Root");
        folder.self_signed("client", "ec", 1825, CLIENT_AUTH);
        folder.write("users.toml", "[alice]\nmsisdn = \"+41791234567\"\n");
        folder.write("mobileid.toml", CONFIG);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
        self.mode(name, 0o600);
    }

    pub(crate) fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Changes a text in the configuration.
    pub(crate) fn edit(&self, from: &str, to: &str) {
        let text = fs::read_to_string(self.path("mobileid.toml")).unwrap();
        assert!(text.contains(from), "{from:?} is not in the configuration");
        self.write("mobileid.toml", text.replace(from, to));
    }

    pub(crate) fn openssl(&self, arguments: &[&str]) {
        let output = Command::new("openssl")
            .args(arguments)
            .current_dir(&self.0)
            .env("OPENSSL_CONF", self.path("openssl.cnf"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {said}");
    }

    /// A new key, `ec` or `rsa:BITS`.
    pub(crate) fn key(&self, name: &str, kind: &str) {
        let key = format!("{name}.key");
        match kind.strip_prefix("rsa:") {
            Some(bits) => {
                let bits = format!("rsa_keygen_bits:{bits}");
                self.openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", &bits, "-out", &key]);
            }
            None => {
                let curve = "ec_paramgen_curve:P-256";
                self.openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", curve, "-out", &key]);
            }
        }
        self.mode(&key, 0o600);
    }

    /// A key and a certificate of its own; `days` may be -1, which makes one that has expired.
    pub(crate) fn self_signed(&self, name: &str, kind: &str, days: i32, extension: &str) {
        self.key(name, kind);
        self.certificate(name, &format!("/CN={name}.example"), days, extension, &["-signkey", "KEY"]);
    }

    pub(crate) fn root(&self, name: &str, subject: &str) {
        self.root_for(name, subject, 3650);
    }

    pub(crate) fn root_for(&self, name: &str, subject: &str, days: i32) {
        self.key(name, "ec");
        let extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign";
        self.certificate(name, subject, days, extensions, &["-signkey", "KEY"]);
    }

    /// A key and a certificate that `root` has issued.
    pub(crate) fn issued(&self, name: &str, subject: &str, root: &str, extensions: &str) {
        self.key(name, "ec");
        let (certificate, key) = (format!("{root}.crt"), format!("{root}.key"));
        let by = ["-CA", &certificate, "-CAkey", &key, "-CAcreateserial"];
        self.certificate(name, subject, 30, extensions, &by);
    }

    fn certificate(&self, name: &str, subject: &str, days: i32, extensions: &str, by: &[&str]) {
        let file = |extension: &str| format!("{name}.{extension}");
        let (key, request, certificate, ext) = (file("key"), file("csr"), file("crt"), file("ext"));
        self.write(&ext, format!("{extensions}\n"));
        self.openssl(&["req", "-new", "-key", &key, "-subj", subject, "-out", &request]);
        let days = days.to_string();
        let mut arguments = vec!["x509", "-req", "-in", &request, "-days", &days, "-sha256"];
        arguments.extend(["-extfile", &ext, "-out", &certificate]);
        arguments.extend(by.iter().map(|word| if *word == "KEY" { key.as_str() } else { *word }));
        self.openssl(&arguments);
    }

    /// Runs `mobileidctl VERB --config mobileid.toml ARGUMENTS`.
    pub(crate) fn ctl(&self, verb: &str, arguments: &[&str]) -> Run {
        let config = self.text("mobileid.toml");
        let mut all = vec![verb, "--config", &config];
        all.extend(arguments);
        ctl(&all)
    }

    /// `openssl s_server` in this folder, ended with the test.
    pub(crate) fn tls_server(&self, arguments: &[&str]) -> Server {
        // A port that was free a moment ago: s_server does not say which one it took of its own.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("openssl")
            .args(["s_server", "-quiet", "-accept", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .current_dir(&self.0)
            .env("OPENSSL_CONF", self.path("openssl.cnf"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, url: format!("https://127.0.0.1:{port}") };
        for _ in 0..500 {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("openssl s_server does not listen");
    }
}

/// A server that ends with the test.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a run of the binary ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The one line of JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        assert_eq!(self.stdout.matches('\n').count(), 1, "{self:?}");
        serde_json::from_str(&self.stdout).unwrap()
    }
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mobileidctl"));
    command.stdin(Stdio::null());
    command
}

pub(crate) fn ctl(arguments: &[&str]) -> Run {
    Run::of(binary().args(arguments).output().unwrap())
}
