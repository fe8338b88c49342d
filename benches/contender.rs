//! Who drains a topic.

use clap::ValueEnum;

use crate::payment::JsonSize;

/// What the bench measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Contender {
    /// The program written by hand: benches/floor.rs
    Floor,
    /// Volley, no transformation
    Volley,
    /// Volley with a projecting and filtering SQL transformation
    Sql,
    /// Volley on one core
    OneCore,
    /// Volley, to an S3 server beside it
    S3,
    /// Java's worker with the Iceberg sink
    Java,
    /// The program written by hand, of payments of 330 bytes
    LargeFloor,
    /// Volley, of payments of 330 bytes
    Large,
    /// Java's worker with the Iceberg sink, of payments of 330 bytes
    LargeJava,
    /// The program written by hand, of payments in Avro
    AvroFloor,
    /// Volley, of payments in Avro with a schema registry
    Avro,
    /// The program written by hand, which copies the JSON into files of lines
    LinesFloor,
    /// Volley, to files of JSON lines
    Lines,
    /// Volley with SQL that names one of 500 buckets
    Buckets,
    /// The same, with a directory for each bucket
    Directories,
    /// The program written by hand, of payments of 1 KB
    KilobyteFloor,
    /// Volley, of payments of 1 KB
    Kilobyte,
    /// Volley's consumer alone: batches of columns that nobody keeps
    Fetch,
    /// Volley draining many partitions
    Wide,
    /// A worker without connectors: start and memory at rest
    Idle,
}

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Floor,
    Volley,
    Java,
    /// This bench, with Volley's consumer in it.
    Fetcher,
}

/// A topic that several drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// In `--partitions`.
    Json(JsonSize),
    /// In `--partitions`.
    Avro,
    /// The smallest JSON in `--wide-partitions`.
    Wide,
}

impl Topic {
    pub(crate) const ALL: [Self; 5] = [
        Self::Json(JsonSize::Small),
        Self::Json(JsonSize::Large),
        Self::Json(JsonSize::Kilobyte),
        Self::Avro,
        Self::Wide,
    ];
}

impl Contender {
    /// Its row in the table.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Floor => "floor, written by hand",
            Self::Volley => "volley",
            Self::Sql => "volley with SQL",
            Self::OneCore => "volley on one core",
            Self::S3 => "volley, to S3",
            Self::Java => "Java's worker with the Iceberg sink",
            Self::LargeFloor => "floor, 330 bytes",
            Self::Large => "volley, 330 bytes",
            Self::LargeJava => "Java's worker with the Iceberg sink, 330 bytes",
            Self::AvroFloor => "floor, Avro",
            Self::Avro => "volley, Avro",
            Self::LinesFloor => "floor, lines of JSON",
            Self::Lines => "volley, lines of JSON",
            Self::Buckets => "volley with 500 buckets in SQL",
            Self::Directories => "volley, the same in 500 directories",
            Self::KilobyteFloor => "floor, 1 KB",
            Self::Kilobyte => "volley, 1 KB",
            Self::Fetch => "volley's consumer alone",
            Self::Wide => "volley, many partitions",
            Self::Idle => "volley at rest",
        }
    }

    /// What it is measured against: who drains the same topic by hand.
    pub(crate) fn floor(self) -> Option<Self> {
        match self {
            Self::Floor | Self::Volley | Self::Sql | Self::OneCore | Self::S3 | Self::Java => Some(Self::Floor),
            Self::LargeFloor | Self::Large | Self::LargeJava => Some(Self::LargeFloor),
            Self::AvroFloor | Self::Avro => Some(Self::AvroFloor),
            Self::LinesFloor | Self::Lines => Some(Self::LinesFloor),
            Self::Buckets | Self::Directories => Some(Self::Buckets),
            Self::KilobyteFloor | Self::Kilobyte => Some(Self::KilobyteFloor),
            Self::Fetch => Some(Self::Floor),
            Self::Wide | Self::Idle => None,
        }
    }

    /// Who runs.
    pub(crate) fn program(self) -> Program {
        match self {
            Self::Floor | Self::LargeFloor | Self::KilobyteFloor | Self::AvroFloor | Self::LinesFloor => Program::Floor,
            Self::Fetch => Program::Fetcher,
            Self::Java | Self::LargeJava => Program::Java,
            _ => Program::Volley,
        }
    }

    /// What it drains; `None` if nothing.
    pub(crate) fn topic(self) -> Option<Topic> {
        match self {
            Self::LargeFloor | Self::Large | Self::LargeJava => Some(Topic::Json(JsonSize::Large)),
            Self::KilobyteFloor | Self::Kilobyte => Some(Topic::Json(JsonSize::Kilobyte)),
            Self::AvroFloor | Self::Avro => Some(Topic::Avro),
            Self::Wide => Some(Topic::Wide),
            Self::Idle => None,
            _ => Some(Topic::Json(JsonSize::Small)),
        }
    }

    /// Begins the names of its files.
    pub(crate) fn key(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
