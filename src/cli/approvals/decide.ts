/** `ananta approve` and `ananta reject`: approves or rejects an operation that waits at a gate. */
import type { DecideAnswer, DecideRequest, Decision } from '../../contract/admission/approvals.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { UPDATES } from '../../contract/messages.ts';
import { decisionPurpose } from '../../plan/admission/attestation.ts';
import { withHolder } from '../operations/holder.ts';
import { attest } from '../shared/attest.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { describeHolder } from '../shared/lock-words.ts';
import { printLines } from '../shared/terminal.ts';
import { updateOperation } from '../shared/update.ts';

export interface DecideOptions {
  env: string;
  digest?: string;
  reason?: string;
  json?: true;
}

export function decide(context: CliContext, decision: Decision, options: DecideOptions): Promise<ExitCode> {
  const { env, digest, reason, json } = options;
  return withHolder(context, env, async ({ client, environment, connections, holder, signal }) => {
    const gate = holder?.waits?.gate;
    if (holder === undefined || gate === undefined)
      throw refused(
        holder
          ? `${describeHolder(holder, Date.now())} does not wait at a gate.`
          : `Nothing is running on "${env}": nothing waits at a gate.`,
        `${commandLine('approvals', '--env', env)}   (what waits, for whom)`,
      );
    if (digest !== undefined && digest !== gate.digest)
      throw refused(
        `The plan ${digest} is outdated: what waits at the gate ${gate.name} is plan ${gate.digest}.`,
        `${commandLine('approvals', '--env', env)}   (what it is now)`,
      );
    const purpose = decisionPurpose(decision, gate.name, gate.digest, holder.runId);
    const asker = { context, environment, interrupted: signal };
    const words = { to: 'the gate', shown: 'what an approver needs' };
    const attestation = await attest(asker, connections, purpose, words);
    const request: DecideRequest = {
      gate: gate.name,
      digest: gate.digest,
      decision,
      attestation,
      ...(reason === undefined ? {} : { reason }),
    };
    const answer = await updateOperation<DecideAnswer>(client, environment, holder, UPDATES.decide, request);
    const { workflowId, runId } = holder;
    const { stdout } = context.terminal;
    if (json)
      printLines(stdout, [
        JSON.stringify({ environment: env, workflowId, runId, decision, digest: gate.digest, ...answer }),
      ]);
    else printLines(stdout, answerLines(env, decision, gate.digest, answer));
    return EXIT_CODES.done;
  });
}

function answerLines(
  env: string,
  decision: Decision,
  digest: string,
  { gate, by, given, count }: DecideAnswer,
): string[] {
  const next = `Next: ${commandLine('attach', '--env', env)}   (watches it)`;
  if (decision === 'reject')
    return [`${by} rejected plan ${digest} at the gate ${gate}: the operation ends, nothing was changed.`];
  return [
    `${by} approved plan ${digest} at the gate ${gate}: ${given} of ${count}${given >= count ? ', it goes on.' : '.'}`,
    '',
    next,
  ];
}
