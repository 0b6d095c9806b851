/** Steps for the platform as a whole, before, after and beside its services. Pure: a function for each verb. */
import { FAILURES } from '../../contract/failures.ts';
import { isVaultInit, type OperationPlan } from '../../contract/operations/plan.ts';
import type { OperationStep, StepKind } from '../../contract/operations/steps.ts';
import { isNoop } from '../progress.ts';
import type { Intent } from './intent.ts';

/** Id of the step that stands for all steps of services. */
export const SERVICES = 'services';

export interface PlatformSteps {
  /** Services wait for them. */
  before: OperationStep[];
  after: OperationStep[];
  /** Once the outcome is known. */
  closing: OperationStep[];
}

type Decided = Omit<OperationPlan, 'steps'>;
/** Last step of a service; undefined where nothing is done to it. */
type LastStep = (service: string) => string | undefined;

const step = (kind: StepKind, reason: string, more: Partial<OperationStep> = {}): OperationStep => ({
  id: kind,
  kind,
  reason,
  dependsOn: [],
  ...more,
});

/** Each waits for the one before it. */
function chain(steps: readonly (OperationStep | undefined)[]): OperationStep[] {
  const made: OperationStep[] = [];
  for (const next of steps) {
    if (next === undefined) continue;
    const last = made.at(-1);
    made.push(last === undefined ? next : { ...next, dependsOn: [...next.dependsOn, last.id] });
  }
  return made;
}

/** @param earlier as workflows of the version before did it */
export function platformSteps(plan: Decided, intent: Intent, lastOf: LastStep, earlier = false): PlatformSteps {
  const unlock = touchesReleases(plan)
    ? [step('unlock', 'an interrupted Helm leaves its release locked', { finally: 'interrupted', optional: true })]
    : [];
  const { begin, failed, ended } = notifications(plan, intent);
  const audit = step('audit', 'who did what, and how it ended', { finally: 'always', optional: true });
  const version = step('version', 'what is there from now on can be gone back to', { finally: 'succeeded' });
  const vaultAgain = (dependsOn: string[]): OperationStep =>
    step('vault-open', 'what was done may have restarted it, which seals it', {
      id: 'vault-open/again',
      dependsOn,
      after: [SERVICES],
    });
  switch (intent.verb) {
    case 'deploy':
      return {
        before: [
          ...begin,
          ...(plan.prerequisites ? [step('namespace', 'namespaces that are missing, or lack a label')] : []),
        ],
        after: afterServices(plan, again(plan, lastOf, vaultAgain)),
        closing: [
          ...unlock,
          ...failed,
          step('schedule', 'drift is looked for from now on, as the environment says', { finally: 'always' }),
          version,
          ...ended,
          audit,
        ],
      };
    case 'rollback':
    case 'undo':
      return {
        before: [...begin, ...evidence(plan)],
        after: [vaultAgain([])],
        closing: [...unlock, ...failed, ...(intent.verb === 'undo' ? [] : [version]), ...ended, audit],
      };
    case 'repair':
      return { before: chain(repairs(intent.findings, earlier)), after: [], closing: [...unlock, audit] };
    case 'destroy':
      return {
        before: [...begin, step('unschedule', 'what is taken down on purpose is not to be brought back')],
        after: [
          step('prune', 'Secrets, definitions and namespaces that no release holds', {
            // The Secrets and the namespace of a release that could not be removed are still needed.
            dependsOn: [SERVICES],
            ...(intent.deleteData ? { deleteData: true } : {}),
          }),
        ],
        closing: [...unlock, ...failed, ...ended, audit],
      };
    case 'adopt':
      return {
        before: [...begin, ...chain(adoptions(intent))],
        after: [],
        closing: [...unlock, ...failed, ...ended, audit],
      };
    case 'rotate':
      return {
        ...rotation(intent.secrets, begin),
        closing: [...failed, ...ended, audit],
      };
  }
}

function adoptions({ services, undo }: Extract<Intent, { verb: 'adopt' }>): OperationStep[] {
  return services.map(({ service, digest }) =>
    step('adopt', `${undo ? 'no longer marked' : 'marked'} as ours; nothing is applied or deleted`, {
      ...(services.length === 1 ? {} : { id: `adopt/${service}` }),
      service,
      ...(undo ? { undo } : {}),
      ...(services.length === 1 || digest === undefined ? {} : { digest }),
    }),
  );
}

const ROTATION: Record<'add' | 'write' | 'verify' | 'revoke', string> = {
  add: 'its server takes the next value, beside the one in use',
  write: 'Vault and the Kubernetes Secrets hold the next value',
  verify: 'every reader has the new value, and its server takes it',
  revoke: 'its server refuses the former value',
};

/** Nothing is written before every server takes what will be, nothing revoked before every reader has the new one. */
function rotation(
  secrets: Extract<Intent, { verb: 'rotate' }>['secrets'],
  begin: OperationStep[],
): Pick<PlatformSteps, 'before' | 'after'> {
  const act = (
    which: keyof typeof ROTATION,
    { path, key, server }: (typeof secrets)[number],
    more: Partial<OperationStep> = {},
  ): OperationStep =>
    step(`rotate-${which}`, ROTATION[which], {
      id: `rotate-${which}/${path}/${key}`,
      service: server,
      secret: { path, key },
      ...more,
    });
  if (secrets.length === 0) return { before: begin, after: [] };
  return {
    before: [
      ...begin,
      ...chain([
        step('vault-open', 'the next values are kept there before anybody hears of them'),
        ...secrets.map((secret) => act('add', secret)),
        ...secrets.map((secret) => act('write', secret)),
      ]),
    ],
    after: secrets.flatMap((secret) => {
      const verified = act('verify', secret, { dependsOn: [SERVICES] });
      return [verified, act('revoke', secret, { dependsOn: [verified.id] })];
    }),
  };
}

