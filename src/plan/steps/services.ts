/** The steps of one service, in order: those that its releases are decided to need. Pure. */
import { isVaultInit, type PlannedService, type PlannedStep } from '../../contract/operations/plan.ts';
import type { OperationStep, StepKind } from '../../contract/operations/steps.ts';
import { claimWords, setWords } from '../growing/words.ts';
import { releaseKey } from '../observed.ts';
import { isNoop } from '../progress.ts';

export interface ServiceStepsOptions {
  /** Ids that the first step waits for. */
  dependsOn?: readonly string[];
  after?: readonly string[];
  /**
   * Whether to make the steps of the previous workflow version, in which a `rollback` was an `apply` with a revision.
   */
  earlier?: boolean;
  /** Steps of a rotation: pods are restarted, and nothing is applied. */
  rotates?: boolean;
}

const VAULT: readonly [StepKind, string][] = [
  ['vault-open', 'initialised and unsealed'],
  ['vault-configure', 'mounts, login, policies and roles as declared'],
  ['vault-seed', 'every declared secret has a value'],
  ['secret-sync', 'Kubernetes Secrets hold what Vault does'],
];

/** In the order in which they are carried out; none where nothing is to be done. */
export function serviceSteps(
  { name: service, phase, steps }: Pick<PlannedService, 'name' | 'phase' | 'steps'>,
  { dependsOn = [], after = [], earlier = false, rotates = false }: ServiceStepsOptions = {},
): OperationStep[] {
  const made: OperationStep[] = [];
  const add = (
    kind: StepKind,
    id: string,
    reason: string,
    release?: string,
    more: Partial<Pick<OperationStep, 'checkpoint' | 'claims' | 'sets' | 'leaving'>> = {},
  ): void => {
    const before = made.at(-1);
    made.push({
      id,
      kind,
      reason,
      dependsOn: before === undefined ? [...dependsOn] : [before.id],
      ...(before === undefined && after.length > 0 ? { after: [...after] } : {}),
      service,
      ...(release === undefined ? {} : { release }),
      phase,
      ...more,
    });
  };
  for (const planned of steps) {
    if (isNoop(planned.action)) continue;
    if (isVaultInit(planned)) {
      for (const [kind, what] of VAULT) add(kind, `${kind}/${service}`, kind === 'vault-open' ? planned.reason : what);
      continue;
    }
    const key = releaseKey(planned.namespace, planned.name);
    const kind = rotates ? 'rotate-restart' : kindOf(planned, earlier);
    const { checkpoint } = planned;
    if (checkpoint !== undefined && kind === 'job')
      add(
        'checkpoint',
        `checkpoint/${key}`,
        `the database ${checkpoint.database} as it is, before ${checkpoint.before.join(', ')}, which cannot be taken back`,
        key,
        { checkpoint },
      );
    const { claims = [], sets = [] } = planned.grow ?? {};
    if (claims.length > 0)
      add('volume-expand', `volume-expand/${key}`, claims.map(claimWords).join(', '), key, { claims });
    if (sets.length > 0)
      add(
        'statefulset-replace',
        `statefulset-replace/${key}`,
        `${setWords({ sets })}: claim templates cannot be changed in place; its pods go on, and the next one adopts them`,
        key,
        { sets },
      );
    const { leaving = [] } = planned;
    if (leaving.length > 0)
      add(
        'raft-remove-peer',
        `raft-remove-peer/${key}`,
        `${leaving.join(', ')}: out of raft before their pods go, so that the others keep their majority`,
        key,
        { leaving },
      );
    if (kind !== 'verify') add(kind, `${kind}/${key}`, planned.reason, key);
    if (kind !== 'uninstall')
      add(
        'verify',
        `verify/${key}`,
        kind === 'verify' ? planned.reason : rotates ? 'restarted, and healthy' : 'applied, and healthy',
        key,
      );
  }
  return made;
}

function kindOf({ action, job }: PlannedStep, earlier: boolean): StepKind {
  if (action === 'remove') return 'uninstall';
  if (action === 'verify') return 'verify';
  if ((action === 'rollback' || action === 'repair') && !earlier) return 'rollback';
  return job && !earlier ? 'job' : 'apply';
}
