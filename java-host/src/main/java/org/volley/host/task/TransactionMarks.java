package org.volley.host.task;

import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.connect.source.SourceRecord;
import org.apache.kafka.connect.source.TransactionContext;

/** Where a source task that sets the boundaries of transactions itself wants them to end. */
final class TransactionMarks implements TransactionContext {
    /** How a transaction ends. */
    enum End {
        COMMIT("commit"),
        ABORT("abort");

        final String text;

        End(String text) {
            this.text = text;
        }
    }

    private final Set<SourceRecord> commits = new HashSet<>();
    private final Set<SourceRecord> aborts = new HashSet<>();
    private boolean commit;
    private boolean abort;

    @Override
    public synchronized void commitTransaction() {
        commit = true;
    }

    @Override
    public synchronized void commitTransaction(SourceRecord record) {
        commits.add(record);
    }

    @Override
    public synchronized void abortTransaction() {
        abort = true;
    }

    @Override
    public synchronized void abortTransaction(SourceRecord record) {
        aborts.add(record);
    }

    /** What is wanted behind this record; null for nothing. Asking takes the wish. */
    synchronized End behind(SourceRecord record) {
        return end(commits.remove(record), aborts.remove(record), "the same record");
    }

    /** What is wanted behind the poll; null for nothing. Asking takes the wish. */
    synchronized End behindPoll() {
        End end = end(commit, abort, "the same batch");
        commit = false;
        abort = false;
        return end;
    }

    private static End end(boolean commit, boolean abort, String behind) {
        if (commit && abort) {
            throw new IllegalStateException("The task asks to commit and to abort the transaction behind " + behind);
        }
        return abort ? End.ABORT : commit ? End.COMMIT : null;
    }
}
