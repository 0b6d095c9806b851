/** `ananta pause`, `resume`, `retry`, `skip`, `extend`, `abandon`: said to the operation that holds the lock. */
import { EXIT_CODES } from '../../contract/failures.ts';
import { UPDATES } from '../../contract/messages.ts';
import type { SteerAnswer, SteerRequest } from '../../contract/operations/steering.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { loadPlatform } from '../../environment/platform.ts';
import { suggestion } from '../../suggest.ts';
import { withHolder } from '../operations/holder.ts';
import { checkService, shortened } from '../shared/arguments.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { describeHolder } from '../shared/lock-words.ts';
import { printLines } from '../shared/terminal.ts';
import { updateOperation } from '../shared/update.ts';

export interface SteerOptions {
  env: string;
  json?: true;
}

/** A request without `by`, which is added here. */
type Asked = SteerRequest extends infer Request ? (Request extends SteerRequest ? Omit<Request, 'by'> : never) : never;

export async function runSteer(context: CliContext, { env, json }: SteerOptions, asked: Asked): Promise<ExitCode> {
  await requireKnown(context, env, asked);
  return withHolder(context, env, async ({ client, environment, holder }) => {
    if (!holder)
      throw refused(
        `Nothing is running on "${env}": there is nothing to ${asked.verb}.`,
        `${commandLine('status', '--env', env)}   (how it stands)`,
      );
    const request = { ...asked, by: context.config.requestedBy };
    const { text, intervention } = await updateOperation<SteerAnswer>(
      client,
      environment,
      holder,
      UPDATES.steer,
      request,
    );
    const { workflowId, runId } = holder;
    printLines(
      context.terminal.stdout,
      json
        ? [JSON.stringify({ environment: env, workflowId, runId, ...intervention, message: text })]
        : [
            `Sent to ${describeHolder(holder, Date.now())}.`,
            text,
            '',
            `Next: ${commandLine('attach', '--env', env)}   (watches it)`,
          ],
    );
    return EXIT_CODES.done;
  });
}

/** Refuses a name that the platform does not have, without asking the engine. @throws CliError (refused) */
async function requireKnown({ config }: CliContext, env: string, asked: Asked): Promise<void> {
  const environment = await loadEnvironment(env, config);
  const { services, phases } = await loadPlatform(environment, config);
  const names = services.map(({ name }) => name);
  if ('service' in asked) checkService(asked.service, names);
  if (asked.verb !== 'pause' || asked.at === undefined) return;
  const places = [...names, ...phases.map(({ number }) => String(number))];
  if (places.includes(asked.at)) return;
  throw refused(
    `There is no service and no phase "${shortened(asked.at)}"${suggestion(asked.at, places) || '.'}`,
    commandLine('catalog', '--env', env),
  );
}
