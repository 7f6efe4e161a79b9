//! The functions of the closed WASI.

use std::time::Duration;

use wasmtime::component::{
    ComponentNamedList, ComponentType, Lift, LinkerInstance, Lower, Resource, ResourceType, Val,
};
use wasmtime::{Result, StoreContextMut, bail};

use crate::error::ExitStatus;
use crate::state::State;
use crate::wasi_context::WasiContext;

/// The longest piece of a sleep, after which the time limit is looked at.
const NAP: Duration = Duration::from_millis(10);
/// The most random bytes in one call.
const RANDOM: u64 = 1 << 20;
/// Fuel for a random byte, which is part of a SHA-256 where it is deterministic.
const RANDOM_BYTE: u64 = 10;
/// Fuel for an element of a list that is polled.
const POLLED: u64 = 50;
/// What `check-write` permits. Standard output and error take any amount and count it.
const WRITABLE: u64 = 64 << 10;

/// An always empty stream.
struct InputStream;
/// Standard output or error.
struct OutputStream;
/// A time of the monotonic clock, in nanoseconds, or always ready.
struct Pollable(u64);
/// A network that connects nothing.
struct Network;
/// A resource that no component ever gets.
enum Never {}

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[expect(dead_code, reason = "part of the type; writing to the log never fails")]
    LastOperationFailed(Resource<Never>),
    #[component(name = "closed")]
    Closed,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Instance<'a> = LinkerInstance<'a, State>;
type Out = Resource<OutputStream>;
type In = Resource<InputStream>;

/// Defines a resource type by its name.
pub(super) fn define_resource(instance: &mut Instance<'_>, name: &str) -> Result<()> {
    match name {
        "input-stream" => resource::<InputStream>(instance, name),
        "output-stream" => resource::<OutputStream>(instance, name),
        "pollable" => resource::<Pollable>(instance, name),
        "network" => resource::<Network>(instance, name),
        _ => resource::<Never>(instance, name),
    }
}

fn resource<T: Send + 'static>(instance: &mut Instance<'_>, name: &str) -> Result<()> {
    instance.resource(name, ResourceType::host::<T>(), |mut store, rep| {
        store.data_mut().counted(|state| {
            state.table.delete(Resource::<T>::new_own(rep))?;
            Ok(())
        })
    })
}

/// Defines a function. Each call of it counts: there is no other way to define one here.
fn function<P, R>(
    instance: &mut Instance<'_>,
    name: &str,
    work: impl Fn(&mut State, P) -> Result<R> + Send + Sync + 'static,
) -> Result<()>
where
    P: ComponentNamedList + Lift + 'static,
    R: ComponentNamedList + Lower + 'static,
{
    instance.func_wrap(name, move |mut store: StoreContextMut<'_, State>, parameters: P| {
        store.data_mut().counted(|state| work(state, parameters))
    })
}

/// The same for a function whose types are those that the component says.
fn untyped(
    instance: &mut Instance<'_>,
    name: &str,
    work: impl Fn(&mut [Val]) -> Result<()> + Send + Sync + 'static,
) -> Result<()> {
    instance.func_new(name, move |mut store, _, _, results| store.data_mut().counted(|_| work(results)))
}

/// Defines a function by its interface, such as `wasi:io/poll`, and its name.
pub(super) fn define(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match interface {
        "wasi:cli/environment" | "wasi:cli/exit" => process(instance, interface, name),
        "wasi:cli/stdin" | "wasi:cli/stdout" | "wasi:cli/stderr" => {
            standard_stream(instance, interface, name)
        }
        "wasi:io/streams" if name.starts_with("[method]input-stream.") => input(instance, interface, name),
        "wasi:io/streams" => output(instance, interface, name),
        "wasi:io/poll" => poll(instance, interface, name),
        "wasi:clocks/wall-clock" | "wasi:clocks/monotonic-clock" => clock(instance, interface, name),
        "wasi:random/random" | "wasi:random/insecure" | "wasi:random/insecure-seed" => {
            random(instance, interface, name)
        }
        _ => absent(instance, interface, name),
    }
}

