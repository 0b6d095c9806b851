/**
 * The server's side of SPDY/3.1, as far as Kubernetes uses it between API server and kubelet: the client opens a few
 * streams, the server accepts them, both send data. No flow control, no priorities, no pushed streams.
 */
import type { Duplex } from 'node:stream';
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { SPDY_DICTIONARY } from './dictionary.ts';

export interface SpdyStream {
  id: number;
  /** As the client sent them, names in lower case. */
  headers: ReadonlyMap<string, string>;
  /** @param last closes our side of the stream */
  send(data: string | Buffer, last: boolean): void;
}

const SYN_STREAM = 1;
const SYN_REPLY = 2;
const PING = 6;
const FIN = 0x01;
/** A header block of more is no header block of Kubernetes. */
const LONGEST_CONTROL_FRAME = 64 * 1024;

/**
 * Serves the connection until the client closes it. What the client sends on its streams is read and dropped: nothing
 * that is simulated has an input.
 * @param onStream called once for each stream that the client opens
 */
export function serveSpdy(socket: Duplex, onStream: (stream: SpdyStream) => void): void {
  const readHeaders = headerReader();
  const replyHeaders = emptyHeaderBlocks();
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    try {
      for (let frame = nextFrame(pending); frame !== undefined; frame = nextFrame(pending)) {
        pending = pending.subarray(frame.size);
        handle(frame);
      }
    } catch (error) {
      socket.destroy(error as Error);
    }
  });

  function handle({ type, payload }: Frame): void {
    // A ping is answered with the same number.
    if (type === PING) socket.write(control(PING, 0, payload));
    if (type !== SYN_STREAM) return;
    const id = payload.readUInt32BE(0) & 0x7fffffff;
    const headers = readHeaders(payload.subarray(10));
    const reply = Buffer.alloc(4);
    reply.writeUInt32BE(id);
    socket.write(control(SYN_REPLY, 0, Buffer.concat([reply, replyHeaders()])));
    onStream({
      id,
      headers,
      send: (content, last) => {
        socket.write(data(id, last ? FIN : 0, Buffer.from(content)));
      },
    });
  }
}

interface Frame {
  /** undefined for data */
  type: number | undefined;
  payload: Buffer;
  /** Header included. */
  size: number;
}

/** The first frame of the buffer; undefined while it is not complete. */
function nextFrame(buffer: Buffer): Frame | undefined {
  if (buffer.length < 8) return undefined;
  const isControl = (buffer.readUInt8(0) & 0x80) !== 0;
  const length = buffer.readUIntBE(5, 3);
  if (isControl && length > LONGEST_CONTROL_FRAME) throw new Error(`SPDY control frame of ${length} bytes`);
  if (buffer.length < 8 + length) return undefined;
  return {
    type: isControl ? buffer.readUInt16BE(2) : undefined,
    payload: buffer.subarray(8, 8 + length),
    size: 8 + length,
  };
}

function control(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(0x8003, 0);
  header.writeUInt16BE(type, 2);
  header.writeUInt8(flags, 4);
  header.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([header, payload]);
}

function data(id: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32BE(id, 0);
  header.writeUInt8(flags, 4);
  header.writeUIntBE(payload.length, 5, 3);
  return Buffer.concat([header, payload]);
}

/**
 * All header blocks of a connection are one compressed text: for the few streams of ours it is simply read from its
 * beginning.
 */
function headerReader(): (block: Buffer) => Map<string, string> {
  const blocks: Buffer[] = [];
  let seen = 0;
  return (block) => {
    blocks.push(block);
    const text = inflateSync(Buffer.concat(blocks), {
      dictionary: SPDY_DICTIONARY,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
    const headers = parseHeaders(text.subarray(seen));
    seen = text.length;
    return headers;
  };
}

function parseHeaders(text: Buffer): Map<string, string> {
  const headers = new Map<string, string>();
  let at = 4;
  const next = (): string => {
    const length = text.readUInt32BE(at);
    at += 4 + length;
    return text.toString('utf8', at - length, at);
  };
  for (let left = text.readUInt32BE(0); left > 0; left -= 1) {
    const name = next();
    headers.set(name.toLowerCase(), next());
  }
  return headers;
}

/**
 * "No headers", as one connection's replies have to say it: compressed text once begun with the dictionary, here in
 * blocks that are stored as they are, so that none depends on what was said before.
 */
function emptyHeaderBlocks(): () => Buffer {
  // The zlib header with the dictionary's checksum: 2 + 4 bytes.
  const beginning = deflateSync(Buffer.alloc(0), { dictionary: SPDY_DICTIONARY }).subarray(0, 6);
  // Stored, four bytes long: the number of headers, zero. Then an empty block, at which a reader gives out what it has.
  const block = Buffer.from([0x00, 0x04, 0x00, 0xfb, 0xff, 0, 0, 0, 0, 0x00, 0x00, 0x00, 0xff, 0xff]);
  let begun = false;
  return () => {
    if (begun) return block;
    begun = true;
    return Buffer.concat([beginning, block]);
  };
}
