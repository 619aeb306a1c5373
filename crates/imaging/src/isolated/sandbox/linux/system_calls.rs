//! System calls of a child, found by tracing the decoders of all formats.

use std::env::consts::ARCH;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

/// System call and the alternatives for its arguments; none allows all arguments.
type Rule = (c_long, Vec<SeccompRule>);

/// Calls that decoding needs: memory, threads that wait for one another, the pipes, and the end of the process.
pub(super) fn allowed() -> Result<Vec<Rule>, BackendError> {
    let mut rules: Vec<Rule> = [
        libc::SYS_brk,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_futex,
        libc::SYS_getpid,
        libc::SYS_getrandom,
        libc::SYS_gettid,
        libc::SYS_madvise,
        libc::SYS_mremap,
        libc::SYS_munmap,
        libc::SYS_ppoll,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sched_yield,
        libc::SYS_sigaltstack,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_poll,
    ]
    .map(|call| (call, Vec::new()))
    .into();
    // The calls that `refused` refuses have to pass here, or else the process is killed.
    rules.extend(refused());
    let private = number(libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let kind = SeccompCmpOp::MaskedEq(number(libc::MAP_TYPE | libc::MAP_ANONYMOUS));
    let not_executable = || argument(2, SeccompCmpOp::MaskedEq(number(libc::PROT_EXEC)), 0);
    rules.extend([
        (libc::SYS_read, vec![rule([argument(0, SeccompCmpOp::Eq, 0)?])?]),
        (
            libc::SYS_write,
            vec![
                rule([argument(0, SeccompCmpOp::Eq, 1)?])?,
                rule([argument(0, SeccompCmpOp::Eq, 2)?])?,
            ],
        ),
        (
            libc::SYS_mmap,
            vec![rule([not_executable()?, argument(3, kind, private)?])?],
        ),
        (libc::SYS_mprotect, vec![rule([not_executable()?])?]),
        // The end of a process that aborts.
        (
            libc::SYS_tgkill,
            vec![rule([argument(
                0,
                SeccompCmpOp::Eq,
                u64::from(std::process::id()),
            )?])?],
        ),
    ]);
    Ok(rules)
}

/// Calls of the C library and the standard library that may fail: the decoders then do without.
pub(super) fn refused() -> Vec<Rule> {
    [
        libc::SYS_getcwd,
        libc::SYS_ioctl,
        libc::SYS_newfstatat,
        libc::SYS_openat,
        libc::SYS_readlinkat,
        libc::SYS_sched_getaffinity,
        libc::SYS_statx,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open,
        #[cfg(target_arch = "x86_64")]
        libc::SYS_readlink,
    ]
    .map(|call| (call, Vec::new()))
    .into()
}

/// Filter with an action for calls that match none of the rules, and one for calls that match.
pub(super) fn filter(
    rules: Vec<Rule>,
    unmatched: SeccompAction,
    matched: SeccompAction,
) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(rules.into_iter().collect(), unmatched, matched, ARCH.try_into()?)?.try_into()
}

fn rule<const N: usize>(conditions: [SeccompCondition; N]) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions.into())
}

/// Condition on the lower 32 bits of an argument.
fn argument(index: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)
}

fn number(flags: libc::c_int) -> u64 {
    u64::from(flags.unsigned_abs())
}