fn process(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name {
        "get-environment" => function(instance, name, |_, ()| Ok((Vec::<(String, String)>::new(),))),
        "get-arguments" => function(instance, name, |_, ()| Ok((Vec::<String>::new(),))),
        "initial-cwd" => function(instance, name, |_, ()| Ok((None::<String>,))),
        "exit" => function(instance, name, |_, (status,): (Result<(), ()>,)| -> Result<()> {
            Err(wasmtime::Error::new(if status.is_ok() { ExitStatus::Success } else { ExitStatus::Failure }))
        }),
        "exit-with-code" => function(instance, name, |_, (code,): (u8,)| -> Result<()> {
            Err(wasmtime::Error::new(ExitStatus::Code(code)))
        }),
        _ => absent(instance, interface, name),
    }
}

fn standard_stream(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name {
        "get-stdin" => function(instance, name, |state, ()| Ok((state.table.push(InputStream)?,))),
        "get-stdout" | "get-stderr" => {
            function(instance, name, |state, ()| Ok((state.table.push(OutputStream)?,)))
        }
        _ => absent(instance, interface, name),
    }
}

fn input(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name.trim_start_matches("[method]input-stream.") {
        "read" | "blocking-read" => {
            function(instance, name, |_, (_, _): (In, u64)| Ok((Err::<Vec<u8>, _>(StreamError::Closed),)))
        }
        "skip" | "blocking-skip" => {
            function(instance, name, |_, (_, _): (In, u64)| Ok((Err::<u64, _>(StreamError::Closed),)))
        }
        "subscribe" => function(instance, name, |state, (_,): (In,)| Ok((state.table.push(Pollable(0))?,))),
        _ => absent(instance, interface, name),
    }
}

fn output(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    type Done = (Result<(), StreamError>,);
    const DONE: Done = (Ok(()),);
    match name.trim_start_matches("[method]output-stream.") {
        "check-write" => function(instance, name, |_, (_,): (Out,)| Ok((Ok::<_, StreamError>(WRITABLE),))),
        "write" | "blocking-write-and-flush" => {
            function(instance, name, |state, (_, bytes): (Out, Vec<u8>)| -> Result<Done> {
                state.charge(bytes.len() as u64)?;
                state.log.write(&bytes);
                Ok(DONE)
            })
        }
        "flush" | "blocking-flush" => {
            function(instance, name, |_, (_,): (Out,)| -> Result<Done> { Ok(DONE) })
        }
        "subscribe" => function(instance, name, |state, (_,): (Out,)| Ok((state.table.push(Pollable(0))?,))),
        "write-zeroes" | "blocking-write-zeroes-and-flush" => {
            function(instance, name, |_, (_, _): (Out, u64)| -> Result<Done> { Ok(DONE) })
        }
        "splice" | "blocking-splice" => {
            function(instance, name, |_, (_, _, _): (Out, In, u64)| Ok((Err::<u64, _>(StreamError::Closed),)))
        }
        _ => absent(instance, interface, name),
    }
}

fn poll(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name {
        "[method]pollable.ready" => function(instance, name, |state, (pollable,): (Resource<Pollable>,)| {
            let deadline = state.table.get(&pollable)?.0;
            Ok((state.wasi.now() >= deadline,))
        }),
        "[method]pollable.block" => function(instance, name, |state, (pollable,): (Resource<Pollable>,)| {
            let deadline = state.table.get(&pollable)?.0;
            sleep_until(state, deadline)
        }),
        "poll" => function(instance, name, |state, (pollables,): (Vec<Resource<Pollable>>,)| {
            state.charge(POLLED.saturating_mul(pollables.len() as u64))?;
            let deadlines = pollables
                .iter()
                .map(|pollable| Ok(state.table.get(pollable)?.0))
                .collect::<Result<Vec<_>>>()?;
            let Some(&first) = deadlines.iter().min() else { bail!("`poll` of an empty list") };
            sleep_until(state, first)?;
            let now = state.wasi.now();
            Ok(((0_u32..).zip(deadlines).filter(|(_, at)| *at <= now).map(|(i, _)| i).collect::<Vec<u32>>(),))
        }),
        _ => absent(instance, interface, name),
    }
}

