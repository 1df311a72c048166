//! Many who wait at once. What each of them costs is for `make bench-radius` to say.

use std::{sync::Arc, time::Duration};

use mobileid::{driver::pins::Pins, load};
use mobileid_simulator::{Options, Population, Simulator};
use tokio::{sync::oneshot, task::JoinSet};

use super::{Engine, Job, accepted, site, site::Mode};

async fn crowd(many: u32, after: Duration, mode: Mode, http2: bool) {
    let folder = std::env::temp_dir().join(format!("mobileid-load-{}-{}", std::process::id(), site::count()));
    let mut options = Options::new(&folder);
    options.population = Some(Population { after, ..Population::new(many) });
    options.http2 = http2;
    let _simulator = Simulator::start(options).unwrap();
    let config = folder.join("mobileid.toml");
    site::set_mode(&config, mode);
    let setup = Arc::new(load::load(&config).unwrap());
    let engine = Arc::new(Engine::new(&setup.connection, Pins::at(&folder.join("serials"))).unwrap());
    let mut running = JoinSet::new();
    let mut holds = Vec::new();
    for index in 0..many {
        let (hold, cancel) = oneshot::channel();
        holds.push(hold);
        let (engine, setup) = (Arc::clone(&engine), Arc::clone(&setup));
        running.spawn(async move {
            let job = Job::Start(site::request(&Population::user(index)));
            engine.run(job, &setup, cancel, |_| {}).await
        });
    }
    let mut count = 0;
    while let Some(outcome) = running.join_next().await {
        accepted(&outcome.unwrap());
        count += 1;
    }
    assert_eq!(count, many);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_hundred_is_lost() {
    let delay = Duration::from_millis(200);
    for (mode, http2) in [(Mode::Synch, false), (Mode::Synch, true), (Mode::Asynch, false)] {
        crowd(100, delay, mode, http2).await;
    }
}
