//! The access edge of the IMS: IMS-ALG and IMS-AGW in one program.
//!
//! Without arguments it makes calls of its own and measures what the gateway does; with `--exchange`
//! it serves a dialogue with any UE and core; `--hand-over` has a second process take over while the
//! calls go on.

extern crate alloc;

mod arguments;
mod engine;
mod exchange;
mod load;
#[cfg_attr(not(feature = "tls"), path = "no_tls_streams.rs")]
mod tls_streams;

use alloc::{fmt, sync::Arc};
use core::{iter, time::Duration};
use std::{
    io,
    net::UdpSocket,
    os::fd::AsFd,
    path::Path,
    process::{Command, ExitCode, ExitStatus},
    thread,
    time::Instant,
};

use getrandom::{SysRng, rand_core::UnwrapErr};
use interop::edge::{
    AddressError, Alg, AlgError, Counts, HandoverFailed, Offered, PcapTap, RtpCall, Tap, Workers,
    hand_over, take_over,
};
use interop::program;
use rustix::process::{Resource, getrlimit, setrlimit};
use sdp_sec::edge::{EdgeError, Policy};
use sdp_sec::mediasec::{self, Mechanism, MechanismSet};

use arguments::{Options, Task};
use load::Flow;

/// The contact that UEs of this program register.
const UE: &str = "sip:ue@example.com";

/// How often a gateway that serves looks after its calls.
const TICK: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let task = arguments::parse(std::env::args_os().skip(1));
    program::main(
        "edge_gateway",
        &arguments::help(),
        task,
        |task| match task {
            Task::Load(options) => make_load(options),
            Task::Exchange(folder, options) => exchange::serve(folder, options),
            Task::TakeOver(options) => go_on(options),
        },
    )
}

/// Calls of its own, through sockets or in memory.
fn make_load(options: &Options) -> Result<(), Failure> {
    allow_sockets();
    UdpSocket::bind((options.address, 0))
        .map_err(|error| Failure::input(format!("--address {}: {error}", options.address)))?;
    let alg = alg(options, iter::empty())?;
    let calls = (0..)
        .take(options.calls)
        .map(|id| load::set_up(&alg, id, options));
    let calls = calls.collect::<Result<Vec<_>, _>>()?;
    let workers = options.workers.min(options.calls);
    let path = if options.in_memory {
        "in memory"
    } else {
        "over UDP"
    };
    println!(
        "calls            {} {path}, by {workers} workers",
        options.calls
    );
    let (flows, time) = if options.in_memory {
        engine::measure(calls, workers, options.seconds)?
    } else {
        through_sockets(calls, workers, options)?
    };
    for (name, flow) in ["UE to core", "core to UE"].into_iter().zip(&flows) {
        println!(
            "{name}       {} RTP, {} RTCP; lost {}, different {}, refused by the peer {}",
            flow.sent,
            flow.reports_sent,
            (flow.sent + flow.reports_sent).saturating_sub(flow.received + flow.reports),
            flow.different,
            flow.refused,
        );
    }
    if let Some(time) = time {
        let packets: u64 = flows.iter().map(|flow| flow.received + flow.reports).sum();
        let per_second = u128::from(packets) * 1_000_000 / time.as_micros().max(1);
        println!(
            "processor time   {:.2} s of the gateway's workers",
            time.as_secs_f64()
        );
        println!("throughput       {per_second} packets a second a core");
    }
    if flows.iter().all(|flow| flow.sent > 0 && flow.is_whole()) {
        Ok(())
    } else {
        Err(Failure::call("not every packet arrived as it was sent"))
    }
}

