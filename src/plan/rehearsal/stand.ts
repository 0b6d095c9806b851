/**
 * The environment in which another one is rehearsed: the same platform, charts, values, replicas and rules on a
 * throwaway cluster of this machine. What has to be another there is listed, field by field. Pure.
 */
import type { Catalog } from '../../catalog/schema.ts';
import { checkKey } from '../../contract/checks.ts';
import type { Environment, EnvironmentInput } from '../../environment/schema.ts';
import { readsRehearsal } from './content.ts';

/** A field of the environment's file that is another one in its rehearsal. */
export interface StandIn {
  field: string;
  rehearsed: string;
  /** What the rehearsal therefore says nothing of. */
  unseen: string;
}

export interface Stand {
  file: EnvironmentInput;
  standIns: StandIn[];
}

const NODES = 3;
/** Start-up times of the catalog, as real as they have to be for things to overlap. */
const SIMULATION = { factor: 0.1, jitter: 0, seed: 1 };

export function standOf(environment: Environment, catalog: Pick<Catalog, 'services' | 'prometheus'>): Stand {
  const { name: _name, $schema: _schema, extends: _extends, ...kept } = environment;
  const {
    encryption,
    freeze,
    telemetry,
    prometheus,
    nexus,
    backup,
    checkpoints,
    rotation,
    rehearsal: _rehearsal,
    ...own
  } = kept;
  const { tls, external, seal, ...vault } = environment.vault;
  const { onFailure, ask, simulation } = environment;
  const standIns: StandIn[] = [];
  const stands = (isOther: boolean, field: string, rehearsed: string, unseen: string): void => {
    if (isOther) standIns.push({ field, rehearsed, unseen });
  };
  const asked = environment.policy.filter((rule) => !readsRehearsal(rule));
  const embedded = 'embedded' in environment.cluster ? environment.cluster.embedded : undefined;
  stands(embedded === undefined, 'cluster', 'an embedded control plane, simulated pods', 'the cluster itself');
  stands(embedded?.realNode !== undefined, 'cluster.embedded.realNode', 'left out', 'real pods on a real node');
  stands(!('embedded' in environment.engine), 'engine', 'an embedded Temporal', 'the engine and the way to it');
  stands(environment.protected, 'protected', 'not asked for', 'who may confirm');
  stands(vault.replicas > 1, 'vault.replicas', '1', 'raft between several servers');
  stands(tls !== undefined, 'vault.tls', 'left out', 'certificates of Vault');
  stands(external !== undefined, 'vault.external', "the platform's own", 'the Vault that others run');
  stands(seal !== undefined, 'vault.seal', 'shares in a file', 'the key service');
  stands(vault.keys.store !== 'file', 'vault.keys.store', 'a file', 'the Secret with the shares');
  stands(vault.keys.publicKeys !== undefined, 'vault.keys.publicKeys', 'shares in clear', 'people who unseal');
  stands(environment.suppliedSecrets === 'required', 'suppliedSecrets', 'placeholder', 'values of third parties');
  stands(environment.approvals.length > 0, 'approvals', 'none', 'who approves');
  stands(
    asked.length < environment.policy.length,
    'policy',
    'without what asks for a rehearsal',
    'rules about plan.rehearsal',
  );
  stands(freeze !== undefined, 'freeze', 'none', 'when nothing is changed');
  stands(encryption !== undefined, 'encryption', 'none', 'keys of histories');
  stands(telemetry !== undefined, 'telemetry', 'none', 'metrics and traces');
  stands(nexus !== undefined, 'nexus', 'none', "other teams' workflows");
  // A worker there would write into the real folder, and clear it up.
  stands(backup !== undefined, 'backup', 'none', 'backups, and checkpoints that go to them');
  stands(checkpoints !== undefined, 'checkpoints', 'none', 'checkpoints of databases');
  // Its schedule would change values in the middle of a run.
  stands(rotation !== undefined, 'rotation', 'none', 'rotations that begin by themselves');
  stands(hasTargets(environment.notify), 'notify', 'nobody', 'who is notified');
  stands(onFailure === 'ask', 'onFailure', ask.then, 'answers of people');
  const asking = promqlChecks(catalog);
  const unanswered = catalog.prometheus === undefined ? asking : [];
  stands(prometheus !== undefined, 'prometheus', "the platform's own, or none", 'queries to your Prometheus');
  stands(unanswered.length > 0, 'verification.skip', unanswered.join(', '), 'checks that ask Prometheus');
  return {
    standIns,
    file: {
      ...own,
      description: `Rehearsal of ${environment.name}`,
      protected: false,
      // Their values stand in the places that named them.
      outputs: {},
      cluster: { embedded: { nodes: embedded?.nodes ?? NODES } },
      engine: { embedded: true },
      vault: { ...vault, replicas: 1, keys: { store: 'file' }, kubernetesHost: 'auto' },
      suppliedSecrets: 'placeholder',
      approvals: [],
      policy: asked,
      notify: {},
      onFailure: onFailure === 'ask' ? ask.then : onFailure,
      drift: { ...own.drift, mode: 'off' },
      verification: {
        ...own.verification,
        skip: { ...own.verification.skip, ...skipped(unanswered) },
      },
      // Without jitter: a run differs from another one by its faults alone.
      simulation: { ...(simulation ?? SIMULATION), jitter: 0 },
    },
  };
}

/** What no simulated pod can show, whatever the environment says. */
export const NEVER_SHOWN: readonly string[] = [
  'images: that they can be pulled, and what runs in them; a simulated pod becomes ready, or fails, as the catalog says',
  'what Jobs do inside: migrations, users, buckets; that they run once, in order and with their inputs is shown',
  'data: none of the real ones are there, so nothing is said of how long a migration of them takes',
  'start-up times: those of the catalog, shortened; the times of a certificate are no forecast',
  'scheduling: nodes here have room for everything, and no taints; quotas, limits and admission webhooks of yours are not there',
  'storage: each volume is bound at once, whatever its class',
  'networks: ingress controllers, load balancers, DNS, certificates, network policies are made, not enforced',
  'rights: the deployer is an administrator here; what its roles allow is shown by preflight and rbac on the cluster itself',
  'others: nobody else works on this cluster',
];

function promqlChecks({ services }: Pick<Catalog, 'services'>): string[] {
  return services.flatMap(({ name: service, checks }) =>
    checks.flatMap(({ name, kind }) => (kind === 'promql' ? [checkKey({ service, name })] : [])),
  );
}

function skipped(checks: readonly string[]): Record<string, string> {
  return Object.fromEntries(checks.map((key) => [key, 'no Prometheus in a rehearsal']));
}

function hasTargets({ targets, command, webhook }: Environment['notify']): boolean {
  return Object.keys(targets).length > 0 || command !== undefined || webhook !== undefined;
}
