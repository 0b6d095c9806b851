import { acquireTools } from '../../../bootstrap/tools/index.ts';
import { MANIFEST } from '../../../bootstrap/tools/manifest/manifest.ts';
import { readConfig } from '../../../src/config.ts';
import { IMAGES } from '../../../src/catalog/images.ts';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { debian } from '../debian.ts';
import { goModule, goPrograms } from '../go-programs.ts';
import { files, tree, users } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

const SERVER = 'go.temporal.io/server';
const UI = 'github.com/temporalio/ui-server/v2';
const temporalUser = files('user temporal', users({ name: 'temporal', uid: 1000, gid: 1000, home: '/home/temporal' }));

// One layer: the tool is made of packages that the server has compiled already.
const programs = goPrograms(
  'Temporal server and schema tool',
  goModule('temporal'),
  [
    { path: '/usr/local/bin/temporal-server', package: `${SERVER}/cmd/server` },
    { path: '/usr/local/bin/temporal-sql-tool', package: `${SERVER}/cmd/tools/sql` },
  ],
  { '/etc/temporal/schema': { module: SERVER, folder: 'schema' } },
);

/** The server writes its configuration from these variables by itself; the script is the publisher's. */
export const temporal: ImageRecipe = {
  name: 'temporal',
  references: [referenceOf(IMAGES.temporal)],
  layers: [
    ...debian(),
    programs,
    temporalUser,
    files('Temporal image', [
      {
        path: '/etc/temporal/entrypoint.sh',
        mode: 0o755,
        content: `#!/bin/sh
set -eu
: "\${BIND_ON_IP:=$(getent hosts "$(hostname)" | awk '{print $1;}')}"
export BIND_ON_IP
if [ "\${BIND_ON_IP}" = "0.0.0.0" ] || [ "\${BIND_ON_IP}" = "::0" ]; then
  : "\${TEMPORAL_BROADCAST_ADDRESS:=$(getent hosts "$(hostname)" | awk '{print $1;}')}"
  export TEMPORAL_BROADCAST_ADDRESS
fi
exec temporal-server start
`,
      },
    ]),
  ],
  cmd: ['/etc/temporal/entrypoint.sh'],
  workdir: '/etc/temporal',
  user: '1000:1000',
  ports: [7233],
};

/** The CLI is the one that the embedded environment brings. */
const cli = tree({
  title: 'Temporal CLI',
  key: MANIFEST.temporal.version,
  async make(folder, _work, context) {
    const config = readConfig();
    const { path } = await acquireTools({
      names: ['temporal'],
      cacheDir: config.cacheDir,
      mirror: config.toolsMirror,
      env: config.childEnv,
    }).get('temporal');
    await mkdir(join(folder, 'usr/local/bin'), { recursive: true });
    await context.run('cp', ['--no-preserve=ownership', path, join(folder, 'usr/local/bin/temporal')]);
  },
});

export const temporalAdminTools: ImageRecipe = {
  name: 'temporal-admin-tools',
  references: [referenceOf(IMAGES.temporalAdminTools)],
  layers: [...debian(), programs, temporalUser, cli],
  cmd: ['sh', '-c', 'trap exit INT HUP TERM; sleep infinity & wait'],
  user: '1000:1000',
};

export const temporalUi: ImageRecipe = {
  name: 'temporal-ui',
  references: [referenceOf(IMAGES.temporalUi)],
  layers: [
    ...debian(),
    goPrograms(
      'Temporal UI',
      goModule('temporal-ui'),
      [{ path: '/home/ui-server/ui-server', package: `${UI}/cmd/server` }],
      { '/home/ui-server/config': { module: UI, folder: 'config' } },
    ),
    temporalUser,
    files('Temporal UI image', [
      {
        path: '/home/ui-server/start-ui-server.sh',
        mode: 0o755,
        content: '#!/bin/sh\nexec ./ui-server --env docker start\n',
      },
    ]),
  ],
  entrypoint: ['./start-ui-server.sh'],
  workdir: '/home/ui-server',
  user: '1000:1000',
  ports: [8080],
};
