//! A broker that coordinates every group with one member, and fails on demand. It uses old versions of the protocol,
//! whose answers are short.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::ApiKey;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The member id that it assigns.
pub(super) const MEMBER: &str = "member-1";

/// The versions that it supports.
const VERSIONS: &[(ApiKey, i16)] = &[
    (ApiKey::Metadata, 0),
    (ApiKey::FindCoordinator, 0),
    (ApiKey::JoinGroup, 2),
    (ApiKey::SyncGroup, 1),
    (ApiKey::Heartbeat, 1),
    (ApiKey::LeaveGroup, 1),
    (ApiKey::ApiVersions, 0),
];

/// The reaction to a request.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reaction {
    Refuse(ResponseError),
    /// No answer to this and to later requests of the connection.
    Silence,
    CloseConnection,
}

#[derive(Debug, Default)]
struct Script {
    once: BTreeMap<i16, VecDeque<Reaction>>,
    always: BTreeMap<i16, Reaction>,
    generation: i32,
    seen: Vec<(ApiKey, String)>,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(super) struct FakeCoordinator {
    script: Arc<Mutex<Script>>,
    port: u16,
    task: JoinHandle<()>,
}

impl Drop for FakeCoordinator {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeCoordinator {
    #[allow(clippy::disallowed_methods, reason = "the tasks of a test end with its runtime")]
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = Arc::<Mutex<Script>>::default();
        let scripted = Arc::clone(&script);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, port, Arc::clone(&scripted)));
            }
        });
        Self { script, port, task }
    }

    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Applies these reactions to the next requests of the kind, one each.
    pub(super) fn next(&self, key: ApiKey, reactions: &[Reaction]) {
        self.script.lock().once.entry(key as i16).or_default().extend(reactions);
    }

    /// Applies this reaction to all further requests of the kind; `None` restores a coordinator's behaviour.
    pub(super) fn always(&self, key: ApiKey, reaction: Option<Reaction>) {
        let always = &mut self.script.lock().always;
        match reaction {
            Some(reaction) => always.insert(key as i16, reaction),
            None => always.remove(&(key as i16)),
        };
    }

    /// The member ids in the requests of the kind, in order of arrival; empty for kinds without one.
    pub(super) fn seen(&self, key: ApiKey) -> Vec<String> {
        self.script.lock().seen.iter().filter(|(seen, _)| *seen == key).map(|(_, member)| member.clone()).collect()
    }
}

async fn serve(mut stream: TcpStream, port: u16, script: Arc<Mutex<Script>>) {
    while let Ok(length) = stream.read_i32().await {
        let mut frame = vec![0; length.try_into().unwrap()];
        if stream.read_exact(&mut frame).await.is_err() {
            return;
        }
        let mut frame = Bytes::from(frame);
        let (key, version, correlation_id) = (frame.get_i16(), frame.get_i16(), frame.get_i32());
        let key = ApiKey::try_from(key).unwrap();
        let answer = match react(&script, key, version, frame) {
            Ok(None) => answer(&script, key, version, None, port),
            Ok(Some(Reaction::Refuse(error))) => answer(&script, key, version, Some(error), port),
            Ok(Some(Reaction::Silence)) => return std::future::pending().await,
            Ok(Some(Reaction::CloseConnection)) | Err(()) => return,
        };
        let mut whole = BytesMut::new();
        whole.put_i32(i32::try_from(answer.len() + 4).unwrap());
        whole.put_i32(correlation_id);
        whole.extend_from_slice(&answer);
        if stream.write_all(&whole).await.is_err() {
            return;
        }
    }
}

fn react(script: &Mutex<Script>, key: ApiKey, version: i16, mut request: Bytes) -> Result<Option<Reaction>, ()> {
    if key == ApiKey::ApiVersions && version > 0 {
        return Ok(None);
    }
    let known = VERSIONS.iter().find(|(known, _)| *known == key).ok_or(())?;
    assert_eq!(version, known.1, "{key:?} in a version that was not offered");
    let _client_id = text(&mut request);
    let member = match key {
        ApiKey::JoinGroup => {
            let _group = text(&mut request);
            request.advance(8);
            text(&mut request)
        }
        ApiKey::SyncGroup | ApiKey::Heartbeat => {
            let _group = text(&mut request);
            request.advance(4);
            text(&mut request)
        }
        ApiKey::LeaveGroup => {
            let _group = text(&mut request);
            text(&mut request)
        }
        _ => String::new(),
    };
    let script = &mut *script.lock();
    script.seen.push((key, member));
    let once = script.once.get_mut(&(key as i16)).and_then(VecDeque::pop_front);
    Ok(once.or_else(|| script.always.get(&(key as i16)).copied()))
}

fn text(request: &mut Bytes) -> String {
    let length = request.get_i16();
    let bytes = request.split_to(length.try_into().unwrap_or(0));
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn put_text(answer: &mut BytesMut, text: &str) {
    answer.put_i16(i16::try_from(text.len()).unwrap());
    answer.extend_from_slice(text.as_bytes());
}

fn answer(script: &Mutex<Script>, key: ApiKey, version: i16, error: Option<ResponseError>, port: u16) -> BytesMut {
    let code = error.map_or(0, |error| error.code());
    let mut answer = BytesMut::new();
    match key {
        ApiKey::ApiVersions => {
            answer.put_i16(if version > 0 { ResponseError::UnsupportedVersion.code() } else { 0 });
            answer.put_i32(i32::try_from(VERSIONS.len()).unwrap());
            for (key, version) in VERSIONS {
                answer.put_i16(*key as i16);
                answer.put_i16(*version);
                answer.put_i16(*version);
            }
        }
        ApiKey::Metadata => {
            answer.put_i32(1);
            put_address(&mut answer, port);
            answer.put_i32(0);
        }
        ApiKey::FindCoordinator => {
            answer.put_i16(code);
            put_address(&mut answer, port);
        }
        ApiKey::JoinGroup => put_join(&mut answer, code, script),
        _ => {
            answer.put_i32(0);
            answer.put_i16(code);
            if key == ApiKey::SyncGroup {
                answer.put_i32(4);
                answer.extend_from_slice(b"work");
            }
        }
    }
    answer
}

fn put_address(answer: &mut BytesMut, port: u16) {
    answer.put_i32(1);
    put_text(answer, "127.0.0.1");
    answer.put_i32(i32::from(port));
}

fn put_join(answer: &mut BytesMut, code: i16, script: &Mutex<Script>) {
    let script = &mut *script.lock();
    script.generation += i32::from(code == 0);
    answer.put_i32(0);
    answer.put_i16(code);
    answer.put_i32(script.generation);
    put_text(answer, "sessioned");
    put_text(answer, MEMBER);
    put_text(answer, MEMBER);
    answer.put_i32(1);
    put_text(answer, MEMBER);
    answer.put_i32(8);
    answer.extend_from_slice(b"metadata");
}
