//! One simulator for all tests: making its keys takes longer than any of them.

use std::{
    fs,
    path::Path,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
};

use mobileid_simulator::{Options, Simulator};

pub(crate) struct World {
    pub(crate) simulator: Simulator,
}

/// The simulator, started when the first test needs it. Its keys are kept for the next run.
pub(crate) fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| {
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mobileidctl-simulator");
        World { simulator: Simulator::start(Options::new(state)).unwrap() }
    });
    &WORLD
}

impl World {
    /// The path of a configuration like the one that the simulator has laid out.
    pub(crate) fn config(&self, edit: impl Fn(String) -> String) -> String {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let laid_out = fs::read_to_string(self.simulator.state_dir().join("mobileid.toml")).unwrap();
        let name = format!("edited-{}.toml", COUNT.fetch_add(1, Ordering::Relaxed));
        let path = self.simulator.state_dir().join(name);
        fs::write(&path, edit(laid_out)).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    }

    /// The path of the roots of its signers.
    pub(crate) fn anchors(&self) -> String {
        self.simulator.state_dir().join("signer-anchors.pem").display().to_string()
    }
}
