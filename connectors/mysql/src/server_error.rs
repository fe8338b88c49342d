//! What the server or the connection has against something.

use mysql_async::{DriverError, Error as Failure, IoError};
use volley_api::{Error, ErrorKind};

/// Out of connections, memory or room on disk, shutting down, killed, timed out, locked, deadlocked, lost.
const PASSING: [u16; 34] = [
    1020, 1021, 1040, 1041, 1053, 1077, 1078, 1079, 1114, 1129, 1152, 1153, 1158, 1159, 1160, 1161, 1180, 1184, 1203,
    1205, 1206, 1213, 1226, 1317, 1412, 1614, 1637, 1792, 1927, 1969, 2006, 2013, 3024, 3101,
];
/// What mysql_async says of a row that has more bytes than it may have.
const TOO_LARGE: &str = "larger than max_allowed_packet";
/// Hosts, logins and plug-ins that are refused, in the general state HY000.
const REFUSED: [u16; 8] = [1130, 1251, 1290, 1296, 1347, 1356, 1524, 1698];

/// Values and rows that are refused, in general states: no default, cut off, wrong, a check, a trigger, no JSON.
const REFUSED_ROWS: [u16; 9] = [1265, 1292, 1364, 1366, 1367, 1644, 3140, 3819, 4025];

/// An error while rows are written: what has no place, or what a constraint refuses, is the row's fault.
pub(crate) fn write_error(doing: &str, error: Failure) -> Error {
    let is_of_row = match &error {
        Failure::Server(refusal) => {
            REFUSED_ROWS.contains(&refusal.code) || refusal.state.starts_with("22") || refusal.state.starts_with("23")
        }
        _ => false,
    };
    let error = server_error(doing, error);
    if is_of_row { Error::data(error.to_string()).with_source(error) } else { error }
}

/// An error while `doing` something, such as "could not connect to MySQL at db:3306".
pub(crate) fn server_error(doing: &str, error: Failure) -> Error {
    let kind = match &error {
        // whatever wanted to write
        Failure::Server(refusal) if refusal.message.contains("No space left on device") => ErrorKind::Retriable,
        Failure::Server(refusal) => kind_of(refusal.code, &refusal.state),
        Failure::Io(IoError::Io(cause)) if cause.to_string().contains(TOO_LARGE) => ErrorKind::Data,
        Failure::Io(IoError::Io(_)) => ErrorKind::Retriable,
        Failure::Io(IoError::Tls(_)) | Failure::Url(_) => ErrorKind::Config,
        Failure::Driver(DriverError::ConnectionClosed | DriverError::PacketOutOfOrder) => ErrorKind::Retriable,
        Failure::Driver(
            DriverError::UnknownAuthPlugin { .. }
            | DriverError::NoClientSslFlagFromServer
            | DriverError::CleartextPluginDisabled
            | DriverError::MysqlOldPasswordDisabled,
        ) => ErrorKind::Config,
        Failure::Driver(_) | Failure::Other(_) => ErrorKind::Fatal,
    };
    let text = match &error {
        Failure::Server(refusal) => format!("{} (error {}, SQLSTATE {})", refusal.message, refusal.code, refusal.state),
        Failure::Driver(cause) => cause.to_string(),
        Failure::Io(cause) => cause.to_string(),
        Failure::Other(_) | Failure::Url(_) => error.to_string(),
    };
    Error::new(kind, format!("{doing}: {text}")).with_source(error)
}

/// What can be done about an error of this number and SQLSTATE.
fn kind_of(code: u16, state: &str) -> ErrorKind {
    if PASSING.contains(&code) {
        return ErrorKind::Retriable;
    }
    match state.get(..2).unwrap_or_default() {
        "08" | "40" => ErrorKind::Retriable,
        "22" => ErrorKind::Data,
        // who logs in, which database, names, permissions and syntax
        "28" | "3D" | "42" | "0A" | "21" => ErrorKind::Config,
        _ if REFUSED.contains(&code) => ErrorKind::Config,
        _ => ErrorKind::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_and_state_say_what_can_be_done() {
        for (code, state, kind) in [
            (1205, "HY000", ErrorKind::Retriable),
            (1114, "HY000", ErrorKind::Retriable),
            (1213, "40001", ErrorKind::Retriable),
            (1053, "08S01", ErrorKind::Retriable),
            (1927, "70100", ErrorKind::Retriable),
            (1040, "08004", ErrorKind::Retriable),
            (1045, "28000", ErrorKind::Config),
            (1044, "42000", ErrorKind::Config),
            (1049, "42000", ErrorKind::Config),
            (1054, "42S22", ErrorKind::Config),
            (1146, "42S02", ErrorKind::Config),
            (1130, "HY000", ErrorKind::Config),
            (1365, "22012", ErrorKind::Data),
            (1105, "HY000", ErrorKind::Fatal),
        ] {
            assert_eq!(kind_of(code, state), kind, "{code}");
        }
        let closed = server_error("reading", Failure::Driver(DriverError::ConnectionClosed));
        let large = Failure::Io(IoError::Io(std::io::Error::other("Packet is larger than max_allowed_packet")));
        assert_eq!(server_error("reading", large).kind(), ErrorKind::Data);
        assert!(closed.is_retriable() && closed.to_string().starts_with("reading: "), "{closed}");
    }
}
