/** One check of the verification stage: made again and again until it passes or its time is over. */
import { z } from 'zod';
import type { Check, Service } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { checkKey } from '../../contract/checks.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { Environment } from '../../environment/schema.ts';
import type { Judgement } from '../../plan/checks/expectations.ts';
import { findCheck } from '../../plan/checks/planned.ts';
import { secretVariables } from '../../plan/checks/secrets.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { createDeadline, type Deadline } from '../wait/deadline.ts';
import { askOnce } from './ask.ts';
import { runCheckJob } from './job.ts';
import { registerJobSecrets } from './secrets.ts';

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5000;
const beatSchema = z.object({ spentSeconds: z.number() });

export type Checking = Pick<Clients, 'catalog' | 'config' | 'kubernetes' | 'vault' | 'redactor'>;

/** @throws DeployError CheckFailed with what came back last; PlanOutdated where the catalog has another check by now */
export async function runCheck(
  clients: Clients,
  { run, check: planned }: InputOf<'runCheck'>,
  scope: EffectScope,
): OutputOf<'runCheck'> {
  const found = findCheck(clients.catalog, planned);
  const key = checkKey(planned);
  if (found === undefined)
    throw new DeployError(
      FAILURES.planOutdated,
      `The plan has a check ${key} (${planned.digest}) that this worker's catalog does not have. Start the worker with the checkout that the plan was made from, then deploy again.`,
    );
  const environment = await currentEnvironment(clients);
  const earlier = beatSchema.safeParse(scope.lastDetail);
  const deadline = createDeadline({
    limitSeconds: planned.timeoutSeconds,
    spentSeconds: earlier.success ? earlier.data.spentSeconds : 0,
    signal: scope.signal,
  });
  let status = '';
  scope.doing(() => ({ spentSeconds: deadline.spent(), release: key, status }));
  await clients.kubernetes.watches.synced(scope.signal);
  const { ok, text } = await makeCheck(
    clients,
    environment,
    { ...found, imageTags: run.imageTags, run: run.runId, timeoutSeconds: planned.timeoutSeconds },
    {
      deadline,
      signal: scope.signal,
      onStatus: (said) => {
        status = clients.redactor.redactForeign(said);
      },
    },
  );
  const seconds = Math.round(deadline.spent() * 1000) / 1000;
  const clean = clients.redactor.redactForeign(text);
  if (!ok)
    throw new DeployError(FAILURES.checkFailed, `Check ${key} has failed after ${Math.round(seconds)} s: ${clean}`);
  return { text: clean, seconds };
}

export interface CheckRequest {
  service: Service;
  check: Check;
  imageTags: Readonly<Record<string, string>>;
  run: string;
  timeoutSeconds: number;
  /** What asks a server is not tried again. */
  once?: true;
}

export interface CheckWait {
  deadline: Deadline;
  signal: AbortSignal;
  onStatus: (text: string) => void;
}

/** The watches have to be synced. Its text is not redacted. */
export async function makeCheck(
  clients: Checking,
  environment: Environment,
  { service, check, once, ...request }: CheckRequest,
  wait: CheckWait,
): Promise<Judgement> {
  if (check.kind === 'job') {
    const secrets = secretVariables(clients.catalog, service, check);
    const missing = await registerJobSecrets(clients, service.namespace, secrets, wait.signal);
    if (missing !== undefined) return { ok: false, text: missing };
    return runCheckJob(clients.kubernetes, { ...request, environment, service, check, secrets }, wait);
  }
  let pause = FIRST_PAUSE;
  for (;;) {
    const judged = await askOnce(clients, environment, service, check, wait.signal);
    if (judged.ok || once === true || wait.deadline.isOver()) return judged;
    wait.onStatus(judged.text);
    await wait.deadline.pause(pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}
