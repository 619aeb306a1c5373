use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::future::join_all;
use metrics::gauge;
use tokio::{sync::watch, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    SignsOfLife,
    health::{Allowance, StorageHealth},
    performer::Performer,
};
use crate::{
    error_chain::chain,
    ports::{Claim, ClaimToken, Clock, Ports, Unavailable, WorkKind, WorkQueue},
    settings::{Settings, WorkSettings},
    signals::Signals,
};

/// Does the work that the record holds, for as long as it runs.
///
/// Looking and cleaning have their own lane beside processing, so that a batch of large photos delays no look.
pub struct WorkRunner {
    queue: Arc<dyn WorkQueue>,
    clock: Arc<dyn Clock>,
    performer: Arc<Performer>,
    health: Arc<StorageHealth>,
    signals: Signals,
    settings: WorkSettings,
}

const LIGHT: &[WorkKind] = &[WorkKind::Look, WorkKind::Clean];
const HEAVY: &[WorkKind] = &[WorkKind::Process];

/// The least pause between two looks at the record that found nothing.
const BREATH: Duration = Duration::from_millis(20);
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);
/// What handing back may take when the process stops.
const HAND_BACK: Duration = Duration::from_secs(3);
/// How often the depth of the queue is measured.
const MEASURE: Duration = Duration::from_secs(15);

impl WorkRunner {
    /// A runner on these ports. `life` extends upload windows, `signals` wake it.
    pub fn new(
        ports: &Ports,
        settings: &Arc<Settings>,
        life: Arc<dyn SignsOfLife>,
        signals: Signals,
    ) -> Self {
        let health = Arc::new(StorageHealth::new(Arc::clone(&ports.clock)));
        Self {
            queue: Arc::clone(&ports.database.work),
            clock: Arc::clone(&ports.clock),
            performer: Arc::new(Performer::new(
                ports,
                Arc::clone(settings),
                life,
                Arc::clone(&health),
            )),
            health,
            signals,
            settings: settings.work,
        }
    }

    /// Works until `shutdown`, then claims nothing more: what is under way may finish within the drain time, what takes
    /// longer is handed back. Nothing but `shutdown` ends it.
    pub async fn run(&self, shutdown: CancellationToken) {
        tokio::join!(
            self.lane(LIGHT, &shutdown),
            self.lane(HEAVY, &shutdown),
            self.measure(&shutdown)
        );
    }

    /// Does everything that is due, one piece after another, and tells how many pieces that were.
    ///
    /// # Errors
    /// When the record can't be reached.
    pub async fn work_off(&self) -> Result<usize, Unavailable> {
        let mut done = 0;
        loop {
            let claims = self.queue.claim(&WorkKind::ALL, 1, self.settings.lease).await?;
            if claims.is_empty() {
                return Ok(done);
            }
            for claim in &claims {
                self.performer.perform(claim).await;
                done += 1;
            }
        }
    }

    async fn lane(&self, kinds: &'static [WorkKind], shutdown: &CancellationToken) {
        let mut lane = Lane {
            kinds,
            performer: Arc::clone(&self.performer),
            tasks: JoinSet::new(),
            in_hand: HashMap::new(),
        };
        let mut nudges = self.signals.work();
        let mut backoff = FIRST_BACKOFF;
        while !shutdown.is_cancelled() {
            // Marked as seen before the record is asked: what comes in between wakes again.
            nudges.borrow_and_update();
            let wait = match self.fill(&mut lane).await {
                Ok(wait) => {
                    backoff = FIRST_BACKOFF;
                    wait
                }
                Err(why) => {
                    tracing::warn!(error = %chain(&why), ?backoff, "work could not be claimed");
                    let wait = Wait::Only(backoff);
                    backoff = (backoff * 2).min(LONGEST_BACKOFF);
                    wait
                }
            };
            lane.wait(wait, &mut nudges, shutdown).await;
        }
        lane.drain(self.settings.drain).await;
    }

