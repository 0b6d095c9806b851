/** `ananta freeze override`: what waits for the end of a freeze goes on. */
import { EXIT_CODES } from '../../contract/failures.ts';
import type { FreezeOverride } from '../../contract/admission/freeze.ts';
import { UPDATES } from '../../contract/messages.ts';
import { waitingOverridePurpose } from '../../plan/admission/attestation.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { describeHolder } from '../shared/lock-words.ts';
import { printLines } from '../shared/terminal.ts';
import { updateOperation } from '../shared/update.ts';
import { withHolder } from '../operations/holder.ts';
import { attestOverride } from './attest.ts';

export interface OverrideOptions {
  env: string;
  reason: string;
  json?: true;
}

export function overrideFreeze(context: CliContext, { env, reason, json }: OverrideOptions): Promise<ExitCode> {
  return withHolder(context, env, async ({ client, environment, connections, holder, signal }) => {
    if (holder?.waits?.step !== 'freeze')
      throw refused(
        holder
          ? `${describeHolder(holder, Date.now())} does not wait for the end of a freeze.`
          : `Nothing is running on "${env}": nothing waits for the end of a freeze.`,
        `${commandLine('deploy', '--env', env, '--override-freeze', 'REASON')}   (starts one that does not wait)`,
      );
    const asker = { context, environment, interrupted: signal };
    const attestation = await attestOverride(asker, connections, waitingOverridePurpose(holder.runId));
    const request: FreezeOverride = { by: context.config.requestedBy, reason, attestation };
    const { by } = await updateOperation<{ by: string }>(client, environment, holder, UPDATES.overrideFreeze, request);
    const { workflowId, runId } = holder;
    printLines(
      context.terminal.stdout,
      json
        ? [JSON.stringify({ environment: env, workflowId, runId, overridden: holder.waits.reason, by, reason })]
        : [
            `${describeHolder(holder, Date.now())} goes on. On record: ${by}, ${reason}`,
            '',
            `Next: ${commandLine('attach', '--env', env)}   (watches it)`,
          ],
    );
    return EXIT_CODES.done;
  });
}
