package org.volley.host.wire;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.connect.errors.DataException;
import org.apache.kafka.connect.errors.RetriableException;

/** An exception as the worker is told of it. */
public final class Failure {
    private Failure() {
    }

    /** One of a sink task's calls, where Kafka takes Connect's own exception for retriable and not that of its clients. */
    public static ObjectNode ofSinkTask(Throwable error) {
        ObjectNode failure = of(error);
        return isRetriable(error) && !(error instanceof RetriableException) ? failure.put("kind", "fatal") : failure;
    }

    public static ObjectNode of(Throwable error) {
        ObjectNode failure = Json.object();
        failure.put("kind", kind(error));
        failure.put("class", error.getClass().getName());
        failure.put("message", error.getMessage());
        failure.put("trace", trace(error));
        return failure;
    }

    /** Whether Connect or Kafka says of it that the same may succeed later. */
    private static boolean isRetriable(Throwable error) {
        return error instanceof RetriableException
                || error instanceof org.apache.kafka.common.errors.RetriableException;
    }

    /** What `printStackTrace` writes, without the last line break. */
    public static String trace(Throwable error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace, true));
        return trace.toString().stripTrailing();
    }

    private static String kind(Throwable error) {
        if (isRetriable(error)) {
            return "retriable";
        }
        if (error instanceof DataException) {
            return "data";
        }
        return error instanceof ConfigException ? "config" : "fatal";
    }
}
