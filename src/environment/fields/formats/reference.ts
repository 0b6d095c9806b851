/** Where a value is kept that opens something: the environment's file names the place, never the value. */
import { z } from 'zod';
import { filePath } from './addresses.ts';
import { labelName, objectName } from './kubernetes-names.ts';

export const valueReference = z
  .union([
    z.strictObject({ file: filePath.describe('A file where the workers run') }),
    z.strictObject({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'has to be the name of an environment variable')
        .describe("A variable of the workers' environment"),
    }),
    z.strictObject({
      secret: z.strictObject({
        name: objectName('a Secret'),
        key: z.string().regex(/^[-._A-Za-z0-9]{1,253}$/, 'has to be a key of a Secret'),
        namespace: labelName('a namespace').default('ananta-deployer'),
      }),
    }),
    z.strictObject({
      vault: z.strictObject({
        path: z
          .string()
          .regex(/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/, 'has to be a path below secret/, as in ops/chat'),
        key: z.string().min(1).max(200),
      }),
    }),
  ])
  .describe(
    'Where a value is that opens something: {file: PATH}, {env: NAME}, {secret: {name, key, namespace}} of Kubernetes, or {vault: {path, key}}',
  );
export type ValueReference = z.infer<typeof valueReference>;
