//! Requests of administrators that librdkafka does not know: who is to lead, and have, a partition; how much a client may read.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::{ParseResponseErrorCode, ResponseError};
use kafka_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use kafka_protocol::messages::alter_partition_reassignments_request::{ReassignablePartition, ReassignableTopic};
use kafka_protocol::messages::elect_leaders_request::TopicPartitions;
use kafka_protocol::messages::{
    AlterClientQuotasRequest, AlterClientQuotasResponse, AlterPartitionReassignmentsRequest,
    AlterPartitionReassignmentsResponse, ApiKey, BrokerId, ElectLeadersRequest, ElectLeadersResponse, RequestHeader,
    ResponseHeader, TopicName,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use super::KafkaCluster;
use crate::testbed::wait_until;

const SOON: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(20);
const ANSWER_MS: i32 = 10_000;

impl KafkaCluster {
    /// Gives a partition to other brokers, and waits until it is theirs.
    pub(crate) fn reassign(&self, topic: &str, partition: i32, replicas: &[i32]) {
        let ids = replicas.iter().map(|id| BrokerId(*id)).collect();
        let wanted = ReassignablePartition::default().with_partition_index(partition).with_replicas(Some(ids));
        let wanted = ReassignableTopic::default().with_name(name(topic)).with_partitions(vec![wanted]);
        let request =
            AlterPartitionReassignmentsRequest::default().with_timeout_ms(ANSWER_MS).with_topics(vec![wanted]);
        let response: AlterPartitionReassignmentsResponse = self.ask(ApiKey::AlterPartitionReassignments, &request, 0);
        assert_eq!(response.error_code.err(), None);
        assert_eq!(response.responses[0].partitions[0].error_code.err(), None);
        let mut ids = replicas.to_vec();
        ids.sort_unstable();
        self.await_in_sync(topic, partition, &ids);
        self.await_leader(topic, partition, |leader| replicas.contains(&leader));
    }

    /// Lets the first of a partition's brokers lead it again.
    pub(crate) fn elect_preferred(&self, topic: &str, partition: i32) {
        let wanted = TopicPartitions::default().with_topic(name(topic)).with_partitions(vec![partition]);
        let request =
            ElectLeadersRequest::default().with_timeout_ms(ANSWER_MS).with_topic_partitions(Some(vec![wanted]));
        wait_until(SOON, "the preferred leader is elected", || {
            let response: ElectLeadersResponse = self.ask(ApiKey::ElectLeaders, &request, 2);
            let results = response.replica_election_results.first()?;
            let error = results.partition_result.first()?.error_code.err();
            matches!(error, None | Some(ResponseError::ElectionNotNeeded)).then_some(())
        });
    }

    /// Lets clients with this `client.id` read so many bytes in a second.
    pub(crate) fn limit_reading(&self, client_id: &str, bytes: f64) {
        let entity = EntityData::default()
            .with_entity_type(StrBytes::from_static_str("client-id"))
            .with_entity_name(Some(StrBytes::from_string(client_id.to_owned())));
        let limit = OpData::default().with_key(StrBytes::from_static_str("consumer_byte_rate")).with_value(bytes);
        let entry = EntryData::default().with_entity(vec![entity]).with_ops(vec![limit]);
        let request = AlterClientQuotasRequest::default().with_entries(vec![entry]);
        let response: AlterClientQuotasResponse = self.ask(ApiKey::AlterClientQuotas, &request, 1);
        assert_eq!(response.entries[0].error_code.err(), None);
    }

    /// The answer of any broker.
    fn ask<R, A>(&self, api: ApiKey, request: &R, version: i16) -> A
    where
        R: Encodable + HeaderVersion,
        A: Decodable + HeaderVersion,
    {
        wait_until(SOON, "a broker answers", || {
            self.answering().find_map(|address| exchange(&address, api, request, version).ok())
        })
    }
}

fn exchange<R, A>(address: &str, api: ApiKey, request: &R, version: i16) -> io::Result<A>
where
    R: Encodable + HeaderVersion,
    A: Decodable + HeaderVersion,
{
    let header = RequestHeader::default()
        .with_request_api_key(api as i16)
        .with_request_api_version(version)
        .with_client_id(Some(StrBytes::from_static_str("testbed")));
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    header.encode(&mut frame, R::header_version(version)).map_err(io::Error::other)?;
    request.encode(&mut frame, version).map_err(io::Error::other)?;
    let length = (frame.len() - 4) as i32;
    frame[..4].copy_from_slice(&length.to_be_bytes());
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER))?;
    stream.write_all(&frame)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    let mut answer = Bytes::from(answer);
    ResponseHeader::decode(&mut answer, A::header_version(version)).map_err(io::Error::other)?;
    A::decode(&mut answer, version).map_err(io::Error::other)
}

fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
