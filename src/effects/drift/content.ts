/**
 * Buckets, realm, Temporal namespaces, ledgers, Applications: asked of real pods; of simulated ones it is said that
 * they cannot show them.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../catalog/schema.ts';
import type { Clients } from '../../clients/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import { helmFolder } from '../../environment/platform-folder.ts';
import { showsReleases } from '../../plan/inputs/applications.ts';
import { applicationFindings } from '../../plan/drift/content-findings.ts';
import { type Migration, migrationsOf } from '../../plan/drift/content-ledger.ts';
import {
  isSimulatedPod,
  type SimulatedContents,
  simulatedLine,
  simulatedNodes,
} from '../../plan/drift/content-simulated.ts';
import { notObservable } from '../../plan/drift/vault/finding.ts';
import { allReleases, findService } from '../../plan/releases.ts';
import { readPods, readyPods } from '../observe/workloads.ts';
import type { ProbeTarget } from '../probe/types.ts';
import { askBuckets, askKeycloak, askLedger, askTemporal, type ContentClients } from './content-services.ts';

type Look = ContentClients & Pick<Clients, 'config' | 'environment'>;

interface Content {
  /** For findings. */
  object: string;
  /** Service whose pods can show it. */
  service: string;
  ask: (target: ProbeTarget, signal: AbortSignal) => Promise<DriftFinding[]>;
  /** Counts it among what is simulated. */
  simulated: (line: SimulatedContents) => void;
}

const NODES = '/api/v1/nodes';
const TIMEOUT_MILLISECONDS = 10_000;

/** Throws only for the signal. */
export async function findContentDrift(
  clients: Look,
  signal: AbortSignal,
): Promise<{ findings: DriftFinding[]; simulated: string }> {
  const line: SimulatedContents = {
    bucketSets: 0,
    realm: undefined,
    temporalNamespaces: 0,
    ledgers: 0,
    applications: 0,
  };
  const contents = contentsOf(clients).filter(({ service }) =>
    clients.catalog.services.some(({ name }) => name === service),
  );
  let nodes: ReadonlySet<string>;
  try {
    nodes = simulatedNodes((await clients.kubernetes.list(NODES, {}, signal)).items);
  } catch (error) {
    signal.throwIfAborted();
    return {
      findings: [
        notObservable(
          'content',
          'Contents of databases and stores',
          wordsOf(clients, error),
          'Without the right to list nodes nobody can tell simulated pods from real ones.',
        ),
      ],
      simulated: '',
    };
  }
  const findings = await Promise.all(contents.map((content) => lookAt(clients, content, nodes, line, signal)));
  return { findings: findings.flat(), simulated: simulatedLine(line) };
}

async function lookAt(
  clients: Look,
  { object, service, ask, simulated }: Content,
  nodes: ReadonlySet<string>,
  line: SimulatedContents,
  signal: AbortSignal,
): Promise<DriftFinding[]> {
  const { namespace, ports } = findService(clients.catalog, service);
  const timeout = AbortSignal.timeout(TIMEOUT_MILLISECONDS);
  const limited = AbortSignal.any([signal, timeout]);
  const note = `It could not be asked of ${service} in ${namespace}; that is neither right nor wrong.`;
  try {
    const pods = await readPods(clients.kubernetes, { namespace, name: service }, [], limited);
    if (pods.length > 0 && pods.every((pod) => isSimulatedPod(pod, nodes))) {
      simulated(line);
      return [];
    }
    const [pod] = readyPods(
      pods.filter((candidate) => !isSimulatedPod(candidate, nodes)),
      ports[0]?.containerPort,
    );
    if (!pod) return [notObservable('content', object, 'no pod is ready', note)];
    return await ask({ namespace, release: service, pod: pod.metadata.name }, limited);
  } catch (error) {
    signal.throwIfAborted();
    return [
      notObservable(
        'content',
        object,
        timeout.aborted ? `no answer within ${TIMEOUT_MILLISECONDS / 1000} s` : wordsOf(clients, error),
        note,
      ),
    ];
  }
}

function contentsOf(clients: Look): Content[] {
  const { bucketSets, realm, temporalNamespaces, migrations, applicationSet } = clients.catalog;
  return [
    ...bucketSets.map(
      (set): Content => ({
        object: `Buckets of ${set.server}`,
        service: set.server,
        ask: (target, signal) => askBuckets(clients, target, set, signal),
        simulated: (line) => {
          line.bucketSets += 1;
        },
      }),
    ),
    ...(realm === undefined
      ? []
      : [
          {
            object: `Realm ${realm.name}`,
            service: serverOf(clients, realm.job),
            ask: (target: ProbeTarget, signal: AbortSignal) => askKeycloak(clients, target, realm, signal),
            simulated: (line: SimulatedContents) => {
              line.realm = realm.name;
            },
          },
        ]),
    {
      object: 'Temporal namespaces',
      service: serverOf(clients, temporalNamespaces[0]?.job),
      ask: (target, signal) => askTemporal(clients, target, temporalNamespaces, signal),
      simulated: (line) => {
        line.temporalNamespaces = temporalNamespaces.length;
      },
    },
    ...migrations.map(
      (migration): Content => ({
        object: `Migration ledger of ${migration.database}`,
        service: migration.database.split('/')[0] ?? '',
        ask: async (target, signal) =>
          askLedger(clients, target, migration, await migrationFiles(clients, migration.location), signal),
        simulated: (line) => {
          line.ledgers += 1;
        },
      }),
    ),
    ...(applicationSet === undefined ? [] : [applicationsOf(clients, applicationSet)]),
  ];
}

function applicationsOf(
  { catalog, kubernetes }: Look,
  { namespace, namespaces }: NonNullable<Catalog['applicationSet']>,
): Content {
  return {
    object: "Argo CD's Applications",
    service: allReleases(catalog).find(showsReleases)?.service ?? '',
    simulated: (line) => {
      line.applications = namespaces.length;
    },
    ask: async (_target, signal) => {
      const { items } = await kubernetes.list(
        `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/applications`,
        {},
        signal,
      );
      return applicationFindings(namespace, namespaces, new Set(items.map(({ metadata }) => metadata.name)));
    },
  };
}

/** The service that a Job works on: its own, where it is a step of one, else what it waits for. */
function serverOf({ catalog }: Look, job: string | undefined): string {
  const release = allReleases(catalog).find(({ name }) => name === job);
  if (release === undefined) return '';
  return release.position === 'main' ? (findService(catalog, release.service).dependsOn[0] ?? '') : release.service;
}

async function migrationFiles({ environment, config }: Look, location: string): Promise<Migration[]> {
  const folder = join(helmFolder(environment, config), location);
  const names = await readdir(folder);
  return migrationsOf(
    new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const))),
  );
}

function wordsOf({ redactor }: Look, error: unknown): string {
  return redactor.redact(error instanceof Error ? error.message : String(error));
}
