/** A bucket of a store with the S3 API, as a place for backups and checkpoints. */
import { z } from 'zod';
import { webAddress } from '../formats/addresses.ts';
import { valueReference } from '../formats/reference.ts';

export const bucketSchema = z
  .strictObject({
    bucket: z
      .string()
      .regex(
        /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
        'has to be the name of a bucket: 3 to 63 small letters, digits, dots and dashes',
      )
      .describe('Its name; it has to be there'),
    prefix: z
      .string()
      .regex(
        /^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*\/?$/,
        'has to be a path in the bucket, as in ananta/staging: letters, digits, dots, dashes and underscores',
      )
      .transform((text) => text.replace(/\/$/, ''))
      .optional()
      .describe('What the names of objects begin with'),
    endpoint: webAddress('https://HOST:PORT')
      .optional()
      .describe('Of the store, as the workers reach it; absent: AWS, in the region'),
    region: z
      .string()
      .regex(/^[a-z0-9-]{1,40}$/, 'has to be the name of a region, as in eu-central-1')
      .default('us-east-1')
      .describe('Stores other than AWS mostly take any'),
    pathStyle: z
      .boolean()
      .optional()
      .describe('ENDPOINT/BUCKET in place of BUCKET.ENDPOINT; default: true with an endpoint, as MinIO wants it'),
    encryption: z
      .strictObject({
        algorithm: z.enum(['AES256', 'aws:kms']).default('AES256'),
        key: z.string().min(1).max(2048).optional().describe('Of aws:kms: id or ARN; absent: that of the bucket'),
      })
      .optional()
      .describe('Asked of the store for each object, besides age; absent: as the bucket is set up'),
    credentials: z
      .strictObject({
        accessKey: valueReference,
        secretKey: valueReference,
        sessionToken: valueReference.optional(),
      })
      .describe('Where the keys for the store are; never the keys themselves'),
  })
  .superRefine(({ encryption }, context) => {
    if (encryption?.key !== undefined && encryption.algorithm !== 'aws:kms')
      context.addIssue({ code: 'custom', path: ['encryption', 'key'], message: 'goes with algorithm: aws:kms alone' });
  });
export type BucketSettings = z.infer<typeof bucketSchema>;

const REGIONAL = (region: string): string => `https://s3.${region}.amazonaws.com`;

/** What is left out in the file, as it is meant. */
export function bucketAddress({ endpoint, region, pathStyle }: BucketSettings): {
  endpoint: string;
  pathStyle: boolean;
} {
  return { endpoint: endpoint ?? REGIONAL(region), pathStyle: pathStyle ?? endpoint !== undefined };
}
