/** How a generated value gets a new one while the platform runs. Data of the row that generates it. */
import { z } from 'zod';
import { nameSchema } from './fields.ts';

const keyOf = z.strictObject({ path: z.string(), key: z.string() });

export const rotationSchema = z.union([
  z.discriminatedUnion('system', [
    /** Two login roles take turns: the declared name, and the same with `_b`, which becomes the first as it logs in. */
    z.strictObject({
      system: z.literal('postgresql'),
      /** Service that keeps it. */
      server: nameSchema,
      /** Key of the same path that says by which name readers log in. */
      username: z.string(),
      /** Database that the role may open. */
      database: z.string().regex(/^[a-z_][a-z0-9_]*$/),
      /** Password of the superuser `postgres`. */
      admin: keyOf,
    }),
    /**
     * Two users take turns: the declared name, and the same with `-b`, which gets its tags and permissions. The
     * former one is deleted.
     */
    z.strictObject({ system: z.literal('rabbitmq'), server: nameSchema, username: z.string() }),
    /**
     * The default user has two passwords meanwhile. The server is restarted at the end, since it has its own from the
     * same Secret.
     */
    z.strictObject({ system: z.literal('redis'), server: nameSchema }),
  ]),
  /** It is not replaced by itself: why, and what it takes. */
  z.strictObject({ refused: z.string().min(1) }),
]);

export type Rotation = z.infer<typeof rotationSchema>;
/** One that can be carried out. */
export type RotationSystem = Extract<Rotation, { system: string }>;
