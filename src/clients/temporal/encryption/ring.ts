/** Keys of an environment's histories: their file, which one writes now, and how one is told from another. Pure. */
import { createHmac, randomBytes } from 'node:crypto';
import { z } from 'zod';

const KEY_BYTES = 32;

const keySchema = z.strictObject({
  /** In the metadata of every payload that it has encrypted. */
  id: z.string().regex(/^[a-zA-Z0-9._-]{1,63}$/, 'has to be letters, digits, dots and dashes, at most 63'),
  /** Base64. */
  key: z
    .string()
    .refine((key) => Buffer.from(key, 'base64').length === KEY_BYTES, `has to be ${KEY_BYTES} bytes in base64`),
  createdAt: z.iso.datetime(),
  /** From then on it writes, until the next one does; it reads at once. */
  writesFrom: z.iso.datetime(),
});

export const ringSchema = z.strictObject({
  keys: z
    .array(keySchema)
    .min(1)
    .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, 'holds two keys with the same id'),
});

export type HistoryKey = z.infer<typeof keySchema>;
export type KeyRing = z.infer<typeof ringSchema>;

/** @param now milliseconds; before the first of them writes, the first one does all the same */
export function writingKey({ keys }: KeyRing, now: number): HistoryKey {
  const [first, ...later] = [...keys].sort((a, b) => Date.parse(a.writesFrom) - Date.parse(b.writesFrom));
  return later.reduce((writing, next) => (Date.parse(next.writesFrom) <= now ? next : writing), first as HistoryKey);
}

/** When another key takes its place; undefined: none is to come. */
export function replacedAt({ keys }: KeyRing, id: string): number | undefined {
  const times = keys.map((key) => ({ id: key.id, at: Date.parse(key.writesFrom) })).sort((a, b) => a.at - b.at);
  return times[times.findIndex((key) => key.id === id) + 1]?.at;
}

/** With one more key, which writes from `writesFrom` on. @param at when it is made, in milliseconds */
export function withNewKey(ring: KeyRing | undefined, at: number, writesFrom: number): { ring: KeyRing; id: string } {
  // The moment is for people, the rest keeps two rotations of the same second apart.
  const moment = new Date(at).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const id = `${moment}-${randomBytes(3).toString('hex')}`;
  const key = randomBytes(KEY_BYTES).toString('base64');
  const made: HistoryKey = {
    id,
    key,
    createdAt: new Date(at).toISOString(),
    writesFrom: new Date(writesFrom).toISOString(),
  };
  return { ring: { keys: [...(ring?.keys ?? []), made] }, id };
}

/** Tells a key from another one of the same id, and tells nothing of the key. */
export function checkOf({ key }: HistoryKey): string {
  return createHmac('sha256', Buffer.from(key, 'base64')).update('ananta history key').digest('hex').slice(0, 16);
}
