package org.volley.host.wire;

import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A bounded queue between a plug-in's thread and one of the host. Waiting in it is not ended by an interrupt, which stays pending for
 * the plug-in: it may interrupt its own thread at any time, and that must neither lose a frame nor close a connection.
 */
public final class Handover<T> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<T> queue = new ArrayDeque<>();
    private final int capacity;
    private boolean closed;

    public Handover(int capacity) {
        this.capacity = capacity;
    }

    /** Waits for room. Answers whether it was taken: false once closed. */
    public boolean put(T item) {
        lock.lock();
        try {
            while (queue.size() >= capacity && !closed) {
                changed.awaitUninterruptibly();
            }
            return add(item);
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #put}, but passes the item over where there is no room. */
    boolean offer(T item) {
        lock.lock();
        try {
            return queue.size() < capacity && add(item);
        } finally {
            lock.unlock();
        }
    }

    /** Waits for an item. Null once closed and empty. */
    public T take() {
        lock.lock();
        try {
            while (queue.isEmpty() && !closed) {
                changed.awaitUninterruptibly();
            }
            T item = queue.poll();
            changed.signalAll();
            return item;
        } finally {
            lock.unlock();
        }
    }

    public void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private boolean add(T item) {
        if (closed) {
            return false;
        }
        queue.add(item);
        changed.signalAll();
        return true;
    }
}
