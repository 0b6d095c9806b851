/** The other side refused the request: wrong password, no permission. Trying again rarely helps. */
export class Refused extends Error {
  override name = 'Refused';
}

/** Milliseconds that one attempt may take. */
export const ATTEMPT_MILLISECONDS = 8000;

/** Fields that errors of clients carry, without trusting their types. */
export function detail(error: unknown): { message: string; code: string } {
  if (typeof error !== 'object' || error === null) return { message: String(error), code: '' };
  const { message, code, cause } = error as { message?: unknown; code?: unknown; cause?: unknown };
  // The error of fetch says only that it failed; its cause holds the reason.
  const deeper = cause === undefined ? '' : detail(cause).message;
  const first =
    typeof message === 'string' && message !== '' ? message : typeof code === 'string' ? code : 'no reason given';
  return {
    message: deeper === '' || first.includes(deeper) ? first : `${first}: ${deeper}`,
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : '',
  };
}
