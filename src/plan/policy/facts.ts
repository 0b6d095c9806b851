/** What rules are asked about: a plan, with what is known of its services beside it. Pure. */
import type { OperationPlan } from '../../contract/operations/plan.ts';
import { isTree, type Tree } from '../../environment/files/merge.ts';
import type { ReleaseChange } from '../diff/types.ts';
import { isNoop } from '../progress.ts';
import type { RehearsalFact } from '../rehearsal/content.ts';
import { objectFacts } from './objects.ts';

export interface ImageFact {
  service: string;
  release: string;
  /** As far as it is written down: `docker.io/library/redis:7.4@sha256:…`. */
  reference: string;
  repository: string;
  /** Empty where there is none. */
  tag: string;
  /** `sha256:…`; empty where there is none. */
  digest: string;
  /** As the environment's list says; empty where it says nothing. */
  licence: string;
}

export interface Facts {
  plan: Tree;
  /** Those that the plan changes. */
  services: Tree[];
  /** Of releases that are applied. */
  images: ImageFact[];
  steps: Tree[];
  /** Those that the plan changes, with their fields; or why they are not known. Absent: nobody has looked. */
  objects?: Tree[] | string;
}

export interface KnownOfServices {
  /** Names of services that keep data. */
  stateful: ReadonlySet<string>;
  /** Values by release, as Helm gets them; none where nothing is applied from the checkout. */
  values?: ReadonlyMap<string, Tree>;
  /** What is changed of each release's objects; absent: nobody has looked. */
  changes?: readonly { service: string; release: ReleaseChange }[];
  /** What a rehearsal has shown of it; absent: no rule asks. */
  rehearsal?: RehearsalFact;
  /** By repository, or by what repositories begin with up to a slash. */
  licences?: Readonly<Record<string, string>>;
}

export function factsOf(
  plan: OperationPlan,
  { stateful, values, changes, rehearsal, licences = {} }: KnownOfServices,
): Facts {
  const changed = plan.services.filter(({ action }) => !isNoop(action));
  const images = changed.flatMap((service) =>
    service.steps
      .filter(({ action }) => ['install', 'upgrade', 'retry'].includes(action))
      .flatMap(({ name }) => imagesOf(service.name, name, values?.get(name) ?? {}, licences)),
  );
  const services = changed.map(({ name, namespace, phase, action, reason, dependsOn, steps }) => ({
    name,
    namespace,
    phase: BigInt(phase),
    action,
    reason,
    dependsOn,
    stateful: stateful.has(name),
    releases: steps.map((step) => ({ name: step.name, action: step.action, job: step.job, reason: step.reason })),
    images: images.filter(({ service }) => service === name),
  }));
  const steps = (plan.steps ?? []).map(({ id, kind, reason, service = '', release = '', deleteData = false }) => ({
    ...{ id, kind, reason, service, release, deleteData },
  }));
  const { operation, environment, onFailure, prerequisites } = plan;
  const objects = changes && objectFacts(changes);
  const parts = { services, images, steps, ...(objects === undefined ? {} : { objects }) };
  const shown = rehearsal === undefined ? {} : { rehearsal };
  return { plan: { operation, environment, onFailure, prerequisites, ...parts, ...shown }, ...parts };
}

function imagesOf(
  service: string,
  release: string,
  values: Tree,
  licences: Readonly<Record<string, string>>,
): ImageFact[] {
  const found = imagesIn(values).map(({ registry, repository, tag, digest }) => {
    const path = [registry, repository].filter((part) => typeof part === 'string' && part !== '').join('/');
    const [name, pinned = ''] = (typeof tag === 'string' ? tag : '').split('@');
    const sum = typeof digest === 'string' && digest !== '' ? digest : pinned;
    const label = name ?? '';
    const reference = `${path}${label === '' ? '' : `:${label}`}${sum === '' ? '' : `@${sum}`}`;
    const licence = licenceOf(path, licences);
    return { service, release, reference, repository: path, tag: label, digest: sum, licence };
  });
  return found.filter(({ reference }, index) => found.findIndex((one) => one.reference === reference) === index);
}

/** The longest entry that fits says it. */
function licenceOf(repository: string, licences: Readonly<Record<string, string>>): string {
  const fitting = Object.keys(licences).filter((name) =>
    name.endsWith('/') ? repository.startsWith(name) : repository === name,
  );
  return licences[fitting.sort((a, b) => b.length - a.length)[0] ?? ''] ?? '';
}

/** What a part of a chart that is switched off would run does not count. */
function imagesIn(values: Tree): Tree[] {
  if (values['enabled'] === false) return [];
  return Object.entries(values).flatMap(([key, entry]) => {
    if (!isTree(entry)) return [];
    return /(^i|I)mage$/.test(key) && typeof entry['repository'] === 'string' ? [entry] : imagesIn(entry);
  });
}