/// Waits for a time of the monotonic clock. This is the component's own time, as it chose to wait.
fn sleep_until(state: &mut State, deadline: u64) -> Result<()> {
    if let WasiContext::Deterministic { nanoseconds, .. } = &mut state.wasi {
        *nanoseconds = deadline.max(*nanoseconds);
        return Ok(());
    }
    loop {
        let left = deadline.saturating_sub(state.wasi.now());
        if left == 0 {
            return Ok(());
        }
        state.check_time()?;
        std::thread::sleep(NAP.min(Duration::from_nanos(left)));
    }
}

fn clock(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match (interface, name) {
        ("wasi:clocks/wall-clock", "now") => function(instance, name, |state, ()| {
            let now = state.wasi.wall_clock();
            Ok((Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() },))
        }),
        ("wasi:clocks/wall-clock", "resolution") => {
            function(instance, name, |_, ()| Ok((Datetime { seconds: 0, nanoseconds: 1 },)))
        }
        (_, "now") => function(instance, name, |state, ()| Ok((state.wasi.now(),))),
        (_, "resolution") => function(instance, name, |_, ()| Ok((1_u64,))),
        (_, "subscribe-instant") => {
            function(instance, name, |state, (instant,): (u64,)| Ok((state.table.push(Pollable(instant))?,)))
        }
        (_, "subscribe-duration") => function(instance, name, |state, (duration,): (u64,)| {
            let deadline = state.wasi.now().saturating_add(duration);
            Ok((state.table.push(Pollable(deadline))?,))
        }),
        _ => absent(instance, interface, name),
    }
}

fn random(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name {
        "get-random-bytes" | "get-insecure-random-bytes" => {
            function(instance, name, |state, (number,): (u64,)| {
                if number > RANDOM {
                    bail!(
                        "the plugin requested {number} random bytes at once, more than the limit of {RANDOM}"
                    );
                }
                state.charge(RANDOM_BYTE.saturating_mul(number))?;
                Ok((state.wasi.random(usize::try_from(number)?)?,))
            })
        }
        "get-random-u64" | "get-insecure-random-u64" => {
            function(instance, name, |state, ()| Ok((random_u64(state)?,)))
        }
        "insecure-seed" | "get-insecure-seed" => {
            function(instance, name, |state, ()| Ok(((random_u64(state)?, random_u64(state)?),)))
        }
        _ => absent(instance, interface, name),
    }
}

fn random_u64(state: &mut State) -> Result<u64> {
    let bytes = state.wasi.random(8)?;
    Ok(u64::from_le_bytes(bytes.try_into().expect("eight bytes were asked for")))
}

/// Files, sockets and terminals: there are none.
fn absent(instance: &mut Instance<'_>, interface: &str, name: &str) -> Result<()> {
    match name {
        "get-directories" => function(instance, name, |_, ()| Ok((Vec::<(Resource<Never>, String)>::new(),))),
        "get-terminal-stdin" | "get-terminal-stdout" | "get-terminal-stderr" => {
            function(instance, name, |_, ()| Ok((None::<Resource<Never>>,)))
        }
        "instance-network" => function(instance, name, |state, ()| Ok((state.table.push(Network)?,))),
        "create-tcp-socket" | "create-udp-socket" | "resolve-addresses" => {
            untyped(instance, name, |results| {
                let denied = Val::Enum("access-denied".to_owned());
                results[0] = Val::Result(Err(Some(Box::new(denied))));
                Ok(())
            })
        }
        _ => {
            let whole_name = format!("{interface}#{name}");
            untyped(instance, name, move |_| bail!("`{whole_name}` is not available to plugins"))
        }
    }
}
