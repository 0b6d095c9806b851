/** What another environment's version holds is planned for this one, shown, confirmed, and deployed. */
import { closeTemporal } from '../../clients/temporal/index.ts';
import type { DeployInput } from '../../contract/operations/deploy.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { planFor } from '../../effects/plan/deploy.ts';
import { appliedMigrations, checkoutReleases } from '../../effects/promotion/survey.ts';
import type { Connections } from '../../environment/connections.ts';
import { pinnedImages } from '../../plan/promotion/images.ts';
import { judgePromotion, PromotionRefusedError } from '../../plan/promotion/judge.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { isNoop } from '../../plan/progress.ts';
import { bind } from '../deploy/binding.ts';
import { confirmationOf } from '../deploy/confirmed.ts';
import { startDeployment } from '../deploy/deployment.ts';
import { ensureLocalStack, ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { requireFreeLock } from '../deploy/lock/require-free.ts';
import type { Prepared } from '../deploy/preflight.ts';
import { chartsAndPlatform, requireDeployable, requireRendered } from '../deploy/ready.ts';
import type { Session } from '../deploy/session.ts';
import { promotionJson, promotionLines } from '../render/promotion-preview.ts';
import { writeJson } from '../render/renderers.ts';
import { withClients } from '../shared/clients.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import type { PromoteOptions } from './options.ts';
import type { PromotionSource } from './source.ts';

export async function promote(
  session: Session,
  prepared: Prepared,
  source: PromotionSource,
  options: PromoteOptions,
): Promise<ExitCode> {
  const { environment, context, renderer, json } = session;
  const { config, terminal } = context;
  const { version } = source;
  const imageTags = pinnedImages(prepared.catalog, version.releases);
  const ready = await chartsAndPlatform(session, prepared, options.dryRun ? ensureLocalStackAgain : ensureLocalStack);
  let input: DeployInput;
  try {
    // Who only looks is not in the way of anybody.
    if (!options.dryRun) await requireFreeLock(session, ready, 'promote');
    await requireDeployable(session, prepared, ready);
    await requireRendered(session, prepared, ready, imageTags);
    const { plan, notes } = await planned(session, prepared, source, ready.connections, imageTags, options);
    const shown = { plan, version, notes, imageTags };
    if (json) writeJson(terminal.stdout, promotionJson(shown));
    else {
      renderer.close();
      printLines(terminal.stdout, promotionLines(shown, Math.min(terminal.stdout.columns ?? 100, 100)));
    }
    if (options.digest !== undefined && options.digest !== plan.digest)
      throw refused(
        `The plan of this promotion is ${plan.digest} now, not ${options.digest}: the world has changed since it was looked at. Nothing was changed.`,
        commandLine('promote', '--from', source.environment.name, '--to', environment.name, '--dry-run'),
      );
    if (options.dryRun) {
      await closeTemporal(ready.client).catch(() => undefined);
      return plan.services.every(({ action }) => isNoop(action)) ? EXIT_CODES.done : EXIT_CODES.changes;
    }
    const confirmation = await confirmationOf(session, ready.cluster, {
      operation: 'deploy',
      confirm: options.confirm,
    });
    input = {
      environment: environment.name,
      imageTags,
      clusterUid: ready.clusterUid,
      requestedBy: config.requestedBy,
      promotedFrom: {
        environment: version.environment,
        version: version.version,
        clusterUid: version.clusterUid,
      },
      // What was shown is what is done.
      expectedDigest: plan.digest,
      ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
      ...(confirmation ? { confirmation } : {}),
      ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
    };
    await bind(session, ready);
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
  // Never attached to another deployment by accident.
  return startDeployment(session, ready, input, { ifRunning: 'refuse', detach: options.detach === true, given: [] });
}

/** @throws CliError (refused) where the checkout, a migration or a point of no return stands against it */
async function planned(
  { environment, context, interrupted }: Session,
  { catalog, inputs }: Prepared,
  { environment: source, version }: PromotionSource,
  connections: Connections,
  imageTags: Record<string, string>,
  { pastNoReturn }: PromoteOptions,
): Promise<{ plan: OperationPlan; notes: string[] }> {
  const checkout = await checkoutReleases({ catalog, source, version, inputs, imageTags }, context.config);
  return withClients(context, environment, connections, async (clients) => {
    const applied = await appliedMigrations(clients, interrupted);
    const notes = advised({ source: source.name, target: environment.name, version: version.version }, () =>
      judgePromotion({
        catalog,
        target: environment.name,
        version,
        checkout,
        applied,
        pastNoReturn: pastNoReturn === true,
      }),
    );
    return { plan: await planFor(clients, environment, imageTags, interrupted, { inputs, judged: true }), notes };
  });
}

function advised<T>(
  { source, target, version }: { source: string; target: string; version: number },
  judge: () => T,
): T {
  try {
    return judge();
  } catch (error) {
    if (!(error instanceof PromotionRefusedError)) throw error;
    const crossing = commandLine(
      'promote',
      '--from',
      source,
      '--to',
      target,
      '--version',
      String(version),
      '--past-no-return',
    );
    const holds = `${commandLine('history', String(version), '--env', source)}   (what the version holds)`;
    const remedies: Record<PromotionRefusedError['remedy'], string[]> = {
      checkout: [
        `Use the checkout that version ${version} was deployed from, or deploy this one to "${source}" first`,
        holds,
      ],
      order: [
        `Give these migrations numbers after those that "${target}" has run, deploy them to "${source}", and promote that version`,
        holds,
      ],
      crossing: [`${crossing}   (crosses it all the same)`],
    };
    throw refused(`${error.message}\nNothing was changed.`, ...remedies[error.remedy]);
  }
}
