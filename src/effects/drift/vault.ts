/**
 * Drift of Vault, of the Kubernetes Secrets made from it, and of what the init Jobs have made in real pods. Changes
 * nothing.
 */
import type { Clients } from '../../clients/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { DEPLOYER_SERVICE_ACCOUNT, VAULT, VAULT_REVIEWER_SERVICE_ACCOUNT } from '../../contract/names.ts';
import type { Environment } from '../../environment/schema.ts';
import { paths } from '../../clients/kubernetes/index.ts';
import { opens, type VaultSession } from '../../clients/vault/index.ts';
import { notObservable, vaultFinding } from '../../plan/drift/vault/finding.ts';
import { vaultFindings } from '../../plan/drift/vault/findings.ts';
import { overdueFindings } from '../../plan/drift/vault/overdue.ts';
import { pathFindings } from '../../plan/drift/vault/path-findings.ts';
import { choosePossible } from '../../plan/rotation/possible.ts';
import { deployerRole, serviceRoles, wantedPolicies } from '../../plan/vault/policies.ts';
import { supersededAccess } from '../../plan/vault/superseded.ts';
import { accessorOf } from '../vault/foundation.ts';
import { certificateFor, REVIEWER_TOKEN } from '../vault/identities.ts';
import { validSince } from '../rotation/ages.ts';
import { readDates } from '../rotation/record.ts';
import { keysWithoutText } from '../vault/declared.ts';
import type { MadeSecret } from '../vault/secrets/made-secrets.ts';
import { hadValue, restorable } from '../vault/secrets/restore.ts';
import { findContentDrift } from './content.ts';
import { type Inside, lookInside, type ReadPath } from './vault-inside.ts';
import { authorityFindings } from '../vault/authorities.ts';
import { compareSecrets, readMadeSecrets } from './vault-secrets.ts';

export interface VaultDrift {
  findings: DriftFinding[];
  /** Things of Vault and Secrets that were compared. */
  checked: { vault: number; secrets: number };
  /** What simulated pods cannot show; empty when every pod is real. */
  simulated: string;
}

/** A sealed Vault stays sealed; what cannot be looked at is a finding of its own kind. Throws only for the signal. */
export async function findVaultDrift(
  clients: Clients,
  environment: Environment,
  signal: AbortSignal,
): Promise<VaultDrift> {
  const [{ made, unseen }, content] = await Promise.all([
    readMadeSecrets(clients, signal),
    findContentDrift(clients, signal),
  ]);
  const vault = await lookAtVault(clients, environment, made ?? [], signal);
  const secrets = made ? compareSecrets(clients, made, vault.inside) : { findings: [], checked: 0 };
  const authorities = made ? await lookAtAuthorities(clients, made, signal) : { findings: [], checked: 0 };
  return {
    findings: [...vault.findings, ...unseen, ...secrets.findings, ...authorities.findings, ...content.findings],
    checked: { vault: vault.checked, secrets: secrets.checked + authorities.checked },
    simulated: content.simulated,
  };
}

/** Where the certificate's own Secret cannot be read, Vault could not be asked either: that is said there. */
async function lookAtAuthorities(
  clients: Clients,
  made: readonly MadeSecret[],
  signal: AbortSignal,
): Promise<Pick<Look, 'findings' | 'checked'>> {
  try {
    return await authorityFindings(clients, made, signal);
  } catch {
    signal.throwIfAborted();
    return { findings: [], checked: 0 };
  }
}

interface Look {
  findings: DriftFinding[];
  checked: number;
  inside?: Inside;
}

/**
 * People are notified of what is found here: Vault is asked again before one request without an answer is a finding.
 */
async function stateForPeople(vault: Clients['vault'], signal: AbortSignal): ReturnType<Clients['vault']['state']> {
  const found = await vault.state(signal);
  return found.state === 'unreachable' ? vault.state(signal) : found;
}

