"""Writes and reads messages with Confluent's own serializers.

registry_messages.py write|read avro|json SERVERS REGISTRY TOPIC [COUNT]

`write` sends three orders and a null; `read` prints COUNT values as JSON, a line each.
"""

import json
import sys

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

AVRO = json.dumps({
    "type": "record", "name": "Order", "namespace": "shop",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "note", "type": ["null", "string"], "default": None},
        {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["OPEN", "CLOSED"]}},
        {"name": "lines", "type": {"type": "array", "items": "double"}},
    ],
})
JSON = json.dumps({
    "$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
    "properties": {
        "id": {"type": "integer", "connect.index": 0},
        "note": {"oneOf": [{"type": "null"}, {"type": "string"}], "connect.index": 1},
        "state": {"type": "string", "connect.index": 2},
        "lines": {"type": "array", "items": {"type": "number"}, "connect.index": 3},
    },
})
ORDERS = [
    {"id": 1, "note": None, "state": "OPEN", "lines": []},
    {"id": 2, "note": "Grüße", "state": "CLOSED", "lines": [1.5, -2.0]},
    {"id": -(2**50), "note": "", "state": "OPEN", "lines": [0.1]},
]


def write(kind, servers, registry, topic):
    if kind == "avro":
        serialize = AvroSerializer(registry, AVRO)
    else:
        serialize = JSONSerializer(JSON, registry)
    producer = Producer({"bootstrap.servers": servers})
    for order in ORDERS:
        producer.produce(topic, serialize(order, SerializationContext(topic, MessageField.VALUE)))
    producer.produce(topic, None)
    assert producer.flush(60) == 0


def read(kind, servers, registry, topic, count):
    if kind == "avro":
        deserialize = AvroDeserializer(registry)
    else:
        deserialize = JSONDeserializer(None, schema_registry_client=registry)
    consumer = Consumer({
        "bootstrap.servers": servers, "group.id": topic + "-python", "auto.offset.reset": "earliest",
    })
    consumer.subscribe([topic])
    for _ in range(count):
        message = consumer.poll(60)
        assert message is not None and message.error() is None, message and message.error()
        print(json.dumps(deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))))
    consumer.close()


action, kind, servers, url, topic = sys.argv[1:6]
client = SchemaRegistryClient({"url": url})
if action == "write":
    write(kind, servers, client, topic)
else:
    read(kind, servers, client, topic, int(sys.argv[6]))
