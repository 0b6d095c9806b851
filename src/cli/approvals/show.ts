/** `ananta approvals`: operations that wait at a gate, whose approval they need, and what they would do. */
import { EXIT_CODES } from '../../contract/failures.ts';
import type { LockHolder } from '../../contract/lock.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { isNoop } from '../../plan/progress.ts';
import { readView } from '../look/status.ts';
import { withHolder } from '../operations/holder.ts';
import { OPERATION_WORDS } from '../render/operation-words.ts';
import type { CliContext } from '../shared/context.ts';
import type { ExitCode } from '../shared/failure.ts';
import { commandLine, duration } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { describeDeployment } from '../../clients/temporal/index.ts';

export interface ApprovalsOptions {
  env: string;
  json?: true;
}

export function showApprovals(context: CliContext, { env, json }: ApprovalsOptions): Promise<ExitCode> {
  return withHolder(context, env, async ({ client, holder }) => {
    const { stdout } = context.terminal;
    const run = holder && (await describeDeployment(client, holder));
    const plan = run && (await readView(client, run)).view.progress.plan;
    if (json) printLines(stdout, [JSON.stringify(approvalsJson(env, holder, plan))]);
    else printLines(stdout, approvalsLines(env, holder, plan, Date.now()));
    return EXIT_CODES.done;
  });
}

function changesOf(plan: OperationPlan | undefined): { service: string; action: string; reason: string }[] {
  return (plan?.services ?? [])
    .filter(({ action }) => !isNoop(action))
    .map(({ name, action, reason }) => ({ service: name, action, reason }));
}

function approvalsJson(
  env: string,
  holder: LockHolder | undefined,
  plan: OperationPlan | undefined,
): Record<string, unknown> {
  const { gate, since, until } = holder?.waits ?? {};
  if (holder === undefined || gate === undefined) return { environment: env, waits: null };
  const { workflowId, runId, operation, requestedBy } = holder;
  return {
    environment: env,
    waits: { workflowId, runId, operation, requestedBy, since, until, ...gate, changes: changesOf(plan) },
  };
}

/** @param now milliseconds since the epoch */
export function approvalsLines(
  env: string,
  holder: LockHolder | undefined,
  plan: OperationPlan | undefined,
  now: number,
): string[] {
  const { gate, until = '' } = holder?.waits ?? {};
  if (holder === undefined || gate === undefined) return [`Nothing waits at a gate on ${env}.`];
  const { operation, requestedBy } = holder;
  const missing = gate.count - gate.given.length;
  const changes = changesOf(plan);
  return [
    `${OPERATION_WORDS[operation].the} of ${env} waits at the gate ${gate.name}: ${missing} of ${gate.count} approvals are missing.`,
    `  Asked by    ${gate.requester ?? `${requestedBy}, which is not proved`}`,
    `  Of          ${gate.by.join(', ')}`,
    `  Plan        ${gate.digest}`,
    `  Waits for   ${duration(Math.max(0, (Date.parse(until) - now) / 1000))} more, then it is refused`,
    ...gate.given.map(({ by, at, until: end }) => `  Approved    by ${by} at ${at}, counts until ${end}`),
    '',
    changes.length === 0 ? 'No service is changed.' : 'What it does:',
    ...changes.map(({ service, action, reason }) => `  ${action} ${service}: ${reason}`),
    '',
    'Next:',
    `  ${commandLine('approve', '--env', env, '--digest', gate.digest)}`,
    `  ${commandLine('reject', '--env', env, '--reason', 'REASON')}`,
  ];
}