    /// Claims as much as there is room for, and tells what to wait for then.
    async fn fill(&self, lane: &mut Lane) -> Result<Wait, Unavailable> {
        let room = self.settings.concurrency.max(1).saturating_sub(lane.tasks.len());
        if room == 0 {
            return Ok(Wait::ForRoom);
        }
        let limit = match self.health.allowance() {
            Allowance::All => room,
            Allowance::Probe => 1,
            Allowance::NotBefore(at) => {
                let pause = (at - self.clock.now()).to_std().unwrap_or_default();
                return Ok(Wait::Only(pause.min(self.settings.poll).max(BREATH)));
            }
        };
        let claims = self.queue.claim(lane.kinds, limit, self.settings.lease).await?;
        let found = claims.len();
        for claim in claims {
            lane.begin(claim);
        }
        if found == limit {
            // There may be more.
            return Ok(if found == room {
                Wait::ForRoom
            } else {
                Wait::ForWork(BREATH)
            });
        }
        let next = self.queue.next_due(lane.kinds).await?;
        let until_due = next.map_or(self.settings.poll, |due| {
            (due - self.clock.now()).to_std().unwrap_or_default()
        });
        Ok(Wait::ForWork(until_due.min(self.settings.poll).max(BREATH)))
    }

    async fn measure(&self, shutdown: &CancellationToken) {
        loop {
            for kind in WorkKind::ALL {
                if let Ok(depth) = self.queue.depth(kind).await {
                    #[expect(clippy::cast_precision_loss, reason = "nobody counts work beyond 2^52")]
                    gauge!("work_due", "kind" => kind.as_str()).set(depth as f64);
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(MEASURE) => {}
            }
        }
    }
}

/// What a lane waits for.
enum Wait {
    /// A piece of work under way to end.
    ForRoom,
    /// That, or a nudge, or so much time.
    ForWork(Duration),
    /// So much time, whoever nudges.
    Only(Duration),
}

/// Pieces of work side by side.
struct Lane {
    kinds: &'static [WorkKind],
    performer: Arc<Performer>,
    tasks: JoinSet<ClaimToken>,
    in_hand: HashMap<ClaimToken, Claim>,
}

impl Lane {
    fn begin(&mut self, claim: Claim) {
        self.in_hand.insert(claim.token, claim);
        let performer = Arc::clone(&self.performer);
        self.tasks.spawn(async move {
            performer.perform(&claim).await;
            claim.token
        });
    }

    async fn wait(&mut self, wait: Wait, nudges: &mut watch::Receiver<u64>, shutdown: &CancellationToken) {
        let (may_be_nudged, pause) = match wait {
            Wait::ForRoom => (false, None),
            Wait::ForWork(pause) => (true, Some(pause)),
            Wait::Only(pause) => (false, Some(pause)),
        };
        let nudge = async {
            // Without anybody left who could nudge, the clock is enough.
            if !may_be_nudged || nudges.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let time_passes = async {
            match pause {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        let wake_on_end = !matches!(wait, Wait::Only(_));
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = nudge => {}
            () = time_passes => {}
            Some(ended) = self.tasks.join_next(), if wake_on_end => {
                if let Ok(token) = ended {
                    self.in_hand.remove(&token);
                }
            }
        }
        while let Some(ended) = self.tasks.try_join_next() {
            if let Ok(token) = ended {
                self.in_hand.remove(&token);
            }
        }
    }

    /// Lets what is under way finish for a while, and hands the rest back.
    async fn drain(mut self, longest: Duration) {
        let deadline = Instant::now() + longest;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await {
            if let Ok(token) = ended {
                self.in_hand.remove(&token);
            }
        }
        self.tasks.shutdown().await;
        if self.in_hand.is_empty() {
            return;
        }
        tracing::info!(
            pieces = self.in_hand.len(),
            "handing back work that takes too long"
        );
        let performer = &self.performer;
        let all = join_all(self.in_hand.values().map(|claim| performer.hand_back(claim)));
        if tokio::time::timeout(HAND_BACK, all).await.is_err() {
            tracing::warn!("not all work could be handed back; its leases run out");
        }
    }
}
