package org.volley.host.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.volley.host.wire.Frame;
import org.volley.host.wire.Json;

/** Topic partitions, with or without offsets, as JSON of a sink task's lane. */
final class Partitions {
    private Partitions() {
    }

    static Set<TopicPartition> read(Frame frame) throws IOException {
        Set<TopicPartition> partitions = new HashSet<>();
        for (JsonNode each : Json.read(frame.rest())) {
            partitions.add(partition(each));
        }
        return partitions;
    }

    static Map<TopicPartition, OffsetAndMetadata> readOffsets(Frame frame) throws IOException {
        Map<TopicPartition, OffsetAndMetadata> offsets = new HashMap<>();
        for (JsonNode each : Json.read(frame.rest())) {
            offsets.put(partition(each), new OffsetAndMetadata(each.path("offset").asLong()));
        }
        return offsets;
    }

    static void writeOffsets(ArrayNode into, Map<TopicPartition, OffsetAndMetadata> offsets) {
        offsets.forEach((partition, offset) -> {
            // A task that says nothing of a partition may do so by a null.
            if (offset != null) {
                add(into, partition).put("offset", offset.offset()).put("metadata", offset.metadata());
            }
        });
    }

    static ObjectNode add(ArrayNode into, TopicPartition partition) {
        return into.addObject().put("topic", partition.topic()).put("partition", partition.partition());
    }

    static TopicPartition partition(JsonNode node) {
        return new TopicPartition(Json.text(node, "topic"), node.path("partition").asInt());
    }
}
