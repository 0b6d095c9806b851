/**
 * What a command checks before it starts a deployment, for one that no command has started: charts and values, secrets
 * that others issue, and what stands against a promotion. Changes nothing.
 */
import type { Clients } from '../../clients/index.ts';
import { ChartRenderError } from '../../clients/helm/template.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import { DeployError } from '../../contract/errors.ts';
import { FAILURES } from '../../contract/failures.ts';
import type { PlatformVersion } from '../../contract/version.ts';
import { ConfigurationError } from '../../environment/errors.ts';
import { loadEnvironment } from '../../environment/load.ts';
import type { Environment } from '../../environment/schema.ts';
import { type PlatformInputs, platformInputs } from '../../plan/inputs/platform-inputs.ts';
import { resourceConflicts } from '../../plan/inputs/resources.ts';
import { pinnedImages } from '../../plan/promotion/images.ts';
import { judgePromotion } from '../../plan/promotion/judge.ts';
import type { EffectScope } from '../effect.ts';
import { currentEnvironment } from '../environment.ts';
import { appliedMigrations, checkoutReleases } from '../promotion/survey.ts';
import { missingRights } from '../rights.ts';
import { renderProblems } from '../render-check.ts';
import { missingSecrets } from '../secrets.ts';

const MOST_NAMED = 12;

/** @throws ConfigurationError, ChartUnavailableError, ChartRenderError, PromotionRefusedError, DeployError */
export async function prepareDeployment(
  clients: Clients,
  { run, promote }: InputOf<'prepareDeployment'>,
  scope: EffectScope,
): OutputOf<'prepareDeployment'> {
  const { catalog, config, charts, connections } = clients;
  const environment = await currentEnvironment(clients);
  const inputs = platformInputs(catalog, environment, config);
  const imageTags = promote ? pinnedImages(catalog, promote.version.releases) : run.imageTags;
  scope.doing('looks at its own rights');
  const missing = await missingRights(
    catalog.namespaces.map(({ name }) => name),
    (question) => clients.kubernetes.mayI(question, scope.signal),
    scope.signal,
  );
  if (missing.length > 0)
    throw new DeployError(
      FAILURES.forbidden,
      `The workers of "${environment.name}" may not do what a deployment has to do: ${missing.slice(0, MOST_NAMED).join(', ')}${missing.length > MOST_NAMED ? ` and ${missing.length - MOST_NAMED} more` : ''}. Nothing was changed.`,
    );
  scope.doing('reads charts and values');
  const releases = await inputs(imageTags);
  const conflicts = await resourceConflicts(environment, releases);
  if (conflicts.length > 0) throw new ConfigurationError(conflicts);
  scope.doing('fetches charts');
  await Promise.all(
    [...releases.values()].flatMap(({ upstream }) => upstream ?? []).map((chart) => charts.ensure(chart, scope.signal)),
  );
  scope.doing('renders charts');
  const problems = await renderProblems(
    catalog,
    environment.name,
    releases,
    connections.helm ?? 'helm',
    config,
    (done, all) => scope.doing(`renders charts: ${done} of ${all}`),
  );
  if (problems.length > 0) throw new ChartRenderError(`Charts cannot be deployed:\n${problems.join('\n')}`);
  scope.doing('looks for secrets that others issue');
  await requireSecrets(clients, environment, scope.signal);
  if (!promote) return { imageTags, notes: [] };
  scope.doing('holds the version against this environment');
  const notes = await judged(clients, { ...promote, inputs, imageTags, target: environment }, scope.signal);
  const { environment: from, version, clusterUid } = promote.version;
  return { imageTags, notes, promotedFrom: { environment: from, version, clusterUid } };
}

/** A Vault that is sealed or away is waited for by the deployment. */
async function requireSecrets(clients: Clients, environment: Environment, signal: AbortSignal): Promise<void> {
  const { state } = await clients.vault.state(signal);
  if (state === 'sealed' || state === 'unreachable') return;
  const missing = await missingSecrets(clients, signal);
  if (missing.length === 0) return;
  throw new DeployError(
    FAILURES.suppliedSecretMissing,
    `Values that third parties issue have not been supplied to "${environment.name}" yet: ${missing
      .map(({ path, key }) => `${path} ${key}`)
      .join(', ')}. Nothing was changed.`,
  );
}

async function judged(
  clients: Clients,
  {
    version,
    pastNoReturn,
    inputs,
    imageTags,
    target,
  }: {
    version: PlatformVersion;
    pastNoReturn: boolean;
    inputs: PlatformInputs;
    imageTags: Record<string, string>;
    target: Environment;
  },
  signal: AbortSignal,
): Promise<string[]> {
  const { catalog, config } = clients;
  const source = await loadEnvironment(version.environment, config);
  if (source.platform !== target.platform)
    throw new DeployError(
      FAILURES.invalidInput,
      `"${source.name}" carries the platform "${source.platform}", "${target.name}" the platform "${target.platform}": only the same platform can be promoted. Nothing was changed.`,
    );
  const checkout = await checkoutReleases({ catalog, source, version, inputs, imageTags }, config);
  const applied = await appliedMigrations(clients, signal);
  return judgePromotion({ catalog, target: target.name, version, checkout, applied, pastNoReturn });
}
