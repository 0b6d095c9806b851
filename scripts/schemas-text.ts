/** OpenAPI of the API server less descriptions, defaults and what nobody writes into an object; a definition a line. */
type Node = Record<string, unknown>;

const GROUPS = [
  'api/v1',
  'apis/admissionregistration.k8s.io/v1',
  'apis/apiextensions.k8s.io/v1',
  'apis/apps/v1',
  'apis/autoscaling/v2',
  'apis/batch/v1',
  'apis/networking.k8s.io/v1',
  'apis/policy/v1',
  'apis/rbac.authorization.k8s.io/v1',
  'apis/scheduling.k8s.io/v1',
  'apis/storage.k8s.io/v1',
];
const KEPT = [
  'type',
  'format',
  'enum',
  'required',
  'properties',
  'items',
  'additionalProperties',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-preserve-unknown-fields',
];
const PREFIX = '#/components/schemas/';
/** Written by the API server and by controllers. */
const THEIRS = ['status', 'managedFields'];

/** @param ask `kubectl get --raw` */
export async function schemasText(ask: (path: string) => Promise<unknown>): Promise<string> {
  const { gitVersion } = (await ask('/version')) as { gitVersion: string };
  const all: Node = {};
  for (const group of GROUPS) {
    const { components } = (await ask(`/openapi/v3/${group}`)) as { components: { schemas: Node } };
    Object.assign(all, components.schemas);
  }
  const kinds = Object.fromEntries(
    Object.entries(all).flatMap(([name, schema]) => {
      const { 'x-kubernetes-group-version-kind': of = [], properties = {} } = schema as {
        'x-kubernetes-group-version-kind'?: { group: string; version: string; kind: string }[];
        properties?: Node;
      };
      const [only] = of;
      const isObject = only !== undefined && of.length === 1 && 'metadata' in properties && !('items' in properties);
      return isObject ? [[`${only.group === '' ? '' : `${only.group}/`}${only.version}/${only.kind}`, name]] : [];
    }),
  );
  const definitions: Node = {};
  const take = (name: string): void => {
    if (name in definitions) return;
    definitions[name] = {};
    definitions[name] = trimmed(all[name] as Node, take);
  };
  for (const name of Object.values(kinds)) take(name);
  const lines = (tree: Node): string =>
    Object.keys(tree)
      .sort()
      .map((name) => `    ${JSON.stringify(name)}: ${JSON.stringify(tree[name])}`)
      .join(',\n');
  const version = JSON.stringify(gitVersion.replace(/[-+].*/, ''));
  return `{\n  "version": ${version},\n  "kinds": {\n${lines(kinds)}\n  },\n  "definitions": {\n${lines(definitions)}\n  }\n}\n`;
}

function trimmed(schema: Node, take: (name: string) => void): Node {
  const [only] = (schema['allOf'] ?? []) as Node[];
  const ref = (schema['$ref'] ?? only?.['$ref']) as string | undefined;
  if (ref !== undefined) {
    const name = ref.slice(PREFIX.length);
    take(name);
    return { $ref: name };
  }
  const tree: Node = {};
  for (const key of KEPT) {
    const value = schema[key];
    if (value === undefined) continue;
    if (key === 'properties')
      tree[key] = Object.fromEntries(
        Object.entries(value as Node).map(([name, of]) => [
          name,
          THEIRS.includes(name) ? {} : trimmed(of as Node, take),
        ]),
      );
    else
      tree[key] =
        key === 'items' || (key === 'additionalProperties' && typeof value === 'object')
          ? trimmed(value as Node, take)
          : value;
  }
  return tree;
}
