/** Objects with one thing changed as a slip of the hand, or a template gone wrong, changes it. The same for a seed. */
type Json = Record<string, unknown> | unknown[];
type Path = (string | number)[];

const TEXTS = [
  'Bad Name!',
  '',
  'a'.repeat(70),
  'a'.repeat(300),
  'UPPER',
  '-x',
  '1',
  'x_y',
  'x/y',
  '10GB',
  'a..b',
  'x.',
];
const MORE_TEXTS = [' x', '*', '..', 'None', 'é', '1.5', '-1'];
const NUMBERS = [-1, 0, 1.5, '5', 70_000, 1, true];
const OTHERS = [[], {}, 'x', 3, true];

export interface Mutation {
  object: Record<string, unknown>;
  /** For messages. */
  what: string;
}

/** @param objects as many of each kind as there are; each kind is taken as often as any other */
export function mutations(objects: readonly { kind: string }[], count: number, seed: number): Mutation[] {
  let state = seed;
  const random = (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const kinds = [...new Set(objects.map(({ kind }) => kind))];
  const found: Mutation[] = [];
  while (found.length < count) {
    const kind = pick(kinds);
    const object = structuredClone(pick(objects.filter((one) => one.kind === kind))) as Record<string, unknown>;
    const path = pick(
      placesOf(object).filter(
        ([first, second]) =>
          !['apiVersion', 'kind'].includes(String(first)) && second !== undefined && second !== 'namespace',
      ),
    );
    const key = path.at(-1) ?? '';
    const parent = path
      .slice(0, -1)
      .reduce<unknown>((value, each) => (value as Record<string, unknown>)[each], object) as Json;
    const how = change(parent, key, random(), pick);
    const { name } = object['metadata'] as { name?: unknown };
    if (how !== undefined && typeof name === 'string' && /^[\w-][\w.-]*$/.test(name))
      found.push({ object, what: `${kind} ${name}: ${path.join('.')} ${how}` });
  }
  return found;
}

/** @returns how, undefined where nothing was changed */
function change(
  parent: Json,
  key: string | number,
  kind: number,
  pick: <T>(list: readonly T[]) => T,
): string | undefined {
  const tree = parent as Record<string | number, unknown>;
  const before = tree[key];
  const put = (value: unknown): string => {
    tree[key] = value;
    return `is ${JSON.stringify(value).slice(0, 40)}`;
  };
  if (kind < 0.12) {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else Reflect.deleteProperty(parent, key);
    return 'is gone';
  }
  if (kind < 0.2 && Array.isArray(parent)) {
    parent.push(structuredClone(before));
    return 'is there twice';
  }
  if (kind < 0.26 && !Array.isArray(parent)) {
    Reflect.deleteProperty(parent, key);
    parent[`${key}x`] = before;
    return 'is mistyped';
  }
  if (kind < 0.3) return put(null);
  if (kind < 0.34) return put(pick(OTHERS));
  if (typeof before === 'string') return put(pick([...TEXTS, ...MORE_TEXTS]));
  if (typeof before === 'number') return put(pick(NUMBERS));
  if (typeof before === 'boolean') return put(pick(['true', 1, !before]));
  if (Array.isArray(before)) return put(pick([[], [...(before as unknown[]), 'x'], [...(before as unknown[]), {}]]));
  if (typeof before !== 'object' || before === null) return undefined;
  (before as Record<string, unknown>)[pick(['x', 'Bad Key!', 'name', 'a/b/c'])] = pick<unknown>(['x', 1, {}, true]);
  return 'has one key more';
}

function placesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.map((_, at) => at) : Object.keys(value);
  return [path, ...keys.flatMap((key) => placesOf((value as Record<string | number, unknown>)[key], [...path, key]))];
}
