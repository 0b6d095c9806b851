/**
 * What the API server would refuse about an object: fields and types by its own schemas, and the rules of each
 * definition beyond types. Pure.
 */
import { isTree, type Tree } from '../../environment/files/merge.ts';
import { parseQuantity } from '../../environment/fields/formats/quantity.ts';
import { suggestion } from '../../suggest.ts';
import { nameProblem, RULES } from './rules/index.ts';
import type { Schema, Schemas } from './schemas.ts';

export interface ObjectProblem {
  /** `spec.template.spec.containers[web].image` */
  path: string;
  message: string;
}

interface Walk {
  definitions: Schemas['definitions'];
  found: ObjectProblem[];
}

export const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
/** Limit on nesting; objects of charts stay far below it. */
const MOST_PROBLEMS = 20;

/**
 * @param custom schemas of definitions that charts bring along, by `<apiVersion>/<kind>`
 * @returns undefined for a kind that nobody has described: it cannot be judged here
 */
export function objectProblems(
  object: Tree,
  schemas: Schemas,
  custom: ReadonlyMap<string, Schema> = new Map(),
): ObjectProblem[] | undefined {
  const [apiVersion, kind] = [String(object['apiVersion']), String(object['kind'])];
  const own = schemas.kinds[`${apiVersion}/${kind}`];
  const given = custom.get(`${apiVersion}/${kind}`);
  if (own === undefined && given === undefined) {
    const served = servedInstead(schemas, apiVersion, kind);
    return served === undefined ? undefined : [{ path: 'apiVersion', message: served }];
  }
  const walk: Walk = { definitions: schemas.definitions, found: [] };
  if (own !== undefined) check(walk, object, { $ref: own }, '');
  else if (given !== undefined) {
    check(walk, object['metadata'], { $ref: META }, 'metadata');
    check(walk, { ...object, metadata: {} }, { ...given, properties: { ...ROOT, ...given.properties } }, '');
  }
  const named = nameProblem(kind, isTree(object['metadata']) ? object['metadata']['name'] : undefined);
  if (named !== undefined) walk.found.push({ path: 'metadata.name', message: named });
  return walk.found.slice(0, MOST_PROBLEMS);
}

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
const ROOT: Record<string, Schema> = { apiVersion: {}, kind: {}, metadata: {}, status: {} };

