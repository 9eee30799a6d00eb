//! Runs of the simulator, each on a thread of its own that no isolate waits for.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use foundation_node::{Doorbell, refuse_fork};
use foundation_sim::{
    Control, OptionError, Progress, Report, SCENARIOS, SimulateOptions, simulate,
};
use napi::{Env, JsValue, Unknown};
use napi_derive::napi;

use crate::doorbell::Bell;
use crate::environment;
use crate::error::{Result, coded, from_core};

/// What the simulator can show.
#[napi(object)]
pub struct SimulationScenario {
    pub name: String,
    pub about: String,
    pub nodes: u32,
    pub fail: f64,
}

/// How far a run has come; at its end the report, as JSON and as text, or an error.
#[napi(object)]
pub struct SimulationNews {
    pub phase: String,
    pub virtual_ms: f64,
    pub nodes_up: u32,
    pub steps: f64,
    pub report: Option<String>,
    pub text: Option<String>,
    pub holds: Option<bool>,
    pub code: Option<String>,
    pub message: Option<String>,
}

/// The scenarios that there are.
#[napi(catch_unwind)]
pub fn simulation_scenarios() -> Vec<SimulationScenario> {
    let told = |it: &foundation_sim::Scenario| SimulationScenario {
        name: it.name.to_owned(),
        about: it.about.to_owned(),
        nodes: it.nodes,
        fail: it.fail,
    };
    SCENARIOS.iter().map(told).collect()
}

/// Runs a scenario on a thread of its own, with options as JSON, and answers with the number of the
/// run. `wake` is called when there are news to be taken. It keeps the event loop alive until it is
/// released.
#[napi(catch_unwind, ts_args_type = "options: string, wake: () => void")]
pub fn start_simulation(env: Env, options: String, wake: Unknown) -> Result<u32> {
    refuse_fork().map_err(from_core)?;
    let options: SimulateOptions = serde_json::from_str(&options)
        .map_err(|error| coded("invalid_options", error.to_string()))?;
    let raw = env.raw();
    let mark = environment::with(|environment| environment.mark(raw));
    let bell = Bell::new(raw, wake.raw(), mark)?;
    environment::with(|environment| environment.add_hooks(raw))?;
    let shared = Arc::new(Shared::default());
    let run = Run { shared: Arc::clone(&shared), bell: Arc::clone(&bell) };
    let started =
        thread::Builder::new().name("simulation".to_owned()).spawn(move || run.whole(&options));
    if let Err(error) = started {
        bell.release();
        return Err(coded("internal", format!("no thread for the simulator: {error}")));
    }
    Ok(environment::with(|environment| environment.simulations.add(Opened { shared, bell })))
}

/// How far it has come. What was taken once is not told again.
#[napi(catch_unwind)]
pub fn take_from_simulation(simulation: u32) -> Result<SimulationNews> {
    environment::with(|environment| {
        let gone = || coded("internal", "the simulation was released");
        let opened = environment.simulations.0.get(&simulation).ok_or_else(gone)?;
        let mut news = opened.shared.news();
        let told = news.progress;
        let mut answer = SimulationNews {
            phase: told.map_or_else(String::new, |it| it.phase.to_owned()),
            virtual_ms: told.map_or(0.0, |it| it.virtual_ms as f64),
            nodes_up: told.map_or(0, |it| it.nodes_up),
            steps: told.map_or(0.0, |it| it.steps as f64),
            report: None,
            text: None,
            holds: None,
            code: None,
            message: None,
        };
        match news.end.take() {
            None => {}
            Some(Ok(report)) => {
                let json = report.json().map_err(|it| coded("internal", it.to_string()))?;
                answer.report = Some(json);
                answer.text = Some(report.text());
                answer.holds = Some(report.holds());
            }
            Some(Err((code, message))) => {
                answer.code = Some(code.to_owned());
                answer.message = Some(message);
            }
        }
        Ok(answer)
    })
}

/// Ends a run soon; its report says that it was stopped. One that has ended already stays so.
#[napi(catch_unwind)]
pub fn stop_simulation(simulation: u32) {
    environment::with(|environment| {
        environment.simulations.0.get(&simulation).inspect(|opened| opened.shared.stop());
    });
}

/// Lets go of a run, which ends soon if it has not. Another time it does nothing.
#[napi(catch_unwind)]
pub fn release_simulation(simulation: u32) {
    let opened = environment::with(|environment| environment.simulations.0.remove(&simulation));
    if let Some(opened) = opened {
        opened.shared.stop();
        opened.bell.release();
    }
}

/// The runs of an environment, by number.
#[derive(Default)]
pub(crate) struct Simulations(BTreeMap<u32, Opened>, u32);

struct Opened {
    shared: Arc<Shared>,
    bell: Arc<Bell>,
}

impl Simulations {
    fn add(&mut self, opened: Opened) -> u32 {
        self.1 += 1;
        self.0.insert(self.1, opened);
        self.1
    }

    /// Has them end. Their threads own all they use, so nobody waits for them.
    pub(crate) fn tear_down(self) {
        for opened in self.0.into_values() {
            opened.shared.stop();
            opened.bell.silence();
        }
    }
}

/// How a run ended: with its report, or with an error's code and text.
type End = std::result::Result<Report, (&'static str, String)>;

#[derive(Default)]
struct News {
    progress: Option<Progress>,
    end: Option<End>,
}

/// What a run's thread and its isolate have in common.
#[derive(Default)]
struct Shared {
    is_stopped: AtomicBool,
    news: Mutex<News>,
}

impl Shared {
    fn stop(&self) {
        // Nothing else is told by it.
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's side of a run.
struct Run {
    shared: Arc<Shared>,
    bell: Arc<Bell>,
}

impl Run {
    fn whole(&self, options: &SimulateOptions) {
        let ended = catch_unwind(AssertUnwindSafe(|| {
            simulate(options, &mut |progress| self.progressed(progress))
        }));
        let end = match ended {
            Ok(Ok(report)) => Ok(report),
            Ok(Err(error)) => Err(("invalid_options", OptionError::to_string(&error))),
            Err(_) => Err(("internal", "the simulator panicked".to_owned())),
        };
        self.shared.news().end = Some(end);
        self.bell.ring();
    }

    fn progressed(&self, progress: Progress) -> Control {
        self.shared.news().progress = Some(progress);
        self.bell.ring();
        let is_stopped = self.shared.is_stopped.load(Ordering::Relaxed);
        if is_stopped { Control::Stop } else { Control::Continue }
    }
}
