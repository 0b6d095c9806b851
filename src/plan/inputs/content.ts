/** What a deployment is made from, as one fingerprint: two that agree on it deploy the same thing. */
import { join } from 'node:path';
import type { Config } from '../../config.ts';
import { platformFolder } from '../../environment/platform-folder.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf, folderDigest } from '../digest.ts';

/** Folders of the checkout whose content decides what is deployed, whichever platform that is. */
const FOLDERS = ['helm', 'src/catalog', 'src/plan'];

/**
 * Of the environment everything but what differs from one machine to the next, such as the way to the cluster.
 * @returns 16 hex characters
 */
export async function contentDigest(environment: Environment, config: Pick<Config, 'repoRoot'>): Promise<string> {
  const {
    cluster: _cluster,
    engine: _engine,
    deployer: _deployer,
    description: _description,
    $schema: _schema,
    vault,
    ...rest
  } = environment;
  const own = platformFolder(environment, config);
  const { keys: _keys, ...vaultItself } = vault;
  return digestOf([
    await Promise.all([
      ...FOLDERS.map((folder) => folderDigest(join(config.repoRoot, folder))),
      ...(own === undefined ? [] : [folderDigest(own)]),
    ]),
    rest,
    vaultItself,
  ]);
}

/**
 * How a worker in the cluster calls itself: `content:<digest>:<user>@<host>/<pid>#<tag>`. Only the end is read by those
 * who look for a process.
 */
export function identityWithContent(digest: string, identity: string): string {
  return `content:${digest}:${identity}`;
}

/**
 * @returns undefined for a worker that does not say: one on somebody's machine, which reads its files anew each time
 */
export function contentOfIdentity(identity: string): string | undefined {
  return /^content:([0-9a-f]{16}):/.exec(identity)?.[1];
}
