/**
 * What a deployment is made from, as one fingerprint: two that agree on it deploy the same thing. Over the inputs
 * themselves, not over source code: how something is drawn makes no difference, how a Secret is named does.
 */
import type { Catalog } from '../../catalog/schema.ts';
import type { Environment } from '../../environment/schema.ts';
import { digestOf } from '../digest.ts';
import { vaultDigest } from '../vault/digest.ts';
import { digestsOf, type PlatformInputs } from './platform-inputs.ts';

/**
 * Over chart and values of every release, what Vault holds and which Secrets are made from it, the catalog, and of the
 * environment everything but what differs from one machine to the next, such as the way to the cluster.
 * @returns 16 hex characters
 */
export async function contentDigest(
  catalog: Catalog,
  environment: Environment,
  inputs: PlatformInputs,
): Promise<string> {
  const {
    cluster: _cluster,
    engine: _engine,
    deployer: _deployer,
    description: _description,
    $schema: _schema,
    vault,
    ...rest
  } = environment;
  const { keys: _keys, ...vaultItself } = vault;
  const releases = digestsOf(await inputs({}));
  return digestOf([Object.fromEntries(releases), vaultDigest(catalog), catalog, rest, vaultItself]);
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
