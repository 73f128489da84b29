//! Search commands of Splunk: the chunked protocol, version 2, around the engine.
//!
//! ```text
//!  splunkd ──► frame ► info ► arguments ──► getinfo: what fields, what on indexers ──► splunkd
//!          ──► chunks (a thread of their own) ► events as tables ─┬─► rows     each event by itself
//!                                                                 ├─► gather   aggregates, or their states
//!                                                                 └─► whole    all events at once
//! ```
//!
//! Every message has one answer. An error is one answer with a message that an analyst understands, and the end.
//! Nothing is written to standard error, and nothing but answers to standard output.
mod app;
mod arguments;
mod chunks;
mod events;
mod frame;
mod gather;
mod info;
mod kql;
mod listing;
mod lookup;
mod map;
mod order;
mod output;
mod query;
mod remote;
mod reply;
mod rows;
mod rules;
mod states;
mod whole;

use crate::diagnostic::{Fault, FaultKind, Result};
use crate::engine::{self, Now};
use crate::types::datetime;
use app::App;
use chunks::Chunks;
use frame::Frames;
use info::Info;
pub use remote::Ask;
use remote::Remote;
use reply::Reply;
use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Runs a search command of the app in a folder, from the first message to the last answer; returns the exit code of
/// its process. `ask` asks splunkd.
///
/// The input is read by a thread of its own; it is left behind where the command ends before its input.
pub fn run<R: Read + Send + 'static, W: Write + Send>(
    command: &str,
    folder: &Path,
    ask: Option<Ask>,
    input: R,
    mut output: W,
) -> i32 {
    let work = AssertUnwindSafe(|| engine::install(Some(1), || serve(command, folder, ask, input, &mut output)));
    let outcome =
        catch_unwind(work).unwrap_or_else(|_| Err(Fault::internal("the command could not be run to its end")));
    match outcome.and_then(|served| served) {
        Ok(()) => 0,
        // Who has closed the input waits for no answer.
        Err(fault) if fault.kind() == FaultKind::Cancelled => 0,
        Err(fault) => i32::from(Reply::of_fault(&fault).write(&mut output).is_err()),
    }
}

fn serve<R: Read + Send + 'static>(
    command: &str,
    folder: &Path,
    ask: Option<Ask>,
    input: R,
    output: &mut impl Write,
) -> Result<()> {
    let mut frames = Frames::new(input);
    let Some(first) = frames.next()? else { return Ok(()) };
    let info = Info::read(&first.metadata)?;
    let passed = std::io::copy(&mut frames.body().take(first.body), &mut std::io::sink());
    if passed.map_err(|error| closed(&error))? < first.body {
        return Err(frame::broken("the input ends inside of it"));
    }
    let (app, cancel) = (App::new(folder), Arc::<AtomicBool>::default());
    let remote = Remote::new(ask, &info);
    match command {
        "kql" => {
            let command = kql::Kql::new(&app, &info, remote, cancel.clone())?;
            command.describe().write(output).map_err(|error| closed(&error))?;
            command.run(&Chunks::new(frames, cancel)?, output)
        }
        "huntpack" => {
            let command = rules::Rules::new(&app, &info, remote, cancel.clone())?;
            command.describe().write(output).map_err(|error| closed(&error))?;
            command.run(&Chunks::new(frames, cancel)?, output)
        }
        "huntpackrules" => {
            let command = listing::List::new(&app, &info)?;
            command.describe().write(output).map_err(|error| closed(&error))?;
            command.run(&Chunks::new(frames, cancel)?, output)
        }
        other => Err(Fault::internal(format!("the app has no command `{other}`"))),
    }
}

/// Hands an answer over; returns whether it is the last one.
fn answered(reply: Reply, finished: bool, output: &mut impl Write) -> Result<bool> {
    reply.write(output).map_err(|error| closed(&error))?;
    Ok(finished)
}

/// A pipe that nobody reads any more ends the work.
fn closed(_: &std::io::Error) -> Fault {
    Fault::cancelled()
}

/// An error where there are more result rows than an administrator wants.
fn limited(rows: usize, most: usize) -> Result<()> {
    if rows <= most {
        return Ok(());
    }
    let fault =
        Fault::data("HP300", format!("the result has {rows} rows, and `max_rows` of huntpack.conf allows {most}"));
    Err(fault.help("summarize, filter or take fewer rows"))
}

/// The time that a query takes for now: what the option says, else the end of the search's time range, else when the
/// search was started.
fn now(option: Option<&str>, info: &Info) -> Result<Now> {
    match option {
        None => Ok(info.latest.map_or_else(|| started(info), Now::At)),
        Some("latest") => Ok(Now::Latest),
        Some("wall") => Ok(started(info)),
        Some(text) => match datetime::parse(text) {
            Some(ticks) => Ok(Now::At(ticks)),
            None => {
                Err(arguments::no_such_value("now", text, &["latest", "wall", "a time such as 2024-06-01T12:00:00Z"]))
            }
        },
    }
}

/// The wall clock, as all processes of the search read it.
fn started(info: &Info) -> Now {
    let wall = engine::wall_clock();
    Now::At(info.started(wall).unwrap_or(wall))
}

#[cfg(test)]
mod tests;
