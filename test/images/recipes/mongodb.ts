import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { goModule, goPrograms } from '../go-programs.ts';
import { files, users } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

/**
 * FerretDB, which speaks MongoDB's protocol and keeps its data in SQLite. Logins are real; roles are not known, so that
 * every user may do everything. `mongosh` and the entrypoint are ours, see go/ferretdb/mongosh.
 */
export const mongodb: ImageRecipe = {
  name: 'mongodb',
  references: [referenceOf(IMAGES.mongodb)],
  layers: [
    ...debian(),
    goPrograms('FerretDB', goModule('ferretdb'), [
      // Its module holds no version, and the program ends without one.
      {
        path: '/usr/local/bin/ferretdb',
        package: 'github.com/FerretDB/FerretDB/cmd/ferretdb',
        overlay: { module: 'github.com/FerretDB/FerretDB', file: 'build/version/version.txt', text: 'v1.24.2\n' },
      },
      { path: '/usr/local/bin/mongosh', package: './mongosh' },
    ]),
    files('MongoDB image', [
      ...users({ name: 'mongodb', uid: 999, gid: 999, home: '/data/db' }),
      { path: '/data/db', folder: true, uid: 999, gid: 999 },
      { path: '/usr/local/bin/docker-entrypoint.sh', linkTo: 'mongosh' },
    ]),
  ],
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['mongod'],
  ports: [27017],
};
