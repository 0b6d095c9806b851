import assert from 'node:assert/strict';
import { PassThrough, duplexPair } from 'node:stream';
import { describe, test } from 'node:test';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { once } from 'node:events';
import { SPDY_DICTIONARY } from '../../bootstrap/responder/kubelet/dictionary.ts';
import { answerCommand, serviceOfCommand } from '../../bootstrap/responder/kubelet/exec.ts';
import { type SpdyStream, serveSpdy } from '../../bootstrap/responder/kubelet/spdy.ts';

describe('commands in simulated containers', () => {
  const cases: [string[], string][] = [
    [['pg_isready', '-h', 'database.data.svc', '-p', '5432'], 'database'],
    [['redis-cli', '-h', 'cache.stores.svc.cluster.local', 'ping'], 'cache'],
    [['mongosh', 'mongodb://user@documents.stores.svc:27017/db'], 'documents'],
    [['temporal', '--address', 'engine.apps.svc:7233', 'operator', 'cluster', 'health'], 'engine'],
    [['true'], ''],
  ];
  for (const [command, service] of cases)
    test(`${command.join(' ').slice(0, 60)} is about "${service}"`, () => {
      assert.equal(serviceOfCommand(command), service);
    });

  test('answer by the state of the service; unknown ones are not found', () => {
    const command = cases[0]![0];
    const known = [{ command, answer: 'database - accepting connections' }];
    assert.deepEqual(answerCommand(command, known, undefined), {
      exitCode: 0,
      output: 'database - accepting connections\n',
      errors: '',
    });
    assert.equal(answerCommand(command, known, 'unhealthy')?.exitCode, 1);
    assert.equal(answerCommand(command, known, 'refuse')?.exitCode, 2);
    assert.equal(answerCommand(command, known, 'hang'), undefined);
    assert.equal(answerCommand(['sh', '-c', 'id'], known, undefined)?.exitCode, 127);
  });
});

/** A client's header blocks: one compressed text for the whole connection, as Kubernetes sends it. */
function compressor(): (headers: Record<string, string>) => Promise<Buffer> {
  const deflate = createDeflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH });
  return async (headers) => {
    const field = (text: string): Buffer => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    };
    const count = Buffer.alloc(4);
    count.writeUInt32BE(Object.keys(headers).length);
    deflate.write(Buffer.concat([count, ...Object.entries(headers).flatMap((pair) => pair.map(field))]));
    const [block] = (await once(deflate, 'data')) as [Buffer];
    return block;
  };
}

function synStream(id: number, block: Buffer): Buffer {
  const frame = Buffer.alloc(18);
  frame.writeUInt32BE(0x80030001, 0);
  frame.writeUIntBE(10 + block.length, 5, 3);
  frame.writeUInt32BE(id, 8);
  return Buffer.concat([frame, block]);
}

describe('SPDY', () => {
  test('has the dictionary of the protocol', async () => {
    const deflate = createDeflate({ dictionary: SPDY_DICTIONARY });
    deflate.end();
    const [first] = (await once(deflate, 'data')) as [Buffer];
    assert.equal(SPDY_DICTIONARY.length, 1423);
    assert.equal(first.subarray(2, 6).toString('hex'), 'e3c6a7c2');
  });

  test('streams are accepted one after the other, whatever pieces the bytes come in, and answered', async () => {
    const [client, server] = duplexPair();
    const streams: SpdyStream[] = [];
    serveSpdy(server, (stream) => {
      streams.push(stream);
      stream.send(`for ${stream.headers.get('streamtype')}`, true);
    });
    const received: Buffer[] = [];
    client.on('data', (chunk: Buffer) => received.push(chunk));
    const compress = compressor();
    for (const [id, streamtype] of [
      [1, 'error'],
      [3, 'stdout'],
      [5, 'stderr'],
    ] as const) {
      for (const byte of synStream(id, await compress({ streamtype }))) client.write(Buffer.from([byte]));
    }
    // A ping is answered with the same data.
    const ping = Buffer.from('800300060000000400000001', 'hex');
    client.write(ping);
    while (!Buffer.concat(received).includes(ping)) await once(client, 'data');

    assert.deepEqual(
      streams.map(({ id, headers }) => [id, headers.get('streamtype')]),
      [
        [1, 'error'],
        [3, 'stdout'],
        [5, 'stderr'],
      ],
    );
    const { replies, data } = parse(Buffer.concat(received));
    assert.deepEqual(data, { 1: 'for error', 3: 'for stdout', 5: 'for stderr' });
    // The replies' header blocks are one compressed text, too: three times "no headers".
    const inflate = createInflate({ dictionary: SPDY_DICTIONARY });
    const text = inflate.pipe(new PassThrough());
    for (const { block } of replies) {
      inflate.write(block);
      const [headers] = (await once(text, 'data')) as [Buffer];
      assert.deepEqual([...headers], [0, 0, 0, 0]);
    }
    assert.deepEqual(
      replies.map(({ id }) => id),
      [1, 3, 5],
    );
  });

  test('nonsense ends the connection', async () => {
    const [client, server] = duplexPair();
    serveSpdy(server, () => undefined);
    client.resume();
    client.write(Buffer.concat([Buffer.from('80030001000000140000000100000000', 'hex'), Buffer.alloc(12, 0xff)]));
    await assert.rejects(once(server, 'close'), { code: 'Z_DATA_ERROR' });
  });
});

function parse(bytes: Buffer): { replies: { id: number; block: Buffer }[]; data: Record<number, string> } {
  const replies: { id: number; block: Buffer }[] = [];
  const data: Record<number, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntBE(at + 5, 3);
    const payload = bytes.subarray(at + 8, at + 8 + length);
    if (bytes.readUInt32BE(at) === 0x80030002)
      replies.push({ id: payload.readUInt32BE(0), block: payload.subarray(4) });
    else if ((bytes[at]! & 0x80) === 0) data[bytes.readUInt32BE(at)] = payload.toString();
    at += 8 + length;
  }
  return { replies, data };
}
