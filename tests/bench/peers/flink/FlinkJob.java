// SPDX-License-Identifier: Apache-2.0
// FlinkJob SQL_FILE STATE_FOLDER NAME=VALUE…: runs a file of Flink SQL as one job in this process, each
// ${NAME} replaced. All its INSERTs together, so that they share what they read.
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

public class FlinkJob {
  public static void main(String[] arguments) throws Exception {
    String sql = Files.readString(Path.of(arguments[0])).replaceAll("(?m)^--.*$", "");
    for (int i = 2; i < arguments.length; ++i) {
      String[] pair = arguments[i].split("=", 2);
      sql = sql.replace("${" + pair[0] + "}", pair[1]);
    }
    TableEnvironment environment = TableEnvironment.create(EnvironmentSettings.newInstance()
        .inStreamingMode().withConfiguration(settings(arguments[1])).build());
    StatementSet inserts = environment.createStatementSet();
    for (String statement : sql.split(";")) {
      if (statement.isBlank()) continue;
      if (statement.strip().startsWith("INSERT")) inserts.addInsertSql(statement);
      else environment.executeSql(statement);
    }
    inserts.execute().await();
    System.exit(0); // Some threads of the connector would linger.
  }

  private static Configuration settings(String folder) {
    Configuration settings = new Configuration();
    settings.setString("parallelism.default", "2");
    settings.setString("table.local-time-zone", "UTC");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("state.backend.type", "hashmap");
    settings.setString("execution.checkpointing.interval", "1 s");
    settings.setString("execution.checkpointing.dir", "file://" + folder);
    // Memory that only RocksDB and batch jobs would use.
    settings.setString("taskmanager.memory.managed.size", "64m");
    settings.setString("taskmanager.memory.network.min", "128m");
    settings.setString("taskmanager.memory.network.max", "128m");
    settings.setString("taskmanager.numberOfTaskSlots", "2");
    return settings;
  }
}
