import { IMAGES } from '../../../src/catalog/images.ts';
import { debian } from '../debian.ts';
import { goModule, goPrograms } from '../go-programs.ts';
import { files } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import type { ImageRecipe, Layer } from '../types.ts';

const STAMP = 'github.com/minio/minio/cmd';

/** The very commit of the image's tag; its client is five months older than the tag of the client's image. */
export const minioPrograms: Layer = goPrograms('MinIO', goModule('minio'), [
  {
    path: '/usr/bin/minio',
    package: 'github.com/minio/minio',
    variables: {
      [`${STAMP}.Version`]: '2025-09-07T16:13:09Z',
      [`${STAMP}.ReleaseTag`]: IMAGES.minio.tag,
      [`${STAMP}.CommitID`]: '07c3a429bfed433e49018cb0f78a52145d4bedeb',
    },
  },
  { path: '/usr/bin/mc', package: 'github.com/minio/mc' },
]);

export const minio: ImageRecipe = {
  name: 'minio',
  references: [referenceOf(IMAGES.minio)],
  layers: [
    ...debian(),
    minioPrograms,
    files('MinIO image', [
      {
        path: '/usr/bin/docker-entrypoint.sh',
        mode: 0o755,
        content: `#!/bin/sh
# As the publisher's: the program's name may be left out.
[ "\${1}" = minio ] || set -- minio "$@"
exec "$@"
`,
      },
    ]),
  ],
  entrypoint: ['/usr/bin/docker-entrypoint.sh'],
  cmd: ['minio'],
  ports: [9000],
};

export const minioClient: ImageRecipe = {
  name: 'mc',
  references: [referenceOf(IMAGES.minioClient)],
  layers: [...debian(), minioPrograms],
  entrypoint: ['mc'],
};
