/** Which range a real node uses: the environment's, else the one it had before, else a free one. */
import { readFile } from 'node:fs/promises';
import { AnantaError } from '../../src/contract/errors.ts';
import { EXIT_CODES, FAILURES } from '../../src/contract/failures.ts';
import type { RealNode } from '../../src/environment/real-node.ts';
import type { NodeLayout } from './layout.ts';
import { type NodeNetwork, chooseSubnet, nodeNetwork, overlaps, parseRange, parseRoutes } from './network.ts';
import { readNodeRecord, writeNodeRecord } from './record.ts';

export class SubnetTakenError extends AnantaError {
  override name = 'SubnetTakenError';
  override readonly type = FAILURES.invalidInput;
  override readonly exitCode = EXIT_CODES.refused;
}

/** @throws SubnetTakenError where the machine has a way to the wanted range already */
export async function allocateNetwork(layout: NodeLayout, { subnet }: Pick<RealNode, 'subnet'>): Promise<NodeNetwork> {
  const record = await readNodeRecord(layout);
  if (record !== undefined && (subnet === undefined || nodeNetwork(subnet).subnet === record.subnet))
    return nodeNetwork(record.subnet);
  const routes = parseRoutes(await readFile('/proc/net/route', 'utf8'));
  const chosen = nodeNetwork(subnet ?? chooseSubnet(layout.root, routes));
  const taken = routes.find((route) => overlaps(parseRange(route), parseRange(chosen.subnet)));
  if (taken !== undefined)
    throw new SubnetTakenError(
      `This machine uses addresses of ${chosen.subnet} already (it has a route to ${taken}): name another range as cluster.embedded.realNode.subnet`,
    );
  await writeNodeRecord(layout, { folders: [], settings: {}, ...record, subnet: chosen.subnet });
  return chosen;
}

/** @returns undefined where no node was ever set up */
export async function allocatedNetwork(layout: NodeLayout): Promise<NodeNetwork | undefined> {
  const record = await readNodeRecord(layout);
  return record === undefined ? undefined : nodeNetwork(record.subnet);
}
