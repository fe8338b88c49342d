//! The task of a membership. It carries out the owner's commands, one at a time, and keeps the membership alive in
//! between.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::error::GroupResult;
use super::joined::Joined;
use super::membership::Membership;
use super::shared::Shared;

/// How long a join that is given up goes on for the id of a new member. A coordinator that can be reached answers at once.
const FIRST_ANSWER: Duration = Duration::from_secs(2);

/// A command of the owner. The result goes through its channel. If the receiver is dropped, the command is given up.
#[derive(Debug)]
pub(super) enum Command {
    Join { protocols: Vec<(String, Bytes)>, keeps_work: bool, answer: oneshot::Sender<GroupResult<Joined>> },
    Sync { assignments: Vec<(String, Bytes)>, answer: oneshot::Sender<GroupResult<Bytes>> },
    Leave { reason: String, answer: oneshot::Sender<()> },
}

/// Runs until all handles are gone. Does not leave the group by itself.
pub(super) async fn run(mut membership: Membership, mut commands: mpsc::Receiver<Command>, shared: Arc<Shared>) {
    let mut next = None;
    loop {
        let command = match next.take() {
            Some(command) => command,
            None => match await_command(&mut membership, &mut commands, &shared).await {
                Some(command) => command,
                None => return,
            },
        };
        next = execute(&mut membership, command, &mut commands, &shared).await;
        shared.poll();
    }
}

async fn await_command(
    membership: &mut Membership,
    commands: &mut mpsc::Receiver<Command>,
    shared: &Shared,
) -> Option<Command> {
    loop {
        let owner_hangs = owner_hangs(shared, membership.is_member(), membership.rebalance_timeout());
        tokio::select! {
            biased;
            command = commands.recv() => return command,
            () = owner_hangs => membership.leave_because_owner_hangs().await,
            () = membership.tend() => {}
        }
    }
}

/// Resolves when the owner of a member has not reported for `limit`.
async fn owner_hangs(shared: &Shared, is_member: bool, limit: Duration) {
    if !is_member {
        return std::future::pending().await;
    }
    loop {
        let deadline = shared.last_poll() + limit;
        if deadline <= Instant::now() {
            return;
        }
        sleep_until(deadline).await;
    }
}

/// Carries out `command`. Ends early if its caller goes away or sends another command, which is returned.
async fn execute(
    membership: &mut Membership,
    command: Command,
    commands: &mut mpsc::Receiver<Command>,
    shared: &Arc<Shared>,
) -> Option<Command> {
    match command {
        Command::Join { protocols, keeps_work, mut answer } => {
            let shared = Arc::clone(shared);
            let mut joining = pin!(membership.join(&protocols, keeps_work));
            let next = tokio::select! {
                biased;
                outcome = &mut joining => {
                    let _ = answer.send(outcome);
                    return None;
                }
                () = answer.closed() => None,
                next = commands.recv() => next,
            };
            await_member_id(&shared, joining).await;
            next
        }
        Command::Sync { assignments, mut answer } => tokio::select! {
            biased;
            outcome = membership.sync(&assignments) => {
                let _ = answer.send(outcome);
                None
            }
            () = answer.closed() => None,
            next = commands.recv() => next,
        },
        Command::Leave { reason, answer } => {
            membership.leave(&reason).await;
            let _ = answer.send(());
            None
        }
    }
}

/// A new member is given its id before it takes part. The coordinator waits for one that knows its id and does not come.
async fn await_member_id<T>(shared: &Shared, joining: Pin<&mut impl Future<Output = T>>) {
    let mut awaits = shared.awaits_member_id.subscribe();
    let named = async {
        tokio::select! {
            biased;
            _ = joining => {}
            _ = awaits.wait_for(|awaits| !awaits) => {}
        }
    };
    let _ = timeout(FIRST_ANSWER, named).await;
}