/** @returns undefined where the group is none of the API server's own */
function servedInstead({ version, kinds }: Schemas, apiVersion: string, kind: string): string | undefined {
  const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0] ?? ''}/` : '';
  const ofGroup = Object.keys(kinds).filter(
    (name) => name.startsWith(group) && name.split('/').length === (group === '' ? 2 : 3),
  );
  if (ofGroup.length === 0) return undefined;
  const instead = Object.keys(kinds).find((name) => name.endsWith(`/${kind}`));
  return `Kubernetes ${version} has no ${kind} in ${apiVersion}${instead === undefined ? '' : `, but in ${instead.slice(0, -kind.length - 1)}`}`;
}

function check(walk: Walk, value: unknown, schema: Schema, path: string): void {
  if (value === null || value === undefined) return;
  const add = (below: string, message: string): void => {
    walk.found.push({ path: joined(path, below), message });
  };
  const { $ref: name } = schema;
  if (name !== undefined) {
    if (name === QUANTITY) {
      checkQuantity(value, add);
      return;
    }
    if (name === INT_OR_STRING) {
      checkIntOrText(value, add);
      return;
    }
    const before = walk.found.length;
    check(walk, value, walk.definitions[name] ?? {}, path);
    // Rules are not evaluated on values of a wrong type.
    if (walk.found.length === before && isTree(value)) RULES[shortName(name)]?.(value, add);
    return;
  }
  const wrong = typeProblem(value, schema);
  if (schema['x-kubernetes-int-or-string'] === true) checkIntOrText(value, add);
  else if (wrong !== undefined) add('', wrong);
  else if (Array.isArray(value)) checkList(walk, value, schema, path);
  else if (isTree(value)) checkTree(walk, value, schema, path);
}

function checkTree(walk: Walk, value: Tree, schema: Schema, path: string): void {
  const { properties, additionalProperties, required = [] } = schema;
  for (const name of required)
    if (value[name] === undefined || value[name] === null)
      walk.found.push({ path: joined(path, name), message: 'is missing' });
  const known = Object.keys(properties ?? {});
  for (const [key, below] of Object.entries(value)) {
    if (below === undefined) continue;
    const of = properties?.[key] ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    if (of !== undefined) check(walk, below, of, joined(path, key));
    else if (
      properties !== undefined &&
      additionalProperties === undefined &&
      !schema['x-kubernetes-preserve-unknown-fields']
    ) {
      walk.found.push({
        path: joined(path, key),
        message: `is no field that Kubernetes knows there${suggestion(key, known)}`,
      });
    }
  }
}

/** Of a port without one. */
const DEFAULTS: Record<string, string> = { protocol: 'TCP' };

function checkList(walk: Walk, list: readonly unknown[], schema: Schema, path: string): void {
  const keys = schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : [];
  const seen = new Set<string>();
  for (const [at, one] of list.entries()) {
    const name = isTree(one) && typeof one['name'] === 'string' ? one['name'] : String(at);
    const below = `${path}[${name}]`;
    if (one === null && keys.length > 0) walk.found.push({ path: below, message: 'is empty' });
    // Anywhere else an empty one is what has nothing set.
    const value = one === null && keys.length === 0 && schema.items?.$ref !== undefined ? {} : one;
    if (schema.items !== undefined) check(walk, value, schema.items, below);
    const key =
      keys.length > 0 && isTree(one)
        ? JSON.stringify(keys.map((each) => one[each] ?? DEFAULTS[each]))
        : schema['x-kubernetes-list-type'] === 'set'
          ? JSON.stringify(one)
          : undefined;
    if (key === undefined) continue;
    if (seen.has(key))
      walk.found.push({
        path: below,
        message: `is there twice: one ${keys.join(' and ') || 'value'} may be there once`,
      });
    seen.add(key);
  }
}

type Add = (below: string, message: string) => void;

function checkQuantity(value: unknown, add: Add): void {
  if (typeof value !== 'string' && typeof value !== 'number') add('', `has to be a quantity, and is ${kindOf(value)}`);
  else if (parseQuantity(String(value)) === undefined)
    add('', `${JSON.stringify(value)} is no quantity of Kubernetes, such as 500m, 2 or 1Gi`);
}

function checkIntOrText(value: unknown, add: Add): void {
  if (typeof value !== 'string' && !Number.isInteger(value))
    add('', `has to be a whole number or a text, and is ${kindOf(value)}`);
  else if (Math.abs(Number(value)) >= INT32 && typeof value === 'number') add('', `${value} is too large`);
}

const INT32 = 2 ** 31;

function typeProblem(value: unknown, schema: Schema): string | undefined {
  const { type, format, enum: allowed } = schema;
  const is = kindOf(value);
  if (type === 'integer') {
    if (!Number.isInteger(value)) return `has to be a whole number, and is ${is}`;
    if (format === 'int32' && Math.abs(value as number) >= INT32) return `${String(value)} is too large`;
  } else if (type === 'number' ? typeof value !== 'number' : type === 'boolean' ? typeof value !== 'boolean' : false)
    return `has to be ${type === 'number' ? 'a number' : 'true or false'}, and is ${is}`;
  else if (type === 'string' && typeof value !== 'string') return `has to be a text, and is ${is}: put it in quotes`;
  else if (type === 'array' && !Array.isArray(value)) return `has to be a list, and is ${is}`;
  else if (type === 'object' && !isTree(value)) return `has to have keys, and is ${is}`;
  if (typeof value === 'string') {
    if (format === 'date-time' && Number.isNaN(Date.parse(value))) return `${JSON.stringify(value)} is no time`;
    if (
      format === 'byte' &&
      !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(value.replaceAll('\n', ''))
    )
      return 'is no base64';
    if (schema.maxLength !== undefined && value.length > schema.maxLength)
      return `has more than ${schema.maxLength} characters`;
    if (schema.minLength !== undefined && value.length < schema.minLength)
      return `has less than ${schema.minLength} characters`;
    if (schema.pattern !== undefined && matches(schema.pattern, value) === false)
      return `${JSON.stringify(value.slice(0, 80))} does not match ${schema.pattern}`;
  }
  if (typeof value === 'number') {
    if (schema.minimum !== undefined && value < schema.minimum) return `${value} is less than ${schema.minimum}`;
    if (schema.maximum !== undefined && value > schema.maximum) return `${value} is more than ${schema.maximum}`;
  }
  // An empty one is none: it gets its default.
  if (allowed !== undefined && value !== '' && !allowed.includes(value))
    return `${JSON.stringify(value)} is none of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`;
  return undefined;
}

/** Go's regular expressions are nearly those of JavaScript. */
function matches(pattern: string, text: string): boolean | undefined {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isTree(value)) return 'an object';
  return `the ${typeof value === 'string' ? 'text' : typeof value === 'boolean' ? 'value' : 'number'} ${JSON.stringify(value)}`;
}

function joined(path: string, below: string): string {
  return below === '' ? path : path === '' ? below : below.startsWith('[') ? `${path}${below}` : `${path}.${below}`;
}

/** `io.k8s.api.core.v1.PodSpec` as `core.v1.PodSpec`. */
function shortName(definition: string): string {
  return definition.split('.').slice(-3).join('.');
}