/** The steps that remain when no plan could be made. */
export function stepsWithoutPlan(intent: Intent): OperationStep[] {
  const { closing } = platformSteps(NOTHING, intent, () => undefined);
  // Without a plan nobody knows yet who wants notifications: the step that sends them looks.
  const told = intent.verb === 'repair' || intent.verb === 'undo' ? [] : [FAILED];
  return [...told, ...closing.filter(({ kind }) => kind === 'audit')];
}

const FAILED = step('notify', 'whom the environment names is told of a failure', { finally: 'failed', optional: true });

/**
 * The drift run that has begun a repair sends its notification, and a deployment that of what it takes back. A plan
 * that names nobody sends those of failed deployments alone, as plans of earlier versions do.
 */
function notifications(
  { notifications: wanted, services, prerequisites }: Decided,
  { verb }: Intent,
): Record<'begin' | 'failed' | 'ended', OperationStep[]> {
  const none = { begin: [], failed: [], ended: [] };
  if (verb === 'repair' || verb === 'undo') return none;
  if (wanted === undefined) return { ...none, failed: verb === 'deploy' ? [FAILED] : [] };
  const begins = prerequisites || services.some(({ action }) => !isNoop(action));
  const start = { id: 'notify/start', event: 'start', optional: true } as const;
  const end = { finally: 'always', optional: true } as const;
  return {
    begin:
      wanted.includes('start') && begins
        ? [step('notify', 'whom the environment names is told that it begins', start)]
        : [],
    failed: wanted.includes('failure') && !wanted.includes('end') ? [FAILED] : [],
    ended: wanted.includes('end') ? [step('notify', 'whom the environment names is told how it ended', end)] : [],
  };
}

const NOTHING: Decided = {
  operation: 'deploy',
  environment: '',
  digest: '',
  criticalPathSeconds: 0,
  criticalPath: [],
  services: [],
  prerequisites: false,
  simulated: false,
  phases: [],
  helmTimeoutSeconds: 0,
  onFailure: 'continue',
};

function touchesReleases({ services }: Decided): boolean {
  return services
    .flatMap(({ steps }) => steps)
    .some(({ kind, action }) => kind === 'release' && !isNoop(action) && action !== 'verify');
}

/** Time has passed since Vault was opened; a restart would have left it sealed, unnoticed. */
function again(plan: Decided, lastOf: LastStep, open: (dependsOn: string[]) => OperationStep): OperationStep[] {
  const keeper = plan.services.find(({ steps }) => steps.some(isVaultInit));
  if (keeper === undefined || keeper.action === 'excluded') return [];
  if (plan.services.every(({ action }) => isNoop(action))) return [];
  return [open([lastOf(keeper.name)].filter((id) => id !== undefined))];
}

/** Checks of the whole platform run before anything is taken back. */
function afterServices(plan: Decided, opened: OperationStep[]): OperationStep[] {
  const checked = checks(
    plan,
    opened.map(({ id }) => id),
  );
  const after = [SERVICES, 'vault-open/again', ...checked.map(({ id }) => id)];
  return [...opened, ...checked, ...undo(plan, after)];
}

/** Checks that the environment skips have no step. */
function checks({ checks: planned = [] }: Decided, after: string[]): OperationStep[] {
  return planned
    .filter(({ skipped }) => skipped === undefined)
    .map(({ service, name, reason, digest }) =>
      step('check', reason, {
        id: `check/${service}/${name}`,
        service,
        check: name,
        digest,
        dependsOn: [SERVICES],
        ...(after.length > 0 ? { after } : {}),
      }),
    );
}

function undo({ onFailure }: Decided, after: string[]): OperationStep[] {
  if (onFailure !== 'rollback' && onFailure !== 'ask') return [];
  const reason = onFailure === 'ask' ? 'onFailure: ask, and rollback is what follows' : 'onFailure: rollback';
  return [step('undo', reason, { after, onFailure: true })];
}

/** A rollback removes pods, and with them what they show of a failure. */
function evidence({ unhealthy = [], services }: Decided): OperationStep[] {
  return unhealthy
    .filter(({ service }) => services.some(({ name }) => name === service))
    .map(({ service, reason }) => step('evidence', reason, { id: `evidence/${service}`, service, optional: true }));
}

function repairs(
  findings: Extract<Intent, { verb: 'repair' }>['findings'],
  earlier: boolean,
): (OperationStep | undefined)[] {
  const wants = (...repairs: string[]): boolean => findings.some(({ repair }) => repairs.includes(repair ?? ''));
  return [
    wants('namespace') ? step('namespace', 'a namespace is missing, or lacks a label') : undefined,
    wants('unseal', 'vault') ? step('vault-open', 'Vault is sealed, or something in it is to be put right') : undefined,
    wants('vault') ? step('vault-configure', 'mounts, login, policies and roles as declared') : undefined,
    wants('vault')
      ? // What only a person can bring back keeps nothing else from being repaired.
        step('vault-seed', 'values that Vault has lost come back', { tolerates: [FAILURES.secretLost] })
      : undefined,
    wants('secret', 'vault', 'namespace') ? step('secret-sync', 'Kubernetes Secrets hold what Vault does') : undefined,
    earlier || findings.some(({ repair, area }) => repair === 'field' && area === 'kubernetes')
      ? step('field-patch', 'fields and definitions that no release puts right')
      : undefined,
  ];
}
