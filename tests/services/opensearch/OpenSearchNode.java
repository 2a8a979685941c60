// SPDX-License-Identifier: Apache-2.0
import static org.codelibs.opensearch.runner.OpenSearchRunner.newConfigs;

import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node, until it is killed: OpenSearchNode DIRECTORY HTTP_PORT TRANSPORT_PORT. */
public class OpenSearchNode {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
        }));
        runner.onBuild((number, settings) -> {
            settings.put("http.port", args[1]);
            settings.put("transport.port", args[2]);
            settings.put("discovery.type", "single-node");
            settings.putList("discovery.seed_providers");
            // A developer's full disk is no reason for read-only indices.
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
        }).build(newConfigs().basePath(args[0]).numOfNode(1).clusterName("streamd-tests")
                .disableESLogger());
        runner.ensureYellow();
        // All of its threads are daemons.
        Thread.currentThread().join();
    }
}
