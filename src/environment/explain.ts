/** Turns what zod found into sentences that a platform engineer can act on. */
import { z } from 'zod';
import { suggestion } from '../suggest.ts';
import { valueAt } from './files/merge.ts';

/** Of a text that somebody wrote, in a message. */
const SHOWN_TEXT = 80;
/** Of many unknown keys, the names of the first are compared with the known ones. */
const EXPLAINED_KEYS = 100;
/** With so many unknown keys the list of known ones is repeated. */
const LISTED_KEYS = 20;

export interface Finding {
  path: PropertyKey[];
  message: string;
}

const shapes = new WeakMap<z.ZodType, JsonSchema>();

/**
 * @param schema what the input was checked against; known keys are taken from it
 * @param input what was checked
 */
export function explainIssues(error: z.ZodError, schema: z.ZodType, input: unknown): Finding[] {
  const shape = shapes.get(schema) ?? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  shapes.set(schema, shape);
  return error.issues.flatMap((issue) => explain(issue, [], shape, input));
}

/** The list of known keys is repeated only for the first findings. */
function knownText(known: readonly string[], index: number): string {
  return index < LISTED_KEYS ? `; known here: ${known.join(', ')}` : '; known keys as above';
}

type Issue = z.core.$ZodIssue;
type JsonSchema = {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  /** Of a list. */
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
};

function explain(issue: Issue, prefix: PropertyKey[], shape: JsonSchema, input: unknown): Finding[] {
  const path = [...prefix, ...issue.path];
  if (issue.code === 'invalid_union') return explainUnion(issue, path, shape, input);
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(shape, path);
    const short = (key: string): boolean => key.length <= SHOWN_TEXT;
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: `unknown key${(index < EXPLAINED_KEYS && short(key) && suggestion(key, known)) || knownText(known, index)}`,
    }));
  }
  if (issue.code === 'invalid_type') {
    const value = valueAt(input, path);
    return [{ path, message: explainType(issue.expected, value) }];
  }
  if (issue.code === 'invalid_value') {
    const allowed = issue.values.map(String);
    const value = valueAt(input, path);
    const given = value === undefined ? 'is missing' : `cannot be ${describe(value)}`;
    return [
      {
        path,
        message: `${given}: use ${allowed.join(' or ')}${typeof value === 'string' ? suggestion(value, allowed) : ''}`,
      },
    ];
  }
  if (issue.code === 'invalid_key') return [{ path, message: 'this key is not possible here' }];
  if (issue.code === 'too_small' || issue.code === 'too_big') return [{ path, message: explainLimit(issue) }];
  return [{ path, message: issue.message }];
}

function explainType(expected: string, value: unknown): string {
  const wanted = article(expected);
  if (value === undefined) return `is missing: ${wanted} is needed`;
  const meant = expected === 'boolean' && typeof value === 'string' ? BOOLEANS[value.toLowerCase()] : undefined;
  const quoted =
    expected === 'string' && (typeof value === 'number' || typeof value === 'boolean') ? `'${value}'` : undefined;
  const hint = meant ?? quoted;
  return `has to be ${wanted}, not ${describe(value)}${hint === undefined ? '' : `: write ${hint}`}`;
}

/** Words that older YAML took for these. */
const BOOLEANS: Record<string, string> = {
  yes: 'true',
  on: 'true',
  y: 'true',
  true: 'true',
  no: 'false',
  off: 'false',
  n: 'false',
  false: 'false',
};

function explainLimit(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  if (issue.origin === 'string') return 'may not be empty';
  const [word, limit] = issue.code === 'too_small' ? ['least', issue.minimum] : ['most', issue.maximum];
  return issue.inclusive === false
    ? `has to be ${issue.code === 'too_small' ? 'more' : 'less'} than ${limit}`
    : `has to be at ${word} ${limit}`;
}

/** Of several alternatives, the one that fits best is what the author meant. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: PropertyKey[],
  shape: JsonSchema,
  input: unknown,
): Finding[] {
  const value = valueAt(input, path);
  if (value === undefined)
    return [
      {
        path,
        message: `is missing: give ${alternatives(shape, path) ?? 'one of the forms in docs/look-up/environments.md'}`,
      },
    ];
  // What is no list at all was not meant as a list.
  const fitting = issue.errors.filter(
    (errors) => !errors.some(({ code, path: at }) => code === 'invalid_type' && at.length === 0),
  );
  const branches = fitting.map((errors) => errors.flatMap((nested) => explain(nested, path, shape, input)));
  const best = branches.reduce<Finding[] | undefined>(
    (fewest, findings) => (fewest === undefined || findings.length < fewest.length ? findings : fewest),
    undefined,
  );
  if (best !== undefined) return best;
  const types = issue.errors.flatMap((errors) =>
    errors.flatMap((nested) => (nested.code === 'invalid_type' ? [article(nested.expected)] : [])),
  );
  const forms = alternatives(shape, path);
  return [
    {
      path,
      message:
        forms === undefined || new Set(types).size > 1
          ? `has to be ${[...new Set(types)].join(', or ')}, not ${describe(value)}`
          : `${isOfSecret(forms) ? 'cannot be the value itself, since this file is no place for secrets' : `cannot be ${describe(value)}`}: give ${forms}`,
    },
  ];
}

/** Forms of a reference to a value that opens something: what was written in its place may be that value. */
function isOfSecret(forms: string): boolean {
  return ['file', 'env', 'secret', 'vault'].every((form) => forms.includes(form));
}

function alternatives(shape: JsonSchema, path: readonly PropertyKey[]): string | undefined {
  const branches = schemasAt(shape, path)
    .map((schema) =>
      Object.keys(schema.properties ?? {})
        .slice(0, 2)
        .join(' and '),
    )
    .filter((keys) => keys !== '');
  return branches.length > 0 ? `either ${branches.join(', or ')}` : undefined;
}

function knownKeys(shape: JsonSchema, path: readonly PropertyKey[]): string[] {
  return [...new Set(schemasAt(shape, path).flatMap((schema) => Object.keys(schema.properties ?? {})))];
}

/** All schemas that may apply at a path, alternatives included. */
function schemasAt(shape: JsonSchema, path: readonly PropertyKey[]): JsonSchema[] {
  let schemas = branchesOf(shape);
  for (const part of path) {
    schemas = schemas.flatMap((schema) => {
      const next =
        typeof part === 'number' ? schema.items : (schema.properties?.[String(part)] ?? schema.additionalProperties);
      return typeof next === 'object' ? branchesOf(next) : [];
    });
  }
  return schemas;
}

function branchesOf(schema: JsonSchema): JsonSchema[] {
  const branches = schema.anyOf ?? schema.oneOf;
  return branches ? branches.flatMap(branchesOf) : [schema];
}

function article(type: string): string {
  const names: Record<string, string> = {
    string: 'a text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a group of keys',
    record: 'a group of keys',
  };
  return names[type] ?? type;
}

function describe(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  const text = JSON.stringify(value);
  return text.length > SHOWN_TEXT ? `${text.slice(0, SHOWN_TEXT)}…` : text;
}