async function lookAtVault(
  clients: Clients,
  environment: Environment,
  made: readonly MadeSecret[],
  signal: AbortSignal,
): Promise<Look> {
  const { vault, redactor, catalog } = clients;
  const { state, detail } = await stateForPeople(vault, signal);
  if (state !== 'open') return { findings: [await notOpen(clients, state, redactor.redact(detail))], checked: 1 };
  const reviewer = await reviewerFindings(clients, signal);
  // Logs in anew: a token that is still valid would hide that logins no longer work.
  vault.forgetLogin();
  try {
    return await vault.asDeployer(async (session) => {
      const inside = await lookInside(clients, environment.name, session, signal);
      const login = {
        kubernetesHost: clients.connections.vault.kubernetesHost,
        certificateAuthority: await certificateFor(
          clients.kubernetes,
          VAULT_REVIEWER_SERVICE_ACCOUNT.namespace,
          signal,
        ),
      };
      const foundation = vaultFindings(inside.seen, {
        login,
        deployer: deployerRole(),
        policies: wantedPolicies(catalog, inside.seen.auths && accessorOf(inside.seen.auths)),
        services: serviceRoles(catalog),
        earlier: supersededAccess(catalog, {
          policies: readable(inside.seen.policies),
          roles: readable(inside.seen.roles),
        }),
      });
      const missingMount = inside.seen.mounts?.has(`${VAULT.kvMount}/`) === false;
      const values = missingMount
        ? []
        : await Promise.all(
            (inside.paths ?? []).map(async (path) =>
              pathFindings(
                await judged(path, inside, made, () =>
                  restorable(session, path.declared, path.entry?.data ?? {}, path.history, made, signal),
                ),
              ),
            ),
          );
      return {
        findings: [
          ...foundation.findings,
          ...reviewer,
          ...values.flat(),
          ...(await overdue(clients, environment, session, inside.paths ?? [], signal)),
          ...inside.unseen,
        ],
        checked: foundation.checked + (inside.paths?.length ?? 0) + 1,
        inside,
      };
    }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const why = redactor.redact(error instanceof Error ? error.message : String(error));
    const { name, namespace } = DEPLOYER_SERVICE_ACCOUNT;
    return {
      findings: [
        ...reviewer,
        notObservable(
          'vault',
          'Vault login of the deployer',
          why,
          `Nothing in Vault could be looked at as service account ${namespace}/${name}. A deployment lays login and role of the deployer anew, as root made from the unseal keys: npm run ananta -- deploy --env ${environment.name}`,
        ),
      ],
      checked: 1,
    };
  }
}

/** One request: when each path was written is known by now. */
async function overdue(
  { catalog }: Pick<Clients, 'catalog'>,
  environment: Environment,
  session: VaultSession,
  paths: readonly ReadPath[],
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const { rotatable } = choosePossible(catalog, environment, {});
  if (rotatable.length === 0) return [];
  const dates = await readDates(session, signal);
  const histories = new Map(paths.map(({ declared, history }) => [declared.path, history]));
  const aged = rotatable.flatMap((secret) => {
    const history = histories.get(secret.path);
    const { ended, begun } = dates(secret);
    const since = validSince(ended, history);
    if (history === undefined || history.newest === 0) return [];
    return [{ secret, ...(since === undefined ? {} : { since }), ...(begun === undefined ? {} : { begun }) }];
  });
  const { name, rotation } = environment;
  return overdueFindings(aged, { rotation, name, now: Date.now() });
}

function readable<T>(seen: ReadonlyMap<string, T | undefined> | undefined): Map<string, T> {
  return new Map([...(seen ?? [])].flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

async function notOpen({ vault }: Clients, state: string, detail: string): Promise<DriftFinding> {
  if (state === 'sealed') {
    const keys = await vault.keys.read().then(
      (kept) => kept !== undefined && opens(kept),
      () => false,
    );
    return vaultFinding({
      kind: 'sealed',
      area: 'vault',
      object: 'Vault',
      service: VAULT.service,
      is: detail,
      ...(keys
        ? { repair: 'unseal' as const }
        : {
            note: `${vault.keys.path} holds no keys that the deployer could open it with: restore them, or let those who have them unseal it (npm run ananta -- vault unseal). What it holds could not be looked at.`,
          }),
    });
  }
  if (state === 'uninitialized') {
    return vaultFinding({
      kind: 'missing',
      area: 'vault',
      object: 'Vault',
      service: VAULT.service,
      is: detail,
      note: 'Everything that it held is gone. Restore its volume from a backup; or deploy: it is initialised anew and takes back what Kubernetes Secrets still hold, unless data are there whose passwords stand nowhere any more; those are named.',
    });
  }
  return notObservable(
    'vault',
    'Vault',
    detail,
    state === 'absent' ? 'It has no pod.' : 'It does not answer; what it holds could not be looked at.',
  );
}

/** The token with which Vault asks the API server about logins; no release holds it. */
async function reviewerFindings({ kubernetes }: Clients, signal: AbortSignal): Promise<DriftFinding[]> {
  const { namespace } = VAULT_REVIEWER_SERVICE_ACCOUNT;
  try {
    if (await kubernetes.get(paths.secret(namespace, REVIEWER_TOKEN), signal)) return [];
  } catch {
    // Said with the other Secrets.
    signal.throwIfAborted();
    return [];
  }
  return [
    vaultFinding({
      kind: 'missing',
      area: 'secret',
      object: `Secret ${namespace}/${REVIEWER_TOKEN}`,
      service: VAULT.service,
      repair: 'vault',
      note: 'Without this token Vault cannot check any login.',
    }),
  ];
}

async function judged(
  { declared, entry, history }: ReadPath,
  { receipt }: Inside,
  made: readonly MadeSecret[],
  look: () => ReturnType<typeof restorable>,
): Promise<Parameters<typeof pathFindings>[0]> {
  const noText = keysWithoutText(declared, entry);
  const absent = declared.keys.filter(({ name }) => entry?.data[name] === undefined && !noText.has(name));
  const found = absent.length === 0 ? new Map<string, { from: string }>() : await look();
  return {
    declared,
    keys: entry && Object.keys(entry.data),
    noText,
    newest: history.versions[0],
    deleteAfter: history.deleteAfter,
    restorable: new Map([...found].map(([key, { from }]) => [key, from])),
    lost: absent
      .filter((key) => !found.has(key.name) && hadValue(receipt, made, declared.path, key))
      .map(({ name }) => name),
  };
}
