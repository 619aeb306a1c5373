//! Listener for operators of the programs for several machines.

use rapidphoto_http::{Process, serve_process};

use crate::{addresses::local_url, task_group::TaskGroup};

/// Serves metrics and health checks on `listener`, if there is one. Returns its URL.
///
/// In plain text: it is for the network of the operators only.
pub(crate) fn serve(
    tasks: &mut TaskGroup,
    listener: Option<std::net::TcpListener>,
    process: Process,
) -> anyhow::Result<Option<String>> {
    let Some(listener) = listener else { return Ok(None) };
    let address = listener.local_addr()?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    tracing::info!(%address, "listening for operators");
    tasks.spawn("operations", |stop| serve_process(listener, process, stop));
    Ok(Some(local_url(address)))
}
