//! Restrictions on Linux: resource limits, Landlock and seccomp.
//!
//! Landlock binds the calling thread and those started later, so it comes before all threads. Seccomp binds all threads,
//! but a thread that is still starting needs system calls that it refuses, so it comes after all threads have run.

use std::{fs, io, process, sync::mpsc, thread};

use landlock::{ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetError, Scope};
use rustix::{
    event::{PollFd, PollFlags, poll},
    process::{
        DumpableBehavior, Pid, Resource, Rlimit, getrlimit, prlimit, set_dumpable_behavior, setrlimit,
    },
    stdio::stdin,
};
use seccompiler::SeccompAction;

use super::BASE_MEMORY;
use crate::isolated::wire::Protection;

mod system_calls;

/// Stop for address space and data in bytes, far above any photo's need; [`limit_memory`] sets the limit of each photo.
const ADDRESS_SPACE: u64 = 64 << 30;
/// CPU time of a child over all of its photos, in seconds.
const CPU_SECONDS: u64 = 3600;

/// Restricts the process before it has threads.
pub(in crate::isolated) fn restrict_process() -> io::Result<Protection> {
    // Read before Landlock hides it; the pipes and the directory's own descriptor don't count.
    let inherited_descriptors =
        fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(4));
    let fixed = |bytes| Rlimit {
        current: Some(bytes),
        maximum: Some(bytes),
    };
    for (resource, limit) in [
        // No file can be written, nor a core dump.
        (Resource::Core, fixed(0)),
        (Resource::Fsize, fixed(0)),
        (Resource::Memlock, fixed(0)),
        (Resource::Cpu, fixed(CPU_SECONDS)),
        (Resource::As, fixed(ADDRESS_SPACE)),
        (
            Resource::Data,
            Rlimit {
                current: Some(BASE_MEMORY),
                maximum: Some(ADDRESS_SPACE),
            },
        ),
    ] {
        lower(resource, limit)?;
    }
    // The kernel ends children first when memory is short. Not every container lets a process raise its own score.
    drop(fs::write("/proc/self/oom_score_adj", "1000"));
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    Ok(Protection {
        landlock: restrict_files(),
        seccomp: false,
        limits: false,
        inherited_descriptors,
    })
}

/// Sets a limit, but never above the inherited one, which can't be raised.
fn lower(resource: Resource, limit: Rlimit) -> io::Result<()> {
    let inherited = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let bounded = |bytes: Option<u64>| bytes.map(|bytes| bytes.min(inherited));
    Ok(setrlimit(
        resource,
        Rlimit {
            current: bounded(limit.current),
            maximum: bounded(limit.maximum),
        },
    )?)
}

/// Refuses all files, TCP, and signals and abstract sockets beyond the process, as far as the kernel can.
fn restrict_files() -> Option<i32> {
    let restricted = || -> Result<_, RulesetError> {
        let ruleset = Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V9))?
            .handle_access(AccessNet::from_all(ABI::V9))?
            .scope(Scope::from_all(ABI::V9))?;
        ruleset.create()?.restrict_self()
    };
    match restricted().ok()?.landlock {
        LandlockStatus::Available {
            effective_abi,
            kernel_abi,
        } => Some(kernel_abi.unwrap_or(effective_abi as i32)),
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => None,
    }
}

/// Restricts the process once all of its threads have run.
pub(in crate::isolated) fn restrict_threads(protection: &mut Protection) {
    let none = |count| Rlimit {
        current: Some(count),
        maximum: Some(count),
    };
    protection.limits = lower(Resource::Nofile, none(3)).is_ok() && lower(Resource::Nproc, none(0)).is_ok();
    protection.seccomp = restrict_system_calls().is_ok();
}

/// The strictest action of all filters wins: a call passes if both filters let it pass.
fn restrict_system_calls() -> Result<(), Box<dyn std::error::Error>> {
    let refused = system_calls::filter(
        system_calls::refused(),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EACCES.unsigned_abs()),
    )?;
    let allowed = system_calls::filter(
        system_calls::allowed()?,
        SeccompAction::KillProcess,
        SeccompAction::Allow,
    )?;
    // In this order, because the second one refuses the installation of filters.
    seccompiler::apply_filter_all_threads(&refused)?;
    seccompiler::apply_filter_all_threads(&allowed)?;
    Ok(())
}

/// Starts a thread that ends the process when the parent has closed the pipe, even while a photo is decoded.
pub(in crate::isolated) fn watch_parent(started: mpsc::Sender<()>) -> io::Result<()> {
    let watch = move || {
        let _ = started.send(());
        let stdin = stdin();
        let mut pipes = [PollFd::new(&stdin, PollFlags::empty())];
        loop {
            let polled = poll(&mut pipes, None);
            let closed = pipes.iter().any(|pipe| !pipe.revents().is_empty());
            if (polled.is_ok() && closed) || polled.is_err_and(|error| error != rustix::io::Errno::INTR) {
                process::exit(0);
            }
        }
    };
    thread::Builder::new().name("parent".to_owned()).spawn(watch)?;
    Ok(())
}

/// Limits the data memory of a child to [`BASE_MEMORY`] and this many bytes.
pub(in crate::isolated) fn limit_memory(child: u32, bytes: u64) -> io::Result<()> {
    let child = i32::try_from(child).ok().and_then(Pid::from_raw);
    let child = child.ok_or_else(|| io::Error::other("the process id is invalid"))?;
    // The hard limit as the child has lowered it.
    let inherited = getrlimit(Resource::Data).maximum.unwrap_or(u64::MAX);
    let maximum = ADDRESS_SPACE.min(inherited);
    let limit = Rlimit {
        current: Some(BASE_MEMORY.saturating_add(bytes).min(maximum)),
        maximum: Some(maximum),
    };
    prlimit(Some(child), Resource::Data, limit)?;
    Ok(())
}
