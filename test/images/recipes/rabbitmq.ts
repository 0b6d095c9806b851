import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { files, users } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe } from '../types.ts';

/** Debian's RabbitMQ, 3.10 in place of 4.0; the server itself reads RABBITMQ_DEFAULT_USER and its like. */
export const rabbitmq: ImageRecipe = {
  name: 'rabbitmq',
  references: [referenceOf(IMAGES.rabbitmq)],
  layers: [
    ...debian('rabbitmq-server'),
    files('RabbitMQ image', [
      ...users({ name: 'rabbitmq', uid: 999, gid: 999, home: '/var/lib/rabbitmq' }),
      { path: '/var/lib/rabbitmq', folder: true, mode: 0o1777, uid: 999, gid: 999 },
      { path: '/var/log/rabbitmq', folder: true, mode: 0o1777, uid: 999, gid: 999 },
      { path: '/etc/rabbitmq/conf.d', folder: true, mode: 0o777, uid: 999, gid: 999 },
      { path: '/etc/rabbitmq/enabled_plugins', content: '[rabbitmq_management,rabbitmq_prometheus].\n' },
      {
        path: '/usr/local/bin/docker-entrypoint.sh',
        mode: 0o755,
        content: `#!/bin/sh
# As the publisher's: root gives way to rabbitmq for the broker's own programs.
set -e
case "$1" in rabbitmq*)
  if [ "$(id -u)" = 0 ]; then
    [ "$1" != rabbitmq-server ] || chown -R rabbitmq /var/lib/rabbitmq
    exec setpriv --reuid rabbitmq --regid rabbitmq --clear-groups "$0" "$@"
  fi ;;
esac
exec "$@"
`,
      },
    ]),
  ],
  // The programs themselves: Debian's wrappers want to be root.
  env: {
    PATH: '/usr/lib/rabbitmq/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    LANG: 'C.UTF-8',
    HOME: '/var/lib/rabbitmq',
    RABBITMQ_DATA_DIR: '/var/lib/rabbitmq',
    RABBITMQ_LOGS: '-',
  },
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['rabbitmq-server'],
  ports: [4369, 5671, 5672, 15672, 25672],
};
