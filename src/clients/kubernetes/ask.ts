import type { z } from 'zod';
import { UnexpectedAnswerError } from './errors.ts';
import { type ApiRequest, requestLine, type Transport } from './transport.ts';

/** One request whose answer has to have that shape. @throws UnexpectedAnswerError, and what `Transport.call` throws */
export async function ask<T>(
  transport: Pick<Transport, 'call'>,
  schema: z.ZodType<T>,
  request: ApiRequest,
): Promise<T> {
  const parsed = schema.safeParse(await transport.call(request));
  if (parsed.success) return parsed.data;
  throw new UnexpectedAnswerError(
    requestLine(request),
    parsed.error.issues
      .slice(0, 3)
      .map(({ path, message }) => `${path.join('.') || 'the whole'}: ${message}`)
      .join('; '),
  );
}