/// Raises how many sockets the process may have to what the system lets it: six a call.
fn allow_sockets() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it, the call that is one too many says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// What the ends counted, and the processor time of the gateway's workers, unless it was handed over.
fn through_sockets(
    calls: Vec<(RtpCall, load::Ends)>,
    workers: usize,
    options: &Options,
) -> Result<([Flow; 2], Option<Duration>), Failure> {
    let end = Instant::now() + options.seconds;
    let gateway = Gateway::start(workers, options)?;
    let mut shares: Vec<Vec<load::Ends>> = (0..workers).map(|_| Vec::new()).collect();
    for ((call, ends), share) in calls.into_iter().zip((0..workers).cycle()) {
        gateway.workers.add(call);
        if let Some(share) = shares.get_mut(share) {
            share.push(ends);
        }
    }
    let talking: Vec<_> = shares
        .into_iter()
        .map(|mut ends| thread::spawn(move || load::talk(&mut ends, end).map(|()| ends)))
        .collect();
    let running = match options.hand_over {
        None => Running::Here(gateway),
        Some(after) => {
            thread::sleep(after);
            gateway.hand_over(options, options.seconds + options.timeout)?
        }
    };
    let mut flows = [Flow::default(); 2];
    for talking in talking {
        let ends = talking
            .join()
            .map_err(|_| Failure::call("an end stopped early"))??;
        for ends in &ends {
            for (total, end) in flows.iter_mut().zip([&ends.ue, &ends.core]) {
                total.add(&end.flow);
            }
        }
    }
    let time = match running {
        Running::Here(gateway) => Some(gateway.stop()?),
        Running::There(second) => ended_well(second.stop()?).map(|()| None)?,
    };
    Ok((flows, time))
}

fn ended_well(second: ExitStatus) -> Result<(), Failure> {
    let well = second.success().then_some(());
    well.ok_or_else(|| Failure::call(format!("the second process ended with {second}")))
}

/// The second process: goes on with the calls that the first one hands over.
fn go_on(options: &Options) -> Result<(), Failure> {
    let channel = io::stdin();
    let (calls, offering) = take_over(channel.as_fd())?;
    let gateway = Gateway::start(options.workers, options)?;
    println!(
        "hand-over        {} calls taken over by process {}",
        calls.len(),
        std::process::id()
    );
    for call in calls {
        gateway.workers.add(call);
    }
    offering.running()?;
    let end = Instant::now() + options.seconds;
    while Instant::now() < end && !offering.stops() {
        thread::sleep(TICK);
        gateway.check_peers(options.timeout)?;
    }
    gateway.stop().map(drop)
}

/// The RTP side of the IMS-AGW, and its tap.
struct Gateway {
    workers: Workers,
    tap: Option<Arc<dyn Tap>>,
}

/// Where the calls are.
enum Running {
    Here(Gateway),
    There(Offered),
}

impl Gateway {
    fn start(count: usize, options: &Options) -> Result<Self, Failure> {
        let open = |path: &Path| -> Result<Arc<dyn Tap>, Failure> {
            match PcapTap::open(path) {
                Ok(tap) => Ok(Arc::new(tap)),
                Err(error) => Err(Failure::input(format!("--tap {}: {error}", path.display()))),
            }
        };
        let tap = options.tap.as_deref().map(open).transpose()?;
        let workers = Workers::start(count, tap.as_ref())?;
        Ok(Self { workers, tap })
    }

    /// Has a second process go on, for so long; if it cannot begin the calls go on here.
    fn hand_over(self, options: &Options, left: Duration) -> Result<Running, Failure> {
        let mut second = Command::new(std::env::current_exe()?);
        let workers = options.workers.to_string();
        second.args(["--take-over", "--workers", &workers]);
        for (name, time) in [("--seconds", left), ("--timeout", options.timeout)] {
            second.arg(name).arg(time.as_secs().max(1).to_string());
        }
        if let Some(tap) = &options.tap {
            second.arg("--tap").arg(tap);
        }
        let (calls, counts) = self.take_calls()?;
        print_counts(&counts);
        match hand_over(second, calls, &mut UnwrapErr(SysRng)) {
            Ok(offered) => Ok(Running::There(offered)),
            Err((error, calls)) if calls.is_empty() => Err(error.into()),
            Err((error, calls)) => {
                eprintln!("edge_gateway: no hand-over, the calls go on here: {error}");
                let gateway = Self::start(options.workers, options)?;
                for call in calls {
                    gateway.workers.add(call);
                }
                Ok(Running::Here(gateway))
            }
        }
    }

