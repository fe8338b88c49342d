//! SCRAM (RFC 5802, 7677): the client proves that it knows the password, and so does the server, without either saying it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use volley_api::{Error, Result, Secret};
use volley_net::{MacAlgorithm, constant_time_eq, random_bytes};

use super::exchange::Step;

/// Fewer make the password easy to guess for whoever listens; Java refuses them too.
const FEWEST_ITERATIONS: usize = 4096;
/// More would keep a thread busy for seconds; brokers allow 16384.
const MOST_ITERATIONS: usize = 1_000_000;
const NONCE: usize = 24;
/// No channel binding and no authorization id.
const GS2_HEADER: &str = "n,,";

/// The hash function of a SCRAM mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScramHash {
    Sha256,
    Sha512,
}

impl ScramHash {
    /// The mechanism's name.
    pub(super) fn mechanism(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn mac_algorithm(self) -> Result<MacAlgorithm> {
        MacAlgorithm::named(match self {
            Self::Sha256 => "HmacSHA256",
            Self::Sha512 => "HmacSHA512",
        })
    }
}

/// The client's side of one authentication.
pub(crate) struct ScramClient {
    hash: ScramHash,
    password: Secret,
    nonce: String,
    first_bare: String,
    state: State,
}

enum State {
    FirstSent,
    FinalSent { server_signature: Vec<u8> },
    Over,
}

impl fmt::Debug for ScramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramClient").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl ScramClient {
    /// A client with a nonce of its own. `is_token`: the user is a delegation token.
    pub(super) fn new(hash: ScramHash, username: &str, password: Secret, is_token: bool) -> Result<Self> {
        let nonce = STANDARD.encode(random_bytes(NONCE)?);
        Ok(Self::with_nonce(hash, username, password, is_token, nonce))
    }

    fn with_nonce(hash: ScramHash, username: &str, password: Secret, is_token: bool, nonce: String) -> Self {
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let token = if is_token { ",tokenauth=true" } else { "" };
        let first_bare = format!("n={name},r={nonce}{token}");
        Self { hash, password, nonce, first_bare, state: State::FirstSent }
    }

    pub(super) fn first_message(&self) -> Vec<u8> {
        format!("{GS2_HEADER}{}", self.first_bare).into_bytes()
    }

    pub(super) async fn answer(&mut self, answer: &[u8]) -> Result<Step> {
        let answer = std::str::from_utf8(answer).map_err(|_| malformed("it is not UTF-8"))?;
        match std::mem::replace(&mut self.state, State::Over) {
            State::FirstSent => self.prove(answer).await,
            State::FinalSent { server_signature } => {
                check_server(answer, &server_signature)?;
                Ok(Step::Done)
            }
            State::Over => Err(malformed("it comes after the last one")),
        }
    }

    async fn prove(&mut self, server_first: &str) -> Result<Step> {
        let challenge = Challenge::parse(server_first, &self.nonce)?;
        let (algorithm, password) = (self.hash.mac_algorithm()?, self.password.clone());
        let Challenge { nonce, salt, iterations } = challenge;
        let salting = move || algorithm.salted(password.reveal().as_bytes(), &salt, iterations);
        let salted = tokio::task::spawn_blocking(salting)
            .await
            .map_err(|_| Error::retriable("the authentication was broken off, since the runtime ends"))??;
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(GS2_HEADER));
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let client_key = algorithm.mac(&salted, b"Client Key")?;
        let stored_key = algorithm.hash(&client_key)?;
        let client_signature = algorithm.mac(&stored_key, signed.as_bytes())?;
        let proof: Vec<u8> = client_key.iter().zip(&client_signature).map(|(key, mask)| key ^ mask).collect();
        let server_key = algorithm.mac(&salted, b"Server Key")?;
        self.state = State::FinalSent { server_signature: algorithm.mac(&server_key, signed.as_bytes())? };
        Ok(Step::Send(format!("{without_proof},p={}", STANDARD.encode(proof)).into_bytes()))
    }
}

struct Challenge {
    nonce: String,
    salt: Vec<u8>,
    iterations: usize,
}

