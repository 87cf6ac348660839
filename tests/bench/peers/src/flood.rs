//! Genuine notifications beside a flood of forgeries: what is left for them.

use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::compare::turn;
use crate::contestant::{Contestant, Peer, Traffic};
use crate::figures::Spread;
use crate::load::{Load, Plan, Running};
use crate::sets::Sets;
use crate::trial::{Stage, check};

/// Of one contestant, a value for each round.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Flood {
    pub(crate) name: String,
    /// Of genuine ones a second, and their 99th percentile in microseconds.
    pub(crate) alone: Vec<Beside>,
    pub(crate) beside: Vec<Beside>,
    /// Forgeries a second.
    pub(crate) forgeries: Vec<f64>,
}

/// Genuine notifications with or without a flood.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Beside {
    pub(crate) rate: f64,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Flood {
    pub(crate) fn spread(of: &[Beside], value: impl Fn(&Beside) -> f64) -> Spread {
        Spread::of(of.iter().map(value))
    }
}

/// Half of the connections bring genuine ones; the others nothing, then forgeries at full speed.
pub(crate) fn run(
    stage: &Stage<'_>,
    rounds: usize,
    token: &str,
    contestants: &[Contestant],
) -> Fallible<Vec<Flood>> {
    let verifying = |one: &&Contestant| {
        one.traffic == Traffic::Doku && one.peer != Peer::Kawal { with_redis: true }
    };
    let contestants: Vec<_> = contestants.iter().filter(verifying).cloned().collect();
    let half = Stage {
        plan: Plan {
            connections: stage.plan.connections.div_ceil(2),
            count: stage.plan.count.div_ceil(2),
        },
        ..*stage
    };
    let mut all = contestants.clone();
    all.extend(contestants.first().map(|one| Contestant {
        traffic: Traffic::Forgeries,
        ..one.clone()
    }));
    let sets = Sets::sign(&half, 90, token, &all)?;
    let named = |one: &Contestant| Flood {
        name: one.name.clone(),
        ..Flood::default()
    };
    let mut floods: Vec<Flood> = contestants.iter().map(named).collect();
    for round in 0..rounds {
        for (contestant, flood) in turn(&contestants, &mut floods, round) {
            let named = |fault| format!("{}, flood: {fault}", contestant.name);
            let alone = genuine(&half, contestant, &sets, None).map_err(named)?;
            let mut rate = 0.0;
            let beside = genuine(&half, contestant, &sets, Some(&mut rate)).map_err(named)?;
            flood.alone.push(alone);
            eprintln!("flood, round {}: {}", round + 1, contestant.name);
            flood.beside.push(beside);
            flood.forgeries.push(rate);
        }
    }
    Ok(floods)
}

/// A fresh start, and genuine ones; with a place for the rate of forgeries, beside these.
fn genuine(
    stage: &Stage<'_>,
    contestant: &Contestant,
    sets: &Sets,
    forgeries: Option<&mut f64>,
) -> Fallible<Beside> {
    let started = stage.start(contestant)?;
    let server = started.as_ref().unwrap_or(stage.app);
    let genuine = sets.of(Traffic::Doku);
    stage.plan.warm_up(genuine).run(stage.guard, server.port)?;
    let endless = Load {
        count: 0,
        ..stage.plan.warm_up(sets.of(Traffic::Forgeries))
    };
    let flood = forgeries
        .is_some()
        .then(|| Running::start(stage.guard, &endless, server.port))
        .transpose()?;
    if flood.is_some() {
        // It reads its set first.
        std::thread::sleep(std::time::Duration::from_millis(400));
    }
    let seen = stage.plan.measured(genuine).run(stage.guard, server.port)?;
    check(contestant, &seen, stage.plan)?;
    if let (Some(flood), Some(rate)) = (flood, forgeries) {
        let flood = flood.end()?;
        if flood.refusals != flood.answers || flood.failures != 0.0 {
            return Err(format!("not all were refused: {flood:?}").into());
        }
        *rate = flood.answers / flood.elapsed;
    }
    Ok(Beside {
        rate: seen.answers / seen.elapsed,
        p50: seen.p50,
        p99: seen.p99,
    })
}
