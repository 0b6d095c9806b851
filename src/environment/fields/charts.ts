/** Which charts an environment takes, and where publishers' charts are fetched from. */
import { z } from 'zod';
import { expandHome, filePath } from './formats/addresses.ts';

/** `bundled`: a chart of this repository; `upstream`: the publisher's. */
export const CHART_SOURCES = ['bundled', 'upstream'] as const;
export type ChartSource = (typeof CHART_SOURCES)[number];

/** A password in an address would end in logs and process lists. */
const address = z
  .string()
  .regex(
    /^(oci:\/\/|https?:\/\/|\.{0,2}\/|~\/)/,
    'has to be oci://HOST/PATH, https://HOST/PATH, or a folder that begins with /, ./ or ~/',
  )
  .refine((value) => !/^[a-z]+:\/\/[^/]*@/.test(value), 'must not hold a name or password: name a credentials file')
  .refine(
    (value) => !/[\s\p{Cc}]/u.test(value) && (!value.includes('://') || hasHost(value)),
    'is no address: it has no host, or holds blanks',
  )
  .transform(expandHome);

function hasHost(address: string): boolean {
  const web = address.replace(/^oci:/, 'https:');
  return /:\/\/[^/]/.test(web) && URL.canParse(web) && new URL(web).hostname !== '';
}

export const chartMirrorSchema = z
  .union([
    address,
    z.strictObject({
      url: address.describe('oci://HOST/PATH, https://HOST/PATH, or a folder'),
      ca: filePath.optional().describe("File with the certificates that the mirror's own is checked against"),
      plainHttp: z
        .boolean()
        .default(false)
        .describe('oci:// without TLS; the digests in the lock are checked all the same'),
      credentials: filePath
        .optional()
        .describe("For oci://: file in the form of Docker's config.json; that of the user is never read"),
    }),
  ])
  .describe(
    "Where publishers' charts are fetched from in place of their own addresses: oci://HOST/PATH (charts below it), https://HOST/PATH (with an index.yaml), or a folder with NAME-VERSION.tgz files",
  );

export interface ChartMirror {
  url: string;
  ca?: string | undefined;
  plainHttp: boolean;
  credentials?: string | undefined;
}

/** In one form, however it was written. */
export function chartMirror(environment: {
  chartMirror?: z.infer<typeof chartMirrorSchema> | undefined;
}): ChartMirror | undefined {
  const { chartMirror: mirror } = environment;
  return typeof mirror === 'string' ? { url: mirror, plainHttp: false } : mirror;
}
