//! Many who wait at once, and what each of them costs.
//!
//! The simulator runs in a process of its own, so that what is counted here is the driver's: this test binary again,
//! started with [`the_service`] as its only test. The sizes that run by default only show that nobody is lost;
//! `cargo test --release -p mobileid-radiusd driver::tests::load -- --ignored --nocapture` counts.

use std::{
    io::{BufRead, BufReader, Lines, Read},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use mobileid::load;
use mobileid_simulator::{Options, Population, Simulator};
use tokio::{sync::oneshot, task::JoinSet};

use super::{Engine, Job, accepted, site, site::Mode};

const FOLDER: &str = "MOBILEID_TEST_SERVICE_FOLDER";
const PLAN: &str = "MOBILEID_TEST_SERVICE_PLAN";

/// Not a test of its own: what [`Service::start`] starts. Without the folder it has nothing to do.
#[test]
#[ignore = "is started by the load tests"]
fn the_service() {
    let (Ok(folder), Ok(plan)) = (std::env::var(FOLDER), std::env::var(PLAN)) else { return };
    let plan = plan.split(' ').map(|number| number.parse().unwrap()).collect::<Vec<u32>>();
    let mut options = Options::new(folder);
    let after = Duration::from_millis(plan[1].into());
    options.population = Some(Population { after, ..Population::new(plan[0]) });
    options.http2 = plan[2] != 0;
    let simulator = Simulator::start(options).unwrap();
    print!("\n{}", simulator.ready_line());
    // Until the parent is gone, however it goes.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

struct Service {
    child: Child,
    folder: PathBuf,
    /// Kept, so that what it still says does not end it.
    _said: Lines<BufReader<ChildStdout>>,
}

impl Service {
    fn start(many: u32, delay: Duration, http2: bool) -> Self {
        let folder =
            std::env::temp_dir().join(format!("mobileid-load-{}-{}", std::process::id(), site::count()));
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["driver::tests::load::the_service", "--exact", "--ignored", "--nocapture"])
            .env(FOLDER, &folder)
            .env(PLAN, format!("{many} {} {}", delay.as_millis(), u8::from(http2)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().starts_with("ready service=")), "it did not start");
        Self { child, folder, _said: lines }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// This process's resident memory in KiB, and the CPU it has used.
fn spent() -> (f64, Duration) {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split(' ').collect::<Vec<_>>();
    let ticks = |at: usize| fields[at].parse::<u64>().unwrap();
    (pages * 4.0, Duration::from_millis((ticks(12) + ticks(13)) * 10))
}

async fn crowd(many: u32, delay: Duration, mode: Mode, http2: bool) {
    let service = tokio::task::spawn_blocking(move || Service::start(many, delay, http2)).await.unwrap();
    let config = service.folder.join("mobileid.toml");
    site::set_mode(&config, mode);
    let setup = Arc::new(load::load(&config).unwrap());
    let engine = Arc::new(Engine::new(&setup.connection).unwrap());
    let (memory_before, cpu_before) = spent();
    let begun = Instant::now();
    let mut running = JoinSet::new();
    let mut holds = Vec::new();
    for index in 0..many {
        let (hold, cancel) = oneshot::channel();
        holds.push(hold);
        let (engine, setup) = (Arc::clone(&engine), Arc::clone(&setup));
        running.spawn(async move {
            let job = Job::Start(site::request(&Population::user(index)));
            Box::pin(engine.run(job, &setup, cancel, |_| {})).await
        });
    }
    // Between the last request and the first answer everybody waits, if the phone is slow enough.
    tokio::time::sleep_until((begun + delay).into()).await;
    let (memory, _) = spent();
    let waiting = running.len();
    let mut over = Vec::new();
    while let Some(outcome) = running.join_next().await {
        let outcome = outcome.unwrap();
        accepted(&outcome);
        over.push(outcome.audit.ms.saturating_sub(delay.as_millis() as u64));
    }
    let (took, (_, cpu)) = (begun.elapsed(), spent());
    over.sort_unstable();
    let at = |share: usize| over[(over.len() - 1) * share / 100];
    println!(
        "{many} {mode:?}{}, phone {delay:?}: {waiting} waiting at its end, {:.1} KiB each, {:.2} ms CPU each, \
         over the phone's own delay p50 {} ms, p99 {} ms, {took:.1?} in all",
        if http2 { " over HTTP/2" } else { "" },
        (memory - memory_before) / f64::from(many),
        (cpu - cpu_before).as_secs_f64() * 1000.0 / f64::from(many),
        at(50),
        at(99),
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_of_a_hundred_is_lost() {
    let delay = Duration::from_millis(200);
    for (mode, http2) in [(Mode::Synch, false), (Mode::Synch, true), (Mode::Asynch, false)] {
        crowd(100, delay, mode, http2).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "counts memory and CPU; takes a release build and a minute"]
async fn what_each_of_thousands_costs() {
    let delay = Duration::from_secs(15);
    crowd(2000, delay, Mode::Asynch, false).await;
    crowd(2000, delay, Mode::Asynch, true).await;
    crowd(2000, delay, Mode::Synch, false).await;
    crowd(2000, delay, Mode::Synch, true).await;
    crowd(5000, delay, Mode::Synch, false).await;
    crowd(20_000, delay, Mode::Asynch, false).await;
    crowd(2000, Duration::ZERO, Mode::Synch, false).await;
    crowd(2000, Duration::ZERO, Mode::Synch, true).await;
}
