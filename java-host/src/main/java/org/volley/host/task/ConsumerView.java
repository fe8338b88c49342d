package org.volley.host.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Json;

/**
 * What there is of a sink task's consumer. Iceberg's sink takes the consumer out of Kafka's context to commit offsets in transactions of
 * its own, and to go back to what is committed; the worker has the real one.
 */
final class ConsumerView implements InvocationHandler {
    private final CallBacks worker;
    private final String task;
    private final Set<TopicPartition> assigned;
    private final SinkRequests requests;

    private ConsumerView(CallBacks worker, TaskRequest request, Set<TopicPartition> assigned, SinkRequests requests) {
        this.worker = worker;
        this.task = request.name();
        this.assigned = assigned;
        this.requests = requests;
    }

    @SuppressWarnings("unchecked")
    static Consumer<byte[], byte[]> of(CallBacks worker, TaskRequest request, Set<TopicPartition> assigned, SinkRequests requests) {
        return (Consumer<byte[], byte[]>) Proxy.newProxyInstance(Consumer.class.getClassLoader(), new Class<?>[] {Consumer.class},
                new ConsumerView(worker, request, assigned, requests));
    }

    @Override
    @SuppressWarnings({"unchecked", "removal"})
    public Object invoke(Object proxy, Method method, Object[] arguments) {
        return switch (method.getName()) {
            case "groupMetadata" -> groupMetadata();
            case "assignment" -> Set.copyOf(assigned);
            case "committed" -> committed((Collection<TopicPartition>) arguments[0]);
            case "seek" -> {
                requests.seek(Map.of((TopicPartition) arguments[0], offset(arguments[1])));
                yield null;
            }
            case "toString" -> "the consumer of " + task + ", in the worker";
            case "hashCode" -> System.identityHashCode(proxy);
            case "equals" -> proxy == arguments[0];
            default -> throw new UnsupportedOperationException("Task " + task + " called " + method.getName()
                    + " of its consumer, which is in the worker: from here it has groupMetadata, assignment, committed and seek only");
        };
    }

    private Map<TopicPartition, OffsetAndMetadata> committed(Collection<TopicPartition> partitions) {
        ObjectNode request = Json.object();
        ArrayNode list = request.putArray("partitions");
        partitions.forEach(partition -> Partitions.add(list, partition));
        Map<TopicPartition, OffsetAndMetadata> committed = new HashMap<>();
        partitions.forEach(partition -> committed.put(partition, null));
        if (partitions.isEmpty()) {
            return committed;
        }
        for (JsonNode each : ask("COMMITTED", request, "the committed offsets")) {
            committed.put(Partitions.partition(each), new OffsetAndMetadata(each.path("offset").asLong()));
        }
        return committed;
    }

    /** As which member the task consumes now: what is committed with it is refused once the group has gone on without the task. */
    private ConsumerGroupMetadata groupMetadata() {
        JsonNode group = ask("GROUP", Json.object(), "the place in the group");
        return new ConsumerGroupMetadata(Json.text(group, "group"), group.path("generation").asInt(), Json.text(group, "member"),
                Optional.ofNullable(group.path("instance").textValue()));
    }

    private JsonNode ask(String call, ObjectNode request, String what) {
        try {
            return worker.call(call, request.put("task", task)).get();
        } catch (InterruptedException error) {
            throw new InterruptException(error);
        } catch (ExecutionException error) {
            throw new KafkaException("The worker did not give " + what + " of task " + task, error);
        }
    }

    private static long offset(Object offset) {
        return offset instanceof OffsetAndMetadata withMetadata ? withMetadata.offset() : (Long) offset;
    }
}
