/** How a generated value gets a new one while the platform runs. Data of the row that generates it. */
import { z } from 'zod';
import { nameSchema } from './fields.ts';

/** Where the password of an administrator stands, and by which name they log in. */
const adminOf = z.strictObject({
  path: z.string(),
  key: z.string(),
  /** Key of that path with the name. Default: `postgres` for PostgreSQL, `root` for MongoDB. */
  username: z.string().optional(),
});
const userOf = {
  /** Service that keeps it. */
  server: nameSchema,
  /** Key of the same path that says by which name readers log in. */
  username: z.string(),
  /** Who changes it in the server. Default: it is the administrator's own password. */
  admin: adminOf.optional(),
};

export const rotationSchema = z.union([
  z.discriminatedUnion('system', [
    /**
     * Two login roles take turns: the declared name, and the same with `_b`, which becomes the first as it logs in.
     * Without `admin` it is the superuser.
     */
    z.strictObject({
      system: z.literal('postgresql'),
      ...userOf,
      /** Database that the role may open. */
      database: z.string().regex(/^[a-z_][a-z0-9_]*$/),
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
    /**
     * Two users take turns: the declared name, and the same with `-b`, which gets its policies and groups. Without
     * `admin` it is root, whose next user is an administrator until the server was restarted with it.
     */
    z.strictObject({ system: z.literal('minio'), ...userOf }),
    /** Two users take turns: the declared name, and the same with `_b`, which gets its roles. */
    z.strictObject({
      system: z.literal('mongodb'),
      server: nameSchema,
      username: z.string(),
      /** Database that the user is in (`authSource`). */
      database: z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]*$/),
      admin: adminOf,
    }),
  ]),
  /** It is not replaced by itself: why, and what it takes. */
  z.strictObject({ refused: z.string().min(1) }),
]);

export type Rotation = z.infer<typeof rotationSchema>;
/** One that can be carried out. */
export type RotationSystem = Extract<Rotation, { system: string }>;
