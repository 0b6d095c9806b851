import { AwsClient } from 'aws4fetch';
import type { S3Check } from '../check.ts';
import { ATTEMPT_MILLISECONDS, Refused } from './refused.ts';

/** Lists each bucket, and writes, reads and removes one small object in it. */
export async function askS3({ endpoint, region, accessKey, secretKey, buckets }: S3Check, self: string): Promise<void> {
  const client = new AwsClient({
    accessKeyId: accessKey,
    secretAccessKey: secretKey,
    region,
    service: 's3',
    retries: 0,
  });
  const object = `.stand-in/${self}-${process.pid}-${Date.now()}`;
  for (const bucket of buckets) {
    const at = `${endpoint.replace(/\/$/, '')}/${bucket}`;
    const ask = async (method: string, url: string, body?: string): Promise<string> => {
      const answer = await client.fetch(url, {
        method,
        signal: AbortSignal.timeout(ATTEMPT_MILLISECONDS),
        ...(body === undefined ? {} : { body }),
      });
      const text = await answer.text();
      if (answer.ok) return text;
      const reason = /<Code>([A-Za-z]+)<\/Code>/.exec(text)?.[1] ?? '';
      const message = `${method} in bucket ${bucket}: ${answer.status} ${reason}`.trim();
      throw answer.status === 403 ? new Refused(message) : new Error(message);
    };
    await ask('GET', `${at}?list-type=2&max-keys=1`);
    await ask('PUT', `${at}/${object}`, self);
    if ((await ask('GET', `${at}/${object}`)) !== self)
      throw new Error(`bucket ${bucket} gives back something else than was written`);
    await ask('DELETE', `${at}/${object}`);
  }
}
