/**
 * Who applies what is taken over by itself, and how it is told to stop: Applications of Argo CD, HelmReleases and
 * Kustomizations of Flux. Pure.
 */
import { z } from 'zod';
import { OWNER_LABEL } from '../../contract/names.ts';

/** Newest version first: a cluster may serve an older one alone. */
export const SYNCHRONISERS = [
  { kind: 'Application', paths: ['/apis/argoproj.io/v1alpha1/applications'] },
  {
    kind: 'HelmRelease',
    paths: ['v2', 'v2beta2', 'v2beta1'].map((version) => `/apis/helm.toolkit.fluxcd.io/${version}/helmreleases`),
  },
  {
    kind: 'Kustomization',
    paths: ['v1', 'v1beta2'].map((version) => `/apis/kustomize.toolkit.fluxcd.io/${version}/kustomizations`),
  },
] as const;
export type SynchroniserKind = (typeof SYNCHRONISERS)[number]['kind'];

export interface Synchroniser {
  kind: SynchroniserKind;
  namespace: string;
  name: string;
  /** Of whom it would be switched on again: `ApplicationSet argocd/platform`. */
  by?: string;
  /** What it applies, as far as it says: `HelmRelease data/database`, `Deployment apps/web`. */
  covers: string[];
  /** Exact commands that make it stop, in order. */
  stop: string[];
}

/** Whose objects are looked for. */
export interface Covered {
  /** `<namespace>/<name>` of a release. */
  release: string;
  /** `<kind> <namespace>/<name>` of its objects. */
  objects: readonly string[];
}

const IN_CLUSTER = ['https://kubernetes.default.svc', 'in-cluster'];
const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string().default(''),
  labels: z.record(z.string(), z.string()).nullish(),
  ownerReferences: z.array(z.looseObject({ kind: z.string(), name: z.string() })).nullish(),
});
const helmSourceSchema = z.looseObject({
  chart: z.string().optional(),
  helm: z.looseObject({ releaseName: z.string().optional() }).nullish(),
});
const applicationSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    source: helmSourceSchema.nullish(),
    sources: z.array(helmSourceSchema).nullish(),
    destination: z
      .looseObject({ server: z.string().optional(), name: z.string().optional(), namespace: z.string().optional() })
      .default({}),
    syncPolicy: z.looseObject({ automated: z.looseObject({ enabled: z.boolean().optional() }).nullish() }).nullish(),
  }),
  status: z
    .looseObject({
      resources: z
        .array(z.looseObject({ kind: z.string(), namespace: z.string().optional(), name: z.string() }))
        .nullish(),
    })
    .nullish(),
});
const helmReleaseSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({
    releaseName: z.string().optional(),
    targetNamespace: z.string().optional(),
    suspend: z.boolean().default(false),
  }),
});
const kustomizationSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.looseObject({ suspend: z.boolean().default(false) }),
  status: z
    .looseObject({
      inventory: z.looseObject({ entries: z.array(z.looseObject({ id: z.string() })).nullish() }).nullish(),
    })
    .nullish(),
});

/**
 * @param found by kind, as the API server lists them
 * @returns those that write by themselves what is taken over; suspended ones, and those without automated
 * synchronisation, do not
 */
export function synchronisersOf(
  found: readonly { kind: SynchroniserKind; items: readonly unknown[] }[],
  covered: readonly Covered[],
): Synchroniser[] {
  const releases = new Set(covered.map(({ release }) => release));
  const objects = new Set(covered.flatMap((one) => one.objects));
  const all = found.flatMap(({ kind, items }) => items.flatMap((item) => READERS[kind](item) ?? []));
  return all.flatMap(({ applies, manages, ...one }) => {
    const covers = [
      ...applies.filter((release) => releases.has(release)).map((release) => `release ${release}`),
      ...manages.filter((object) => objects.has(object)),
    ];
    const parent = all.find(
      (other) => other.kind === 'Application' && other.manages.includes(`${one.kind} ${one.namespace}/${one.name}`),
    );
    const by = one.by ?? (parent && `Application ${parent.namespace}/${parent.name}`);
    if (covers.length === 0) return [];
    const stop = parent === undefined ? one.stop : [...parent.stop, ...one.stop];
    return [{ ...one, covers: [...new Set(covers)].sort(), stop, ...(by === undefined ? {} : { by }) }];
  });
}

