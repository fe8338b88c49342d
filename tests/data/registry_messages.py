"""Writes and reads messages with Confluent's own serializers.

registry_messages.py write|read avro|json|protobuf SERVERS REGISTRY TOPIC [COUNT]

`write` sends three orders and a null; in Protobuf another message of the same file, too. `read` prints COUNT values as JSON,
a line each.
"""

import importlib
import json
import os
import sys
import tempfile

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
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
MONEY_PROTO = """syntax = "proto3";
package common;
message Money {
  string currency = 1;
  sint64 cents = 2;
}
"""
ORDER_PROTO = """syntax = "proto3";
package shop;
import "common/money.proto";
import "google/protobuf/timestamp.proto";
message Customer {
  string name = 1;
}
message Order {
  message Place {
    int32 shelf = 1;
    google.protobuf.Timestamp since = 2;
  }
  int64 id = 1;
  optional string note = 2;
  State state = 3;
  repeated double lines = 4;
  map<string, int32> stock = 5;
  oneof payment {
    string card = 6;
    common.Money cash = 7;
  }
}
enum State {
  OPEN = 0;
  CLOSED = 1;
}
"""


def compiled(files):
    """The modules that protoc makes of .proto files, the last one's."""
    from grpc_tools import protoc
    work = tempfile.mkdtemp()
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(work, name)), exist_ok=True)
        with open(os.path.join(work, name), "w") as file:
            file.write(text)
    well_known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    assert protoc.main(["protoc", "-I" + work, "-I" + well_known, "--python_out=" + work, *files]) == 0
    sys.path.insert(0, work)
    return importlib.import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2")


def protobuf_values(registry):
    """Messages, each with what serializes it."""
    shop = compiled({"common/money.proto": MONEY_PROTO, "orders.proto": ORDER_PROTO})
    orders = [shop.Order(**order) for order in ORDERS]
    orders[0].stock["a"] = 1
    orders[1].cash.currency = "EUR"
    orders[1].cash.cents = -150
    orders[2].card = ""
    for message in orders + [shop.Order.Place(shelf=7)]:
        yield message, ProtobufSerializer(type(message), registry, {"use.deprecated.format": False})


def registered_class(registry, topic):
    """The first message of the file that is registered for a topic."""
    text = registry.get_latest_version(topic + "-value").schema.schema_str
    module = compiled({"registered.proto": text})
    return getattr(module, next(iter(module.DESCRIPTOR.message_types_by_name)))


def write(kind, servers, registry, topic):
    if kind == "avro":
        values = [(order, AvroSerializer(registry, AVRO)) for order in ORDERS]
    elif kind == "json":
        values = [(order, JSONSerializer(JSON, registry)) for order in ORDERS]
    else:
        values = protobuf_values(registry)
    producer = Producer({"bootstrap.servers": servers})
    for value, serialize in values:
        producer.produce(topic, serialize(value, SerializationContext(topic, MessageField.VALUE)))
    producer.produce(topic, None)
    assert producer.flush(60) == 0


def read(kind, servers, registry, topic, count):
    if kind == "avro":
        deserialize = AvroDeserializer(registry)
    elif kind == "json":
        deserialize = JSONDeserializer(None, schema_registry_client=registry)
    else:
        # with a client it would ask the registry for descriptors, which only Confluent's own registry has
        read_message = ProtobufDeserializer(registered_class(registry, topic), {"use.deprecated.format": False})

        def deserialize(value, context):
            message = read_message(value, context)
            return {field.name: getattr(message, field.name) for field in message.DESCRIPTOR.fields}
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
