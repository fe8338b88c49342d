package org.volley.host.task;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** A task that was made, until it ends. */
public interface HostedTask {
    /** Opens its lanes, on which it is called from then on. */
    void open();

    /** What TASK_NEW answers. */
    ObjectNode description();

    /** Ends waits: retries, and reads of offsets. */
    void cancel();

    /** Closes what the task is made of, then its lanes. */
    void end();
}
