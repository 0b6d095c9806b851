/** Requests that have not been answered yet: the server does not end before they are. */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCRequest, type JSONRPCMessage, type RequestId } from '@modelcontextprotocol/sdk/types.js';

/**
 * Looks at what goes through the transport, after the server was connected to it.
 * @returns a function that ends when every request so far was answered, or taken back
 */
export function watchAnswers(transport: Transport): () => Promise<void> {
  const open = new Set<RequestId>();
  let changed = (): void => undefined;
  const settle = (id: RequestId | undefined): void => {
    if (id !== undefined) open.delete(id);
    if (open.size === 0) changed();
  };
  const receive = transport.onmessage;
  transport.onmessage = (message, extra) => {
    if (isJSONRPCRequest(message)) open.add(message.id);
    else settle(cancelled(message));
    receive?.(message, extra);
  };
  const send = transport.send.bind(transport);
  transport.send = async (message, options) => {
    await send(message, options);
    if (!('method' in message)) settle(message.id);
  };
  return async () => {
    if (open.size > 0) await new Promise<void>((resolve) => (changed = resolve));
  };
}

/** Nobody answers what was taken back. */
function cancelled(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const id = message.params?.['requestId'];
  return typeof id === 'string' || typeof id === 'number' ? id : undefined;
}
