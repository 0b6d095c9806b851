/**
 * Signs what a webhook gets, as the Standard Webhooks specification has it: its receiver knows who says it, and when.
 */
import { createHmac } from 'node:crypto';

/**
 * @param key as it stands in the file: base64 behind `whsec_`, or any text
 * @param id the same for every attempt to send one message: a receiver can drop what it has got already
 * @param seconds since the epoch: a receiver refuses what is old
 */
export function signatureHeaders(key: string, id: string, seconds: number, body: string): Record<string, string> {
  const text = key.trim();
  const secret = text.startsWith('whsec_') ? Buffer.from(text.slice('whsec_'.length), 'base64') : Buffer.from(text);
  const signature = createHmac('sha256', secret).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}
