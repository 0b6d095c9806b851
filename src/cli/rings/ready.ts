/** Everything that an environment needs before its ring deploys it: checked before anything is started anywhere. */
import type { Client } from '@temporalio/client';
import { closeTemporal, type DeploymentHandle } from '../../clients/temporal/index.ts';
import type { DeployInput } from '../../contract/operations/deploy.ts';
import type { RingTarget } from '../../contract/operations/rings.ts';
import { type Connections, encryptionOf } from '../../environment/connections.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { RingsFile } from '../../environment/rings.ts';
import type { Environment } from '../../environment/schema.ts';
import { asksWhoAsks, identifyRequester } from '../approvals/identify.ts';
import { bind } from '../deploy/binding.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { checkInputs, preflight } from '../deploy/preflight.ts';
import { chartsAndPlatform, requireDeployable, requireRendered } from '../deploy/ready.ts';
import type { Session } from '../deploy/session.ts';
import { withOverrideProof } from '../freeze/attest.ts';
import { type ApprovedPlan, checkApprovedPlan } from '../plan/approved.ts';
import { createProgressRenderer } from '../render/renderers.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import type { RingsOptions } from './options.ts';

export interface ReadyTarget {
  target: RingTarget;
  client: Client;
  /** Proves who starts the rings, where a gate of the environment asks for it. */
  identify: (client: Client, run: DeploymentHandle) => Promise<void>;
}

/** The plan that somebody was shown, and the command that makes a new one. */
export interface KeptPlan {
  plan: ApprovedPlan;
  again: string;
}

/** @throws CliError (refused) with what stands against it */
export async function makeReady(
  context: CliContext,
  name: string,
  {
    image = {},
    confirm = [],
    kept,
    overrideFreeze,
  }: Pick<RingsOptions, 'image' | 'confirm' | 'overrideFreeze'> & { kept?: KeptPlan },
  interrupted: AbortSignal,
): Promise<ReadyTarget> {
  const prepared = await preflight(context, name, image);
  await checkInputs(prepared, image, context);
  const renderer = createProgressRenderer(context.terminal, name);
  const session = { context, environment: prepared.environment, json: false, renderer, interrupted };
  const ready = await chartsAndPlatform(session, prepared);
  try {
    await requireDeployable(session, prepared, ready);
    await requireRendered(session, prepared, ready, image);
    if (kept) await checkApprovedPlan(session, prepared, ready.connections, kept.plan, ready.clusterUid, kept.again);
    const confirmation = await confirmationOf(session, ready.cluster, {
      operation: 'deploy',
      confirm: confirm.includes(name) ? name : undefined,
    });
    await bind(session, ready);
    const { clusterUid } = ready;
    const override =
      overrideFreeze === undefined
        ? {}
        : await provedOverride(session, ready.connections, {
            ...{ environment: name, clusterUid, imageTags: image, freezeOverride: overrideFreeze },
            ...(kept ? { expectedDigest: kept.plan.digest } : {}),
          });
    const identifies = asksWhoAsks(prepared.environment, 'deploy');
    const target: RingTarget = {
      environment: name,
      clusterUid,
      ...(confirmation ? { confirmation } : {}),
      ...(kept ? { expectedDigest: kept.plan.digest } : {}),
      ...override,
      ...(identifies ? { identifies } : {}),
    };
    return {
      target,
      client: ready.client,
      identify: (client, run) => identifyRequester(session, client, ready.connections, run, 'deploy', true),
    };
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
}

/** Made for the deployment that the workflow of the rings starts: the proof counts for just this input. */
async function provedOverride(
  session: Session,
  connections: Connections,
  input: Pick<DeployInput, 'environment' | 'clusterUid' | 'imageTags' | 'expectedDigest'> & { freezeOverride: string },
): Promise<Pick<RingTarget, 'freezeOverride' | 'freezeAttestation'>> {
  const { freezeOverride, freezeAttestation } = await withOverrideProof(session, connections, 'deploy', input);
  return { freezeOverride, ...(freezeAttestation === undefined ? {} : { freezeAttestation }) };
}

/**
 * One workflow starts the deployments of all, hands each its input, and reads its result: so they share an engine, and
 * their workers have the same keys, or none of them has any.
 * @throws CliError (refused)
 */
export async function requireTogether({ config }: CliContext, name: string, { rings }: RingsFile): Promise<void> {
  const environments: Environment[] = [];
  for (const each of rings.flatMap((ring) => ring.environments)) environments.push(await loadEnvironment(each, config));
  requireSame(
    environments,
    engineWords,
    `Environments in rings/${name}.yaml have different engines, and one workflow deploys them all`,
    'Let them share one: engine.address and engine.namespace of their files',
  );
  requireSame(
    environments,
    (environment) => keysWords(encryptionOf(environment, config)),
    `Environments in rings/${name}.yaml encrypt their histories with different keys, and one workflow deploys them all`,
    'Let them share their keys: the same encryption.keysFile or encryption.keysCommand in their files',
  );
}

function requireSame(
  environments: readonly Environment[],
  wordsOf: (environment: Environment) => string,
  problem: string,
  next: string,
): void {
  const found = environments.map((environment) => ({ name: environment.name, words: wordsOf(environment) }));
  if (new Set(found.map(({ words }) => words)).size === 1) return;
  throw refused(`${problem}:\n${found.map(({ name, words }) => `  ${name}: ${words}`).join('\n')}`, next);
}

function engineWords({ name, engine }: Environment): string {
  return 'address' in engine ? `${engine.address} ${engine.namespace}` : `its own (${name})`;
}

function keysWords(encryption: ReturnType<typeof encryptionOf>): string {
  return encryption === undefined ? 'plain' : (encryption.keysCommand?.join(' ') ?? encryption.keysFile);
}
