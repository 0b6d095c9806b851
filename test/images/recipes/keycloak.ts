import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGES } from '../../../src/catalog/images.ts';
import { digestOfFile } from '../archive.ts';
import { debian } from '../debian.ts';
import { goModule, goPrograms } from '../go-programs.ts';
import { tree } from '../layers.ts';
import { mavenArtifacts } from '../maven.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

const VERSION = IMAGES.keycloak.tag;
/** Of the distribution in the Maven repository; a newer version needs its own. */
const SHA256 = 'sha256:38beab474f1d69dcbe537c9cc81d1fe49aa28d4e3b9dd99308d17910e218d734';

export const keycloakDistribution = tree({
  title: `Keycloak ${VERSION}`,
  key: `${VERSION} ${SHA256}`,
  async make(folder, work, context) {
    const download = join(work, 'download');
    await mavenArtifacts([`org.keycloak:keycloak-quarkus-dist:${VERSION}:tar.gz`], download, work, context);
    const [name = ''] = await readdir(download);
    const { digest } = await digestOfFile(join(download, name));
    if (digest !== SHA256) throw new Error(`${name} is ${digest}, not ${SHA256}`);
    const home = join(folder, 'opt/keycloak');
    await mkdir(home, { recursive: true });
    await context.run('tar', [
      '--extract',
      '--gzip',
      '--file',
      join(download, name),
      '--directory',
      home,
      '--strip-components=1',
    ]);
    // At its first start it compiles its configuration into lib.
    await context.run('chown', ['-R', '1000:0', home]);
    await context.run('chmod', ['-R', 'g+rwX', home]);
  },
});

/** The publisher's distribution on Debian's Java 17, in place of 21. */
export const keycloak: ImageRecipe = {
  name: 'keycloak',
  references: [referenceOf(IMAGES.keycloak)],
  layers: [...debian('openjdk-17-jre-headless'), keycloakDistribution],
  entrypoint: ['/opt/keycloak/bin/kc.sh'],
  env: { LANG: 'en_US.UTF-8', KC_RUN_IN_CONTAINER: 'true' },
  user: '1000',
  ports: [8080, 8443, 9000],
};

/** A stand-in: the program that its image is made of is in no package registry. See go/programs/keycloak-config. */
export const keycloakConfigCli: ImageRecipe = {
  name: 'keycloak-config-cli',
  references: [referenceOf(IMAGES.keycloakConfigCli)],
  layers: [
    ...debian(),
    goPrograms('stand-in for keycloak-config-cli', goModule('programs'), [
      { path: '/usr/local/bin/keycloak-config', package: './keycloak-config' },
    ]),
  ],
  entrypoint: ['/usr/local/bin/keycloak-config'],
  user: '65534',
};
