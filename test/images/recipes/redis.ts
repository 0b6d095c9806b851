import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { files, users } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

/** Debian's Redis, 7.0 in place of 7.4; user and group as in the publisher's Alpine image. */
export const redis: ImageRecipe = {
  name: 'redis',
  references: [referenceOf(IMAGES.redis)],
  layers: [
    ...debian('redis-server', 'redis-tools'),
    files('Redis image', [
      ...users({ name: 'redis', uid: 999, gid: 1000, home: '/data' }),
      { path: '/data', folder: true, uid: 999, gid: 1000 },
      {
        path: '/usr/local/bin/docker-entrypoint.sh',
        mode: 0o755,
        content: `#!/bin/sh
# As the publisher's: options alone mean the server, and root gives way to redis.
set -e
case "\${1:-}" in -* | *.conf) set -- redis-server "$@" ;; esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
  chown -R redis:redis .
  exec setpriv --reuid redis --regid redis --clear-groups "$0" "$@"
fi
exec "$@"
`,
      },
    ]),
  ],
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['redis-server'],
  workdir: '/data',
  ports: [6379],
};
