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

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Endpoint endpoint = Endpoint.ofEnvironment();
        Control control = new Control(endpoint);
        CallBacks worker = new CallBacks(endpoint);
        Logs.sendTo(worker);
        Beat.start(worker);
        control.serve(new Host(endpoint, worker));
        new CountDownLatch(1).await();
    }
}
