/** An act in a container of the server that keeps the secret. Values go in by standard input and come out nowhere. */
import type { Clients } from '../../clients/index.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import { findService } from '../../plan/releases.ts';
import { type Rotatable, secretText } from '../../plan/rotation/rotatable.ts';
import {
  type RotationNames,
  type RotationValues,
  scriptOf,
  type ServerAct,
  VERDICTS,
} from '../../plan/rotation/scripts/index.ts';
import { isSimulated } from '../observe/simulated.ts';
import { readPods, readWorkloads, readyPods } from '../observe/workloads.ts';

/**
 * @returns `simulated` where its pods are simulated, and nothing is in them that could be changed
 * @throws DeployError CheckFailed for what trying again does not change; Unreachable while the server is not ready
 */
export async function askServer(
  { kubernetes, catalog, redactor }: Pick<Clients, 'kubernetes' | 'catalog' | 'redactor'>,
  secret: Rotatable,
  act: ServerAct,
  names: RotationNames,
  values: RotationValues,
  signal: AbortSignal,
): Promise<'done' | 'simulated'> {
  redactor.learn(values.admin, values.former, values.next);
  const { rotation } = secret;
  const { namespace, name, ports } = findService(catalog, rotation.server);
  const release = { namespace, name };
  const pods = await readPods(kubernetes, release, await readWorkloads(kubernetes, release, signal), signal);
  const [pod] = readyPods(pods, ports[0]?.containerPort);
  if (pod === undefined)
    throw new DeployError(FAILURES.unreachable, `${secretText(secret)}: its server ${name} has no ready pod`);
  if (await isSimulated(kubernetes, pod, signal)) return 'simulated';
  const { command, reads } = scriptOf(rotation, act, names);
  const { exitCode, stderr, stdout } = await kubernetes.exec(
    { namespace, pod: pod.metadata.name },
    undefined,
    command,
    signal,
    reads.map((value) => `${values[value]}\n`).join(''),
  );
  if (exitCode === 0) return 'done';
  const said = redactor.redactForeign((stderr.trim() === '' ? stdout : stderr).trim());
  const verdict = VERDICTS[exitCode];
  const what = `${secretText(secret)}, ${act} in pod ${namespace}/${pod.metadata.name}`;
  throw new DeployError(
    verdict === undefined ? FAILURES.probeFailed : FAILURES.checkFailed,
    `${what}: ${verdict ?? `the server's own client ended with ${exitCode}`}${said === '' ? '' : `: ${said}`}. Vault holds the former value and the next one until both are settled; "rotate" goes on from here.`,
  );
}
