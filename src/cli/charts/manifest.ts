/** What a bundle consists of: an archive with this manifest first, then the charts as they were published. */
import { z } from 'zod';
import { digestSchema } from '../../plan/charts/lock.ts';

export const MANIFEST_FILE = 'bundle.json';
/** Also as plain lines, for tools that copy images. */
export const IMAGES_FILE = 'images.txt';
export const CHARTS_FOLDER = 'charts';

export const bundleSchema = z.strictObject({
  format: z.literal('ananta-charts/1'),
  environment: z.string(),
  charts: z.array(
    z.strictObject({
      key: z.string(),
      name: z.string(),
      version: z.string(),
      digest: digestSchema,
      source: z.string(),
      /** Below the charts folder; nothing that leads elsewhere. */
      file: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*\.tgz$/),
    }),
  ),
  /** References of all images that a deployment of the environment runs. */
  images: z.array(z.string()),
});
export type Bundle = z.infer<typeof bundleSchema>;
