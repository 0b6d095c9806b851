/** `ananta plan --operation …`: what any operation but a deployment would do, step by step. Changes nothing. */
import { adoptionPlan } from '../../effects/plan/adopt.ts';
import { rotatePlan } from '../../effects/plan/rotate.ts';
import { rollbackPlan } from '../../effects/plan/rollback.ts';
import { destructionDigest } from '../../effects/plan/binding.ts';
import { destructionOf } from '../../effects/plan/destroy.ts';
import { repairPlan } from '../../effects/plan/repair.ts';
import { surveyDrift } from '../../effects/drift/find-drift.ts';
import type { Clients } from '../../clients/index.ts';
import { EXIT_CODES, type ExitCode } from '../../contract/failures.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { operationPlanFileOf, type PlannedRequest } from '../../plan/diff/file.ts';
import { isRepairable } from '../../plan/drift/repairable.ts';
import { doesSomething } from '../../plan/steps/text.ts';
import { preflight } from '../deploy/preflight.ts';
import type { CliContext } from '../shared/context.ts';
import { refused } from '../shared/failure.ts';
import { commandLine } from '../shared/format.ts';
import { printLines } from '../shared/terminal.ts';
import { writePlanFile, writeText } from './file.ts';
import { withProvisioned } from './provisioned.ts';
import { selectionOf } from '../rotate/selection.ts';
import type { PlanOptions } from './options.ts';
import { stepLines } from './steps.ts';

interface Planned {
  plan: OperationPlan;
  /** What the operation is bound to: of more than the plan where more was looked at. */
  digest: string;
  request: PlannedRequest;
}

/** @returns 0 nothing to do, 2 changes */
export async function runOperationPlan(
  context: CliContext,
  operation: Exclude<NonNullable<PlanOptions['operation']>, 'deploy'>,
  options: PlanOptions,
): Promise<ExitCode> {
  const { config, terminal } = context;
  const { environment } = await preflight(context, options.env);
  const { plan, digest, request, clusterUid } = await withProvisioned(
    context,
    environment,
    async (clients, signal) => ({
      ...(await PLANNERS[operation](clients, options, signal)),
      clusterUid: (await clients.kubernetes.identity(signal)).uid,
    }),
  );
  const { steps = [], notes = [] } = plan;
  const changes = doesSomething(steps);
  if (options.svg !== undefined) {
    const { renderStepsSvg } = await import('../../plan/render/svg.ts');
    await writeText(options.svg, await renderStepsSvg({ ...plan, digest }), '--svg plan.svg');
    terminal.stderr.write(`Written: ${options.svg}\n`);
  }
  if (options.out !== undefined) {
    const made = { createdAt: new Date().toISOString(), requestedBy: config.requestedBy, clusterUid, digest };
    await writePlanFile(options.out, operationPlanFileOf(plan, request, made));
    terminal.stderr.write(`Written: ${options.out}\n`);
  }
  if (options.json)
    printLines(terminal.stdout, [
      JSON.stringify({
        operation,
        environment: environment.name,
        clusterUid,
        digest,
        changes,
        ...request,
        steps,
        notes,
      }),
    ]);
  else
    printLines(
      terminal.stdout,
      stepLines({ ...plan, digest }, { columns: terminal.stdout.columns ?? 200, style: terminal.style }),
    );
  return changes ? EXIT_CODES.changes : EXIT_CODES.done;
}

const PLANNERS = {
  adopt: async (clients: Clients, { env, only = [] }: PlanOptions, signal: AbortSignal): Promise<Planned> => {
    const [service, ...more] = only;
    if (more.length > 0)
      throw refused(
        'The plan of an adoption is that of one service, named with --only, or of all.',
        commandLine('plan', '--env', env, '--operation', 'adopt'),
      );
    const { plan, digest } = await adoptionPlan(clients, service === undefined ? 'all' : [service], signal);
    return { plan, digest, request: service === undefined ? {} : { service } };
  },
  rollback: async (clients: Clients, { to, pastNoReturn }: PlanOptions, signal: AbortSignal): Promise<Planned> => {
    const crosses = pastNoReturn === true;
    const plan = await rollbackPlan(
      clients,
      clients.environment,
      { ...(to === undefined ? {} : { toVersion: to }), pastNoReturn: crosses },
      signal,
    );
    const request = {
      ...(plan.toVersion === undefined ? {} : { toVersion: plan.toVersion }),
      ...(crosses ? { pastNoReturn: crosses } : {}),
    };
    return { plan, digest: plan.digest, request };
  },
  destroy: async (clients: Clients, options: PlanOptions, signal: AbortSignal): Promise<Planned> => {
    const deleteData = options.deleteData === true;
    const { plan, found } = await destructionOf(clients, deleteData, signal);
    return { plan, digest: destructionDigest(plan, found, deleteData), request: deleteData ? { deleteData } : {} };
  },
  rotate: async (clients: Clients, { secret, olderThan }: PlanOptions, signal: AbortSignal): Promise<Planned> => {
    const selection = selectionOf({ secret, olderThan });
    const plan = await rotatePlan(clients, clients.environment, selection, signal);
    return { plan, digest: plan.digest, request: selection };
  },
  repair: async (clients: Clients, _options: PlanOptions, signal: AbortSignal): Promise<Planned> => {
    const { report, flapping, repairDigest } = await surveyDrift(clients, { signal });
    const findings = report.findings.filter((finding) => isRepairable(finding, flapping));
    return {
      plan: await repairPlan(clients, clients.environment, findings, {}, signal),
      digest: repairDigest,
      request: {},
    };
  },
};
