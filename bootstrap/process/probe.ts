/** Health questions over HTTP: small, without a client library, since `up` asks them before anything else is loaded. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface HttpAnswer {
  status: number;
  body: string;
}

export interface HttpQuestion {
  url: string;
  /** Of the authority that signed the server's certificate, PEM. */
  ca?: string | undefined;
  timeoutMs?: number;
}

/** @throws Error when nobody answers in time */
export function httpGet({ url, ca, timeoutMs = 2_000 }: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const ask = url.startsWith('https:') ? httpsRequest : httpRequest;
    const asked = ask(url, { agent: false, timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') });
      });
    });
    asked.once('timeout', () => {
      asked.destroy(new Error(`no answer from ${url} within ${timeoutMs / 1000} s`));
    });
    asked.once('error', reject);
    asked.end();
  });
}

/** @throws Error unless the answer is 200. @returns its body */
export async function expectOk(question: HttpQuestion): Promise<string> {
  const { status, body } = await httpGet(question);
  if (status !== 200) throw new Error(`${question.url} answered ${status}: ${body.slice(0, 200).trim()}`);
  return body;
}
