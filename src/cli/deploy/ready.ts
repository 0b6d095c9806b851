/** What a deployment needs before it starts, whichever command starts it. */
import { inSpan } from '../../process/spans.ts';
import type { Connections } from '../../environment/connections.ts';
import { renderingLine, setupLine } from '../render/setup.ts';
import { helmBinary } from '../shared/components/helm-binary.ts';
import { checkCharts, requireCharts } from './checks/charts.ts';
import { requireRights } from './checks/rights.ts';
import { checkVault } from './checks/vault.ts';
import { requireSameContent } from './engine.ts';
import { ensureLocalStack } from './local-stack.ts';
import type { Prepared } from './preflight.ts';
import { type Prerequisites, prerequisites } from './prerequisites.ts';
import type { Session } from './session.ts';

/**
 * @param localStack makes the connections ready; default: what is embedded is started
 * @throws CliError (refused) where charts, cluster, engine or worker cannot be had
 */
export async function chartsAndPlatform(
  session: Session,
  prepared: Prepared,
  localStack: (session: Session) => Promise<Connections> = ensureLocalStack,
): Promise<Prerequisites> {
  const { context, renderer, interrupted } = session;
  // First: what cannot be fetched is reported before anything is started.
  await inSpan('find charts', {}, () =>
    requireCharts(prepared, context.config, (text) => renderer.notice(text), interrupted),
  );
  return prerequisites(session, await localStack(session));
}

/** @throws CliError (refused) where the worker has another content, a right is missing, or Vault could not be opened */
export function requireDeployable(
  session: Session,
  prepared: Prepared,
  { client, connections }: Prerequisites,
): Promise<void> {
  return inSpan('check worker, rights and Vault', {}, async () => {
    await requireSameContent(client, prepared);
    await requireRights(session, prepared, connections);
    await checkVault(session, connections);
  });
}

/** @throws CliError (refused), naming each chart that does not render */
export async function requireRendered(
  { context: { config }, renderer }: Session,
  prepared: Prepared,
  { connections }: Prerequisites,
  imageTags: Record<string, string>,
): Promise<void> {
  const helm = await helmBinary(connections, config, (event) =>
    renderer.setup(setupLine({ kind: 'tool', progress: event })),
  );
  await inSpan('render charts', {}, () =>
    checkCharts(prepared, imageTags, helm, config, (done, all) => renderer.setup(renderingLine(done, all))),
  );
}