interface Read extends Omit<Synchroniser, 'covers'> {
  /** Releases that it renders or installs. */
  applies: string[];
  /** Objects that it says are its own. */
  manages: string[];
}

/** @returns undefined for one that changes nothing by itself, for ours, and for what is none */
const READERS: Record<SynchroniserKind, (item: unknown) => Read | undefined> = {
  Application: (item) => {
    const { data } = applicationSchema.safeParse(item);
    // Those of the deployer show, and do nothing.
    if (data === undefined || data.metadata.labels?.[OWNER_LABEL] !== undefined) return undefined;
    const { metadata, spec, status } = data;
    const { destination } = spec;
    const automated = spec.syncPolicy?.automated;
    if (!automated || automated.enabled === false) return undefined;
    // Of another cluster, whose objects may have the same names.
    if (
      ![destination.server, destination.name].every(
        (one) => one === undefined || one === '' || IN_CLUSTER.includes(one),
      )
    )
      return undefined;
    const { name, namespace } = metadata;
    const into = destination.namespace ?? 'default';
    const sources = [spec.source ?? {}, ...(spec.sources ?? [])];
    const owner = metadata.ownerReferences?.find(({ kind }) => kind === 'ApplicationSet');
    return {
      kind: 'Application',
      namespace,
      name,
      ...(owner === undefined ? {} : { by: `ApplicationSet ${namespace}/${owner.name}` }),
      applies: sources
        .filter(({ chart, helm }) => chart !== undefined || helm)
        .map(({ helm }) => `${into}/${helm?.releaseName ?? name}`),
      manages: (status?.resources ?? []).map((one) => `${one.kind} ${one.namespace ?? into}/${one.name}`),
      stop: [
        ...(owner === undefined
          ? []
          : [
              `kubectl --namespace ${namespace} edit applicationset ${owner.name}   (add to spec.ignoreApplicationDifferences: {name: ${name}, jsonPointers: [/spec/syncPolicy]})`,
            ]),
        `argocd app set ${namespace === '' ? name : `${namespace}/${name}`} --sync-policy none`,
      ],
    };
  },
  HelmRelease: (item) => {
    const { data } = helmReleaseSchema.safeParse(item);
    if (data === undefined || data.spec.suspend) return undefined;
    const { metadata, spec } = data;
    const { name, namespace } = metadata;
    const own = spec.targetNamespace === undefined ? name : `${spec.targetNamespace}-${name}`;
    return {
      kind: 'HelmRelease',
      namespace,
      name,
      applies: [`${spec.targetNamespace ?? namespace}/${spec.releaseName ?? own}`],
      manages: [],
      stop: [`flux suspend helmrelease ${name} --namespace ${namespace}`],
    };
  },
  Kustomization: (item) => {
    const { data } = kustomizationSchema.safeParse(item);
    if (data === undefined || data.spec.suspend) return undefined;
    const { name, namespace } = data.metadata;
    return {
      kind: 'Kustomization',
      namespace,
      name,
      applies: [],
      manages: (data.status?.inventory?.entries ?? []).flatMap(({ id }) => {
        // <namespace>_<name>_<group>_<kind>; names may not hold an underscore, those of roles have two for a colon.
        const [inNamespace, object, , kind] = id.split('_');
        return kind === undefined ? [] : [`${kind} ${inNamespace ?? ''}/${object ?? ''}`];
      }),
      stop: [`flux suspend kustomization ${name} --namespace ${namespace}`],
    };
  },
};

/** Each with what it applies, and how it is told to stop. Pure. */
export function synchroniserLines(synchronisers: readonly Synchroniser[]): string[] {
  return synchronisers.flatMap(({ kind, namespace, name, by, covers, stop }) => [
    `${kind} ${namespace}/${name}${by === undefined ? '' : ` (of ${by})`} applies ${shown(covers)}:`,
    ...stop.map((command) => `  ${command}`),
  ]);
}

const SHOWN = 3;
function shown(covers: readonly string[]): string {
  const more = covers.length - SHOWN;
  return `${covers.slice(0, SHOWN).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
