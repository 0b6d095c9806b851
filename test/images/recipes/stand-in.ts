/** Images of the stand-in, under the name of every service whose own image cannot be had. */
import { globSync, readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadCatalog } from '../../../src/catalog/index.ts';
import { debian } from '../debian.ts';
import { digestOf, files, tree } from '../layers.ts';
import { referenceOf } from '../reference.ts';
import { bundleStandIn } from '../standin/bundle.ts';
import { FAULTS } from '../standin/fault.ts';
import { PROGRAM_PATHS, THIRD_PARTY_REPOSITORIES } from '../standin/profiles.ts';
import type { ImageRecipe, Layer } from '../types.ts';

const LAUNCHER = '/standin/start';
/** Prefix of the platform's own images in the environments of the tests. */
export const OWN_PREFIX = 'registry.ananta.example/platform';
/** Tags of the platform's own images beside the catalog's: one to upgrade to. */
export const NEXT_TAG = '1.1.0';

/** @param prefix of the platform's own images, as environments have it */
export function standIns(prefix = OWN_PREFIX): ImageRecipe[] {
  const layers = [
    ...debian('libstdc++6', 'openssl'),
    node(),
    program(),
    files('Stand-in', [
      { path: '/standin/pages', folder: true, mode: 0o777 },
      // Little memory each: there are some thirty of them.
      {
        path: LAUNCHER,
        mode: 0o755,
        content:
          '#!/bin/sh\n[ "$0" = /standin/start ] || set -- "$0" "$@"\nexec /usr/local/bin/node --max-semi-space-size=1 --max-old-space-size=96 /standin/main.mjs "$@"\n',
      },
      ...PROGRAM_PATHS.map((path) => ({ path, linkTo: LAUNCHER })),
    ]),
  ];
  const played = loadCatalog().services.filter(
    ({ image }) => image.own || THIRD_PARTY_REPOSITORIES.includes(image.repository),
  );
  const images = new Map(played.map(({ image }) => [image.repository, image]));
  return [...images.values()].flatMap((image) => {
    const reference = referenceOf(image, prefix);
    const repository = reference.slice(0, reference.lastIndexOf(':'));
    const recipe = (name: string, references: string[], env: Record<string, string> = {}): ImageRecipe => ({
      name,
      references,
      layers,
      entrypoint: [LAUNCHER],
      user: '10001:10001',
      env: { STANDIN_IMAGE: repository, ...env },
    });
    const next = image.own ? [`${repository}:${NEXT_TAG}`] : [];
    return [
      recipe(image.repository, [reference, ...next]),
      ...(image.own
        ? FAULTS.map((fault) =>
            recipe(`${image.repository}-${fault}`, [`${repository}:${fault}`], { STANDIN_FAULT: fault }),
          )
        : []),
    ];
  });
}

/** The Node that the repository brings along. */
function node(): Layer {
  const require = createRequire(import.meta.url);
  const { version } = require(`node-linux-${process.arch}/package.json`) as { version: string };
  return tree({
    title: `Node ${version}`,
    key: `${version} ${process.arch}`,
    async make(folder) {
      const to = join(folder, 'usr/local/bin');
      await mkdir(to, { recursive: true });
      await copyFile(require.resolve(`node-linux-${process.arch}/bin/node`), join(to, 'node'));
      await chmod(join(to, 'node'), 0o755);
    },
  });
}

function program(): Layer {
  const root = join(import.meta.dirname, '../../..');
  const sources = globSync(
    ['test/images/standin/**/*.ts', 'src/catalog/*.ts', 'src/contract/*.ts', 'package-lock.json'],
    { cwd: root },
  )
    .filter((path) => !path.endsWith('.test.ts'))
    .sort();
  return tree({
    title: 'Stand-in',
    key: digestOf(...sources.flatMap((path) => [path, readFileSync(join(root, path), 'utf8')])),
    async make(folder) {
      await mkdir(join(folder, 'standin'));
      await writeFile(join(folder, 'standin/main.mjs'), await bundleStandIn());
    },
  });
}
