//! What the tool asks of the machine: a processor, and many open files.

use std::io;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::command::Error;

/// Lets only processor `cpu` run this thread, and those that it starts.
///
/// # Errors
/// There is no such processor, or not for us.
pub(super) fn pin(cpu: usize) -> Result<(), Error> {
    let mut set = CpuSet::new();
    if cpu >= CpuSet::MAX_CPU {
        let error = io::ErrorKind::InvalidInput.into();
        return Err(Error::Processor { cpu, error });
    }
    set.set(cpu);
    sched_setaffinity(None, &set).map_err(|error| Error::Processor {
        cpu,
        error: error.into(),
    })
}

/// Does `work` on processor `cpu`, if one is named: a process that is started inherits it.
///
/// # Errors
/// There is no such processor, or not for us.
pub(super) fn on_processor<T>(
    cpu: Option<usize>,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let Some(cpu) = cpu else {
        return work();
    };
    let before = sched_getaffinity(None);
    pin(cpu)?;
    let result = work();
    if let Ok(before) = before {
        // It was allowed a moment ago.
        let _ = sched_setaffinity(None, &before);
    }
    result
}

/// Allows this process `clients` sockets, as far as it may.
///
/// # Errors
/// So many are not to be had.
pub(super) fn allow_clients(clients: usize) -> Result<(), Error> {
    let needed = clients as u64 + OTHER_FILES;
    let limit = getrlimit(Resource::Nofile);
    let is_enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if is_enough(limit.current) {
        return Ok(());
    }
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let allowed = limit.maximum.or(limit.current).unwrap_or_default();
    if !is_enough(limit.maximum) || setrlimit(Resource::Nofile, raised).is_err() {
        return Err(Error::OpenFiles { needed, allowed });
    }
    Ok(())
}

/// Files that are open beside the sockets of clients.
const OTHER_FILES: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_on_another_processor_leaves_this_thread_where_it_was() {
        let before = sched_getaffinity(None).unwrap();
        let allowed = (0..CpuSet::MAX_CPU).find(|cpu| before.is_set(*cpu));
        let there = on_processor(allowed, || Ok(sched_getaffinity(None).unwrap()));
        assert_eq!(there.unwrap().count(), 1);
        assert_eq!(sched_getaffinity(None).unwrap(), before);
        let nowhere = on_processor(Some(usize::MAX), || Ok(()));
        assert!(matches!(nowhere, Err(Error::Processor { .. })));
    }

    #[test]
    fn what_cannot_be_had_is_told() {
        assert!(allow_clients(1).is_ok());
        // More than the kernel ever allows (fs.nr_open).
        assert!(
            matches!(allow_clients(1 << 40), Err(Error::OpenFiles { .. }))
                || getrlimit(Resource::Nofile).maximum.is_none()
        );
        assert!(matches!(pin(usize::MAX), Err(Error::Processor { .. })));
    }
}
