/** Quantities as Kubernetes writes them: `0.5` and `500m` are the same. */
import type { Path } from '../fields/path.ts';

const SUFFIXES: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};
const PLACES = ['limits', 'requests', 'hard', 'capacity', 'sizeLimit', 'averageValue'];

/** Whether two values that are written differently are the same quantity, in a place where quantities stand. */
export function sameQuantity(a: unknown, b: unknown, path: Path): boolean {
  if (!path.slice(-2).some((part) => typeof part === 'string' && PLACES.includes(part))) return false;
  const [first, second] = [numberOf(a), numberOf(b)];
  return (
    first !== undefined &&
    second !== undefined &&
    Math.abs(first - second) <= 1e-9 * Math.max(Math.abs(first), Math.abs(second))
  );
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const match = /^([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)([numkMGTPE]|[KMGTPE]i)?$/.exec(value);
  return match === null ? undefined : Number(match[1]) * (SUFFIXES[match[2] ?? ''] ?? NaN);
}
