import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.util.Properties;

import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;
import org.apache.hadoop.hdfs.MiniDFSCluster.DataNodeProperties;
import org.apache.hadoop.hdfs.MiniDFSNNTopology;
import org.apache.hadoop.minikdc.MiniKdc;
import org.apache.hadoop.security.UserGroupInformation;

/**
 * An HDFS in one process on 127.0.0.1, for tests, with one data node. It takes free ports. Once it is ready, they are in
 * the file {@code ports} of DIRECTORY: the port for orders, and those of the name nodes. Each connection to the first sends a
 * line, an order, and gets a line, {@code OK} or what went wrong. What cannot start ends the process.
 *
 * <pre>
 *   java -cp "$HOME/.cache/volley/testbed/hdfs/*" tests/java/MiniHdfs.java DIRECTORY KIND
 * </pre>
 *
 * KIND is {@code plain}; or {@code ha}, with two name nodes, {@code nn1} and {@code nn2} of the name service
 * {@code volley}; or {@code kerberos}, with a KDC, whose {@code krb5.conf} is in DIRECTORY, as is the {@code client.keytab} of
 * {@code volley@EXAMPLE.COM}.
 */
public final class MiniHdfs {

    private static final String NAME_SERVICE = "volley";

    private MiniHdfs() {
    }

    public static void main(String[] arguments) {
        try {
            serve(new File(arguments[0]), arguments[1]);
        } catch (Exception | Error error) {
            error.printStackTrace();
            // Hadoop's own threads would keep the process
            Runtime.getRuntime().halt(1);
        }
    }

    private static void serve(File directory, String kind) throws Exception {
        Configuration configuration = configuration(directory);
        if (kind.equals("kerberos")) {
            secure(configuration, directory);
        }
        MiniDFSCluster.Builder builder =
            new MiniDFSCluster.Builder(configuration).numDataNodes(1).checkDataNodeHostConfig(false);
        if (kind.equals("ha")) {
            builder.nnTopology(new MiniDFSNNTopology().addNameservice(new MiniDFSNNTopology.NSConf(NAME_SERVICE)
                .addNN(new MiniDFSNNTopology.NNConf("nn1"))
                .addNN(new MiniDFSNNTopology.NNConf("nn2"))));
        }
        MiniDFSCluster cluster = builder.build();
        cluster.waitActive();
        if (kind.equals("ha")) {
            cluster.transitionToActive(0);
        }
        try (ServerSocket orders = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            StringBuilder ports = new StringBuilder().append(orders.getLocalPort());
            for (int node = 0; node < cluster.getNumNameNodes(); node++) {
                ports.append(' ').append(cluster.getNameNodePort(node));
            }
            File unfinished = new File(directory, "ports.new");
            Files.writeString(unfinished.toPath(), ports);
            Files.move(unfinished.toPath(), new File(directory, "ports").toPath());
            obey(cluster, orders);
        }
    }

    private static Configuration configuration(File directory) {
        Configuration configuration = new Configuration();
        configuration.set(MiniDFSCluster.HDFS_MINIDFS_BASEDIR, new File(directory, "dfs").getAbsolutePath());
        configuration.setInt("dfs.replication", 1);
        configuration.setInt("dfs.heartbeat.interval", 1);
        configuration.setInt("dfs.namenode.heartbeat.recheck-interval", 2000);
        configuration.setInt("dfs.namenode.handler.count", 4);
        configuration.set("dfs.namenode.datanode.registration.ip-hostname-check", "false");
        return configuration;
    }

    /** Starts a KDC, and asks everybody for its tickets. */
    private static void secure(Configuration configuration, File directory) throws Exception {
        Properties settings = MiniKdc.createConf();
        settings.setProperty("kdc.bind.address", "127.0.0.1");
        MiniKdc kdc = new MiniKdc(settings, new File(directory, "kdc"));
        kdc.start();
        Files.copy(kdc.getKrb5conf().toPath(), new File(directory, "krb5.conf").toPath());
        File keytab = new File(directory, "hdfs.keytab");
        kdc.createPrincipal(keytab, "hdfs/localhost", "HTTP/localhost");
        kdc.createPrincipal(new File(directory, "client.keytab"), "volley");
        configuration.set("hadoop.security.authentication", "kerberos");
        configuration.set("hadoop.security.authorization", "true");
        configuration.set("hadoop.rpc.protection", "authentication");
        configuration.set("dfs.data.transfer.protection", "authentication");
        for (String node : new String[] {"dfs.namenode", "dfs.datanode"}) {
            configuration.set(node + ".kerberos.principal", "hdfs/localhost@" + kdc.getRealm());
            configuration.set(node + ".keytab.file", keytab.getPath());
        }
        configuration.set("dfs.web.authentication.kerberos.principal", "HTTP/localhost@" + kdc.getRealm());
        configuration.set("dfs.block.access.token.enable", "true");
        configuration.set("ignore.secure.ports.for.testing", "true");
        configuration.set("dfs.permissions.enabled", "false");
        configuration.set("dfs.http.policy", "HTTP_ONLY");
        UserGroupInformation.setConfiguration(configuration);
    }

    private static void obey(MiniDFSCluster cluster, ServerSocket orders) throws Exception {
        DataNodeProperties stopped = null;
        while (true) {
            try (Socket socket = orders.accept()) {
                PrintStream answer = new PrintStream(socket.getOutputStream(), true);
                try {
                    String order = new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
                    switch (order == null ? "" : order) {
                        case "stop name node" -> cluster.shutdownNameNode(0);
                        case "start name node" -> cluster.restartNameNode(0, false);
                        case "stop data node" -> stopped = cluster.stopDataNode(0);
                        case "start data node" -> cluster.restartDataNode(stopped, true);
                        case "fail over" -> {
                            cluster.shutdownNameNode(0);
                            cluster.transitionToActive(1);
                        }
                        default -> throw new IllegalArgumentException("unknown order " + order);
                    }
                    answer.println("OK");
                } catch (Exception | Error error) {
                    answer.println(error);
                }
            }
        }
    }
}