    fn take_calls(self) -> Result<(Vec<RtpCall>, Counts), Failure> {
        let mut total = Counts::default();
        let calls = self.workers.stop().calls.into_iter().map(|(call, counts)| {
            total.add(&counts);
            call
        });
        let calls = calls.collect();
        self.tap.map_or(Ok(()), |tap| tap.flush())?;
        Ok((calls, total))
    }

    /// Whether every peer is still heard of.
    fn check_peers(&self, timeout: Duration) -> Result<(), Failure> {
        for call in self.workers.report() {
            for (silent, name) in call.silent.into_iter().zip(["UE", "core"]) {
                if silent > timeout {
                    let seconds = timeout.as_secs();
                    return Err(Failure::call(format!(
                        "call {}: nothing heard of the {name} for {seconds} s, call ended",
                        call.id
                    )));
                }
            }
        }
        Ok(())
    }

    /// Ends the calls and says what became of their packets: the processor time of the workers.
    fn stop(self) -> Result<Duration, Failure> {
        let outgoing = self.workers.stop();
        let mut total = Counts::default();
        for (_, counts) in &outgoing.calls {
            total.add(counts);
        }
        print_counts(&total);
        self.tap.map_or(Ok(()), |tap| tap.flush())?;
        Ok(outgoing.processor_time)
    }
}

fn print_counts(counts: &Counts) {
    println!(
        "converted        {} SRTP to RTP, {} RTP to SRTP, {} reports",
        counts.opened, counts.protected, counts.reports
    );
    println!(
        "dropped          {} forged, {} replayed, {} malformed, {} strayed",
        counts.forged, counts.replayed, counts.refused, counts.strayed
    );
}

/// The IMS-ALG, with what UEs have registered; without a word of them, everything.
fn alg<'r>(
    options: &Options,
    registered: impl Iterator<Item = (&'r str, Vec<&'r str>)>,
) -> Result<Alg, Failure> {
    let mut policy = Policy::default();
    policy.sdes = sdes::Policy::for_profiles([options.profile]).map_err(Failure::input)?;
    let everything: MechanismSet = Mechanism::ALL.into_iter().collect();
    let mut alg = Alg::new(options.address, everything, policy).with_ports(options.ports);
    let mut registered = registered.peekable();
    if registered.peek().is_none() {
        let client = mediasec::client_value(everything);
        alg.register(UE, &[&client]).map_err(Failure::input)?;
    }
    for (contact, client) in registered {
        alg.register(contact, &client)
            .map_err(|error| Failure::input(format!("Security-Client: {error}")))?;
    }
    Ok(alg)
}

/// Why the program ends, in one line, and whose fault it is.
#[derive(Debug)]
struct Failure {
    input: bool,
    text: String,
}

impl Failure {
    /// What was given to the program cannot be used.
    fn input(text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self { input: true, text }
    }

    /// A call failed.
    fn call(text: impl fmt::Display) -> Self {
        let text = text.to_string();
        Self { input: false, text }
    }
}

impl program::Failure for Failure {
    fn is_bad_input(&self) -> bool {
        self.input
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::call(error)
    }
}

impl From<AlgError> for Failure {
    fn from(error: AlgError) -> Self {
        match error {
            AlgError::Address(_) | AlgError::Identity(_) => Self::input(error),
            AlgError::Ports(_) => Self::call(error),
            AlgError::Edge(error @ EdgeError::Certificate { .. }) => {
                Self::input(format!("{error}; it takes the feature `tls`"))
            }
            AlgError::Edge(EdgeError::Sdp(error)) => Self::input(format!("SDP: {error}")),
            _ => Self::call(format!("488 Not Acceptable Here: {error}")),
        }
    }
}

impl From<AddressError> for Failure {
    fn from(error: AddressError) -> Self {
        Self::input(error)
    }
}

impl From<HandoverFailed> for Failure {
    fn from(error: HandoverFailed) -> Self {
        Self::call(format!("hand-over: {error}"))
    }
}