impl Challenge {
    /// `r=NONCE,s=SALT,i=ITERATIONS`, then extensions, which may be ignored; but not those that begin with `m=`.
    fn parse(message: &str, own_nonce: &str) -> Result<Self> {
        if let Some(error) = message.strip_prefix("e=") {
            return Err(Error::config(format!("the broker refuses the SCRAM login: {error}")));
        }
        let mut parts = message.split(',');
        let mut part = |name: &str| {
            parts
                .next()
                .and_then(|part| part.strip_prefix(name))
                .ok_or_else(|| malformed(&format!("it has no `{name}`")))
        };
        let nonce = part("r=")?;
        if !nonce.starts_with(own_nonce) || nonce.len() == own_nonce.len() {
            return Err(malformed("its nonce does not continue the client's"));
        }
        let salt = STANDARD.decode(part("s=")?).map_err(|_| malformed("its salt is not base64"))?;
        let iterations = part("i=")?.parse().map_err(|_| malformed("its iteration count is no number"))?;
        if !(FEWEST_ITERATIONS..=MOST_ITERATIONS).contains(&iterations) {
            return Err(malformed(&format!(
                "it asks for {iterations} iterations, allowed are {FEWEST_ITERATIONS} to {MOST_ITERATIONS}"
            )));
        }
        Ok(Self { nonce: nonce.to_owned(), salt, iterations })
    }
}

fn check_server(server_final: &str, expected: &[u8]) -> Result<()> {
    if let Some(error) = server_final.strip_prefix("e=") {
        return Err(Error::config(format!("the broker refuses the SCRAM login: {error}")));
    }
    let signature = server_final.strip_prefix("v=").and_then(|rest| rest.split(',').next());
    let signature = signature.and_then(|text| STANDARD.decode(text).ok());
    if signature.is_some_and(|signature| constant_time_eq(&signature, expected)) {
        return Ok(());
    }
    Err(Error::config("the broker cannot prove that it knows the password: it may be an impostor"))
}

fn malformed(reason: &str) -> Error {
    Error::config(format!("the broker's SCRAM message cannot be accepted: {reason}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
    const SERVER_FIRST: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";

    fn client(hash: ScramHash) -> ScramClient {
        ScramClient::with_nonce(hash, "user", Secret::new("pencil"), false, NONCE.to_owned())
    }

    fn text(step: Step) -> String {
        match step {
            Step::Send(message) => String::from_utf8(message).unwrap(),
            Step::Done => panic!("the exchange is not over"),
        }
    }

    #[tokio::test]
    async fn the_example_of_rfc_7677_holds() {
        let mut client = client(ScramHash::Sha256);
        assert_eq!(client.first_message(), b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let last = text(client.answer(SERVER_FIRST.as_bytes()).await.unwrap());
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let verdict = client.answer(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").await.unwrap();
        assert!(matches!(verdict, Step::Done));
    }

    #[tokio::test]
    async fn a_server_that_does_not_know_the_password_is_not_believed() {
        for answer in ["v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=", "v=AAAA", "v=", "x", "", "e=other-error"] {
            let mut client = client(ScramHash::Sha256);
            client.answer(SERVER_FIRST.as_bytes()).await.unwrap();
            assert!(client.answer(answer.as_bytes()).await.is_err(), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_challenge_that_would_weaken_the_exchange_is_refused() {
        for challenge in [
            "r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000",
            "r=rOprNGfwEbeRWgbNEkqOx,s=?,i=4096",
            "m=x,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "e=unknown-user",
        ] {
            assert!(client(ScramHash::Sha512).answer(challenge.as_bytes()).await.is_err(), "{challenge}");
        }
    }

    #[test]
    fn commas_and_equals_signs_in_names_are_escaped() {
        let client = ScramClient::with_nonce(ScramHash::Sha256, "a=b,c", Secret::new("x"), true, "N".to_owned());
        assert_eq!(client.first_message(), b"n,,n=a=3Db=2Cc,r=N,tokenauth=true");
    }

    proptest! {
        #[test]
        fn no_challenge_panics(challenge in "(r=rOprNGfwEbeRWgbNEkqO[a-z]{0,2})?,?(s=[A-Z=]{0,4})?,?(i=[0-9]{0,4})?.{0,9}") {
            let _ = Challenge::parse(&challenge, NONCE);
        }
    }
}
