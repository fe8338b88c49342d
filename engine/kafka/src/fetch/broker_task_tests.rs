//! The task of one broker beside brokers that misbehave.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::timeout;
use volley_api::{ConfigMap, TopicPartition};

use super::broker_task::BrokerTask;
use super::partition::{Leader, NearbyReplica, Partition};
use super::settings::NativeSettings;
use super::shared::Shared;
use crate::wire::Address;
use crate::{ClientRole, translate};

const BROKER: i32 = 7;
const DEADLINE: Duration = Duration::from_secs(30);
const FETCH: i16 = 1;
const API_VERSIONS: i16 = 18;
const UNSUPPORTED_VERSION: i16 = 35;

fn shared(pairs: &[(&str, &str)]) -> Arc<Shared> {
    let given: ConfigMap = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let settings = NativeSettings::read(&given, &translate(&given, ClientRole::Consumer).config).unwrap();
    let shared = Shared::new(settings);
    let mut state = shared.state.lock();
    for number in [0, 3] {
        let generation = state.next_generation();
        let mut partition = Partition::new(generation, 10);
        partition.leader = Some(Leader { broker: BROKER, epoch: 5 });
        state.partitions.insert(TopicPartition::new("orders", number), partition);
    }
    drop(state);
    shared
}

/// Runs the task until something is so.
fn run_until(shared: &Arc<Shared>, port: u16, is_so: impl Fn() -> bool) {
    let address = Address::new("127.0.0.1", port.into()).unwrap();
    let task = BrokerTask::new(Arc::clone(shared), BROKER, address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let so = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let either = async {
        tokio::select! {
            () = task.run() => {}
            () = so => {}
        }
    };
    runtime.block_on(async { timeout(DEADLINE, either).await }).expect("within the deadline");
}

/// A broker that answers each request to fetch with nothing but how long it wants to be left alone, if it answers at all.
/// Tells when it is asked.
fn broker(throttle: Option<Duration>) -> (u16, mpsc::Receiver<Instant>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, times) = mpsc::channel();
    // ends with the process
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let asked = asked.clone();
            thread::spawn(move || serve(stream, throttle, &asked));
        }
    });
    (port, times)
}

fn serve(mut stream: TcpStream, throttle: Option<Duration>, asked: &mpsc::Sender<Instant>) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        stream.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut request)?;
        let number = |at: usize| i16::from_be_bytes([request[at], request[at + 1]]);
        let mut answer = request[4..8].to_vec();
        match (number(0), number(2)) {
            (API_VERSIONS, 0) => {
                answer.extend(0_i16.to_be_bytes());
                answer.extend(1_i32.to_be_bytes());
                // the last version whose answer is as short as this
                [FETCH, 4, 7].iter().for_each(|number| answer.extend(number.to_be_bytes()));
            }
            (API_VERSIONS, _) => {
                answer.extend(UNSUPPORTED_VERSION.to_be_bytes());
                answer.extend(0_i32.to_be_bytes());
            }
            _ => {
                let _ = asked.send(Instant::now());
                let Some(throttle) = throttle else { continue };
                answer.extend((throttle.as_millis() as i32).to_be_bytes());
                // no error, no session, no partitions
                answer.extend([0; 10]);
            }
        }
        stream.write_all(&(answer.len() as u32).to_be_bytes())?;
        stream.write_all(&answer)?;
    }
}

/// The log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

#[test]
fn a_broker_that_cannot_be_reached_is_told_with_its_address_and_the_partitions_that_wait() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let shared = shared(&[]);
    // nobody listens there any more
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    run_until(&shared, port, || log.text().contains("could not fetch from a broker"));
    let text = log.text();
    for named in [&format!("127.0.0.1:{port}"), "orders-0", "orders-3"] {
        assert!(text.contains(named), "{named}: {text}");
    }
}

#[test]
fn a_broker_that_is_silent_is_given_up_after_the_request_timeout_and_the_leaders_are_looked_up() {
    let shared = shared(&[("request.timeout.ms", "100"), ("fetch.max.wait.ms", "50")]);
    {
        let mut state = shared.state.lock();
        let partition = state.partitions.values_mut().next().unwrap();
        partition.leader = Some(Leader { broker: 1, epoch: 5 });
        partition.nearby = Some(NearbyReplica { broker: BROKER, until: Instant::now() + DEADLINE * 10 });
    }
    let outdated = shared.watch_outdated();
    let (port, asked) = broker(None);
    run_until(&shared, port, || shared.state.lock().failing.contains(&BROKER));
    assert!(asked.try_recv().is_ok(), "it was asked");
    assert!(outdated.has_changed().unwrap());
    let state = shared.state.lock();
    assert!(state.partitions.values().all(|partition| partition.nearby.is_none()), "the leader is asked instead");
}

#[test]
fn a_broker_that_throttles_is_left_alone_for_as_long_as_it_says() {
    const THROTTLE: Duration = Duration::from_millis(300);
    let shared = shared(&[]);
    let (port, asked) = broker(Some(THROTTLE));
    let times = Mutex::new(Vec::new());
    run_until(&shared, port, || {
        let mut times = times.lock();
        times.extend(asked.try_iter());
        times.len() >= 3
    });
    for pair in times.lock().windows(2) {
        assert!(pair[1] - pair[0] >= THROTTLE, "asked again after {:?}", pair[1] - pair[0]);
    }
}
