/** Releases as services, as people think of them: what is done to each, why, and what nobody asked for any more. */
import type { Catalog } from '../../catalog/schema.ts';
import { RELEASE_LABELS } from '../../contract/names.ts';
import type { OperationPlan, PlannedAction, PlannedService } from '../../contract/operations/plan.ts';
import type { ObservedCluster } from '../observed.ts';
import { allReleases } from '../releases.ts';
import {
  type OrphanChange,
  type ReleaseChange,
  SERVICE_ACTIONS,
  type ServiceAction,
  type ServiceChange,
} from './types.ts';

/** Actions by which a release is applied. */
export const APPLYING: readonly PlannedAction[] = ['install', 'upgrade', 'retry'];

const ACTIONS: Partial<Record<PlannedAction, ServiceAction>> = {
  install: 'create',
  upgrade: 'upgrade',
  retry: 'retry',
  restart: 'restart',
  verify: 'verify',
};

/** A service of the plan with what was found out about its releases, in the order of its steps. */
export function serviceChange(
  service: PlannedService,
  releases: ReleaseChange[],
): Omit<ServiceChange, 'expectedSeconds' | 'expectedFrom'> {
  const { number, phase, name, namespace, dependsOn } = service;
  const actions = releases.map((release) => ({ release, action: releaseAction(release) }));
  const decisive = SERVICE_ACTIONS.flatMap((action) => actions.filter((candidate) => candidate.action === action))[0];
  const action = decisive?.action ?? 'skip';
  const reason = decisive === undefined || action === 'skip' ? service.reason : reasonOf(decisive.release, action);
  const prefix =
    decisive === undefined || action === 'skip' || decisive.release.name === name ? '' : `${decisive.release.name}: `;
  return { number, phase, name, namespace, dependsOn, action, reason: `${prefix}${reason}`, releases };
}

function releaseAction({ action, objects }: ReleaseChange): ServiceAction {
  if (APPLYING.includes(action)) {
    if (objects.some((object) => object.action === 'replace')) return 'replace';
    if (action === 'install' && objects.some((object) => object.action === 'adopt')) return 'adopt';
  }
  return ACTIONS[action] ?? 'skip';
}

function reasonOf({ reason, objects }: ReleaseChange, action: ServiceAction): string {
  if (action === 'replace') {
    const all = objects.filter((object) => object.action === 'replace');
    // What a Job reads is renamed with it: the Job says it all.
    const decisive = all.filter(({ kind, blocked }) => kind === 'Job' || blocked !== undefined);
    const replaced = decisive.length > 0 ? decisive : all;
    return `${replaced.map(({ kind, name, immutable = [] }) => `${kind} ${name.replace(/ → .*$/, '')}: ${immutable.join(', ')}`).join('; ')} cannot be changed in place`;
  }
  if (action === 'adopt') {
    const count = objects.filter((object) => object.action === 'adopt').length;
    return `${reason} as a release, but ${count} of its objects ${count === 1 ? 'is' : 'are'} there`;
  }
  return reason;
}

/** Releases that carry this environment's label and that the catalog does not have. */
export function orphans(
  catalog: Catalog,
  environment: string,
  observed: Pick<ObservedCluster, 'releases'>,
): OrphanChange[] {
  const known = new Set(allReleases(catalog).map(({ namespace, name }) => `${namespace}/${name}`));
  return [...observed.releases]
    .flatMap(([key, { labels, revision, status }]) => {
      if (known.has(key) || labels[RELEASE_LABELS.environment] !== environment || status === 'uninstalled') return [];
      const [namespace = '', name = ''] = key.split('/');
      const service = labels[RELEASE_LABELS.service];
      return [{ name, namespace, revision, ...(service === undefined ? {} : { service }) }];
    })
    .sort((a, b) => a.namespace.localeCompare(b.namespace) || a.name.localeCompare(b.name));
}

/** Whether carrying the plan out would do anything at all. */
export function changesAnything(plan: Pick<OperationPlan, 'services' | 'prerequisites'>): boolean {
  return (
    plan.prerequisites ||
    plan.services.some(({ steps }) => steps.some(({ action }) => action !== 'unchanged' && action !== 'excluded'))
  );
}
