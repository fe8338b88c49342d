package org.volley.host;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import org.volley.host.wire.CallBacks;
import org.volley.host.wire.Control;
import org.volley.host.wire.Endpoint;

/** Runs Java plug-ins for a Volley worker, which starts this program: PROTOCOL.md. */
public final class Main {
    private Main() {
    }

    /**
     * The command line of Kafka Connect's own worker: there Iceberg's sink looks for the worker's file, of which it takes what its Kafka
     * clients need.
     */
    private static void lookLikeAWorker() {
        String file = System.getProperty("volley.worker.file");
        if (file != null) {
            System.setProperty("sun.java.command", "org.apache.kafka.connect.cli.ConnectDistributed " + file);
        }
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        lookLikeAWorker();
        Endpoint endpoint = Endpoint.ofEnvironment();
        Control control = new Control(endpoint);
        CallBacks worker = new CallBacks(endpoint);
        Logs.sendTo(worker);
        Beat.start(worker);
        control.serve(new Host(endpoint, worker));
        new CountDownLatch(1).await();
    }
}
