/** Shows what will go and what stays, asks, then starts the destruction and watches it. */
import { destructionDigest } from '../../effects/plan/binding.ts';
import { destructionOf } from '../../effects/plan/destroy.ts';
import { closeTemporal, startOrAttach } from '../../clients/temporal/index.ts';
import type { DestroyInput } from '../../contract/operations/destroy.ts';
import type { OperationPlan } from '../../contract/operations/plan.ts';
import type { PlanFile } from '../../plan/diff/file.ts';
import { requireSamePlan } from '../plan/kept.ts';
import { withClients } from '../shared/clients.ts';
import type { DestroyOptions } from './options.ts';
import { confirmByName } from '../shared/confirm.ts';
import { protectedFromDestroy } from '../deploy/confirmed.ts';
import { requireFreeLock } from '../deploy/lock/require-free.ts';
import { ensureLocalStackAgain } from '../deploy/local-stack.ts';
import { beforeStart, prerequisites } from '../deploy/prerequisites.ts';
import type { Session } from '../deploy/session.ts';
import { watchStarted } from '../deploy/watch.ts';
import type { ExitCode } from '../shared/failure.ts';
import { writeJson } from '../render/renderers.ts';
import { printLines } from '../shared/terminal.ts';
import { previewLines, type DestroyPreview } from './preview.ts';

export async function destroy(session: Session, options: DestroyOptions, kept?: PlanFile): Promise<ExitCode> {
  const { environment, context, renderer, json } = session;
  const connections = await ensureLocalStackAgain(session);
  const ready = await prerequisites(session, connections);
  const deleteData = options.deleteData === true;
  let expectedDigest: string;
  try {
    if (ready.cluster.record?.owner?.protected) throw protectedFromDestroy(environment.name, environment.protected);
    await requireFreeLock(session, ready, 'destroy');
    const { digest, plan, ...preview } = await withClients(context, environment, connections, (clients) =>
      previewOf(clients, deleteData, session.interrupted),
    );
    if (kept) requireSamePlan(options.plan ?? '', kept, ready.clusterUid, { digest, plan });
    expectedDigest = digest;
    if (json) writeJson(context.terminal.stdout, { type: 'preview', environment: environment.name, ...preview });
    else {
      renderer.close();
      printLines(context.terminal.stdout, previewLines(preview, environment.name));
    }
    if (options.confirm === undefined)
      await confirmByName(
        environment.name,
        deleteData ? 'Data that are deleted do not come back.' : 'The platform will not answer any more.',
        session.interrupted,
      );
  } catch (error) {
    await closeTemporal(ready.client).catch(() => undefined);
    throw error;
  }
  const input: DestroyInput = {
    environment: environment.name,
    clusterUid: ready.clusterUid,
    requestedBy: context.config.requestedBy,
    deleteData,
    expectedDigest,
    ...(options.timeout === undefined ? {} : { timeoutSeconds: options.timeout }),
    ...(options.overrideFreeze === undefined ? {} : { freezeOverride: options.overrideFreeze }),
  };
  // Never attached to a deployment by accident.
  const proved = await beforeStart(session, ready, 'destroy', input);
  const run = await startOrAttach(ready.client, 'destroy', proved, 'refuse');
  return watchStarted(session, ready, run, { operation: 'destroy', detach: options.detach === true });
}

async function previewOf(
  clients: Parameters<typeof destructionOf>[0],
  deleteData: boolean,
  signal: AbortSignal,
): Promise<DestroyPreview & { digest: string; plan: OperationPlan }> {
  const { plan, found } = await destructionOf(clients, deleteData, signal);
  const { namespaces } = found;
  const gone = plan.services.filter(({ action }) => action === 'remove');
  const objects = namespaces.flatMap((namespace) =>
    namespace.objects.map(({ ownership, kind, object }) => ({
      ownership,
      kind: kind.kind,
      namespace: namespace.name,
      name: object.metadata.name,
    })),
  );
  const pick = (ownership: string): { kind: string; namespace: string; name: string }[] =>
    objects
      .filter((one) => one.ownership === ownership)
      .map(({ kind, namespace, name }) => ({ kind, namespace, name }));
  return {
    digest: destructionDigest(plan, found, deleteData),
    plan,
    deleteData,
    cluster: clients.kubernetes.server,
    services: gone.length,
    releases: gone.flatMap(({ steps }) => steps.filter(({ action }) => action === 'remove')).length,
    namespaces: namespaces.map(({ name }) => name),
    volumes: pick('volume'),
    foreign: pick('foreign'),
    notes: plan.notes?.filter((note) => note.includes('left alone')) ?? [],
  };
}
