import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { files, tree } from '../layers.ts';
import { mavenArtifacts } from '../maven.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

const VERSION = IMAGES.flyway.tag;
const ARTIFACTS = [
  `org.flywaydb:flyway-core:${VERSION}`,
  `org.flywaydb:flyway-database-postgresql:${VERSION}`,
  'org.postgresql:postgresql:42.7.8',
];

/**
 * The command line that the publisher's image has, on Flyway's own engine: commands, `-key=value`, FLYWAY_… variables.
 */
const MAIN = `import java.util.*;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.MigrationInfo;
import org.flywaydb.core.api.output.MigrateResult;

public final class Main {
  public static void main(String[] args) {
    Map<String, String> settings = new HashMap<>();
    List<String> commands = new ArrayList<>();
    for (String arg : args) {
      int equals = arg.indexOf('=');
      if (!arg.startsWith("-")) commands.add(arg);
      else if (equals > 0) settings.put("flyway." + arg.substring(1, equals), arg.substring(equals + 1));
    }
    try {
      if (commands.isEmpty()) throw new FlywayException("no command");
      Flyway flyway = Flyway.configure().envVars().configuration(settings).load();
      for (String command : commands) run(flyway, command);
    } catch (FlywayException error) {
      System.err.println("ERROR: " + error.getMessage());
      System.exit(1);
    }
  }

  private static void run(Flyway flyway, String command) {
    switch (command) {
      case "migrate" -> {
        MigrateResult result = flyway.migrate();
        System.out.println("Successfully applied " + result.migrationsExecuted + " migrations, now at version v" + result.targetSchemaVersion);
      }
      case "validate" -> flyway.validate();
      case "baseline" -> flyway.baseline();
      case "repair" -> flyway.repair();
      case "clean" -> flyway.clean();
      case "info" -> {
        for (MigrationInfo one : flyway.info().all()) System.out.println(one.getVersion() + " " + one.getDescription() + " " + one.getState().getDisplayName());
      }
      default -> throw new FlywayException("unknown command " + command);
    }
  }
}
`;

const engine = tree({
  title: `Flyway ${VERSION}`,
  key: JSON.stringify([ARTIFACTS, MAIN]),
  async make(folder, work, context) {
    const lib = join(folder, 'flyway/lib');
    await mavenArtifacts(ARTIFACTS, lib, work, context, { transitive: true });
    const source = join(work, 'source');
    await mkdir(source);
    await writeFile(join(source, 'Main.java'), MAIN);
    await context.run('javac', [
      '--release',
      '17',
      '-cp',
      join(lib, '*'),
      '-d',
      join(folder, 'flyway/classes'),
      join(source, 'Main.java'),
    ]);
  },
});

/** Flyway's engine of the chart's version behind a small command line of ours, on Debian's Java. */
export const flyway: ImageRecipe = {
  name: 'flyway',
  references: [referenceOf(IMAGES.flyway)],
  layers: [
    ...debian('openjdk-17-jre-headless'),
    engine,
    files('Flyway image', [
      { path: '/flyway/sql', folder: true },
      {
        path: '/flyway/flyway',
        mode: 0o755,
        content:
          '#!/bin/sh\nexec java ${JAVA_ARGS:-} -XX:TieredStopAtLevel=1 -cp "/flyway/classes:/flyway/lib/*" Main "$@"\n',
      },
    ]),
  ],
  env: { PATH: '/flyway:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' },
  entrypoint: ['/flyway/flyway'],
  workdir: '/flyway',
};
