//! Servers of files and objects.

mod azurite;
mod faulty_store;
mod google_storage;
mod hdfs;
mod s3;

pub(crate) use azurite::Azurite;
pub(crate) use faulty_store::{Fault, FaultyStore};
pub(crate) use google_storage::GoogleStorage;
pub(crate) use hdfs::{Hdfs, write_hadoop_configuration};
pub(crate) use s3::S3;
