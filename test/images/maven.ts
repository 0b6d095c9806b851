/** Artifacts of Maven repositories, through the machine's own client and its settings. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { requirePrograms } from './programs.ts';
import type { BuildContext } from './types.ts';

/**
 * Copies artifacts into a folder.
 * @param coordinates `group:artifact:version[:packaging[:classifier]]`
 * @param options.transitive with everything that they depend on at run time
 */
export async function mavenArtifacts(
  coordinates: readonly string[],
  folder: string,
  work: string,
  context: BuildContext,
  options: { transitive?: boolean } = {},
): Promise<void> {
  await requirePrograms({ mvn: 'maven', javac: 'default-jdk-headless' }, context);
  await mkdir(folder, { recursive: true });
  const project = join(work, 'maven');
  await mkdir(project, { recursive: true });
  await writeFile(join(project, 'pom.xml'), pom(coordinates));
  await context.run(
    'mvn',
    [
      '--batch-mode',
      '--quiet',
      'dependency:copy-dependencies',
      `-DoutputDirectory=${folder}`,
      '-DincludeScope=runtime',
      `-DexcludeTransitive=${options.transitive !== true}`,
    ],
    { cwd: project },
  );
}

function pom(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((one) => {
    const [group, artifact, version, packaging, classifier] = one.split(':');
    const optional = `${packaging === undefined ? '' : `<type>${packaging}</type>`}${classifier === undefined ? '' : `<classifier>${classifier}</classifier>`}`;
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${optional}</dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>ananta.test</groupId><artifactId>image</artifactId><version>1</version>
<dependencies>${dependencies.join('\n')}</dependencies></project>\n`;
}
