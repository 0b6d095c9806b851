import assert from 'node:assert/strict';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { Header, create } from 'tar';
import { extractMember } from '../../../bootstrap/tools/extract.ts';
import { acquire, fakeProgram, sha256, startPublisher, temporaryFolder, toolWith } from './support.ts';

interface Member {
  path: string;
  data: Buffer;
  /** A symbolic link with `data` as its target. */
  link?: boolean;
}

/** The archives are written by hand, since ordinary programs make no bad ones. */
function tarOf(members: readonly Member[]): Buffer {
  const blocks = members.flatMap(({ path, data, link }) => {
    const header = new Header({
      path,
      mode: 0o755,
      size: link ? 0 : data.length,
      type: link ? 'SymbolicLink' : 'File',
      ...(link ? { linkpath: data.toString() } : {}),
    });
    header.encode();
    const padding = Buffer.alloc((512 - (data.length % 512)) % 512);
    return link ? [header.block!] : [header.block!, data, padding];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

/** Stored, not compressed. */
function zipOf(members: readonly Member[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const { path, data, link } of members) {
    const name = Buffer.from(path);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const head = Buffer.concat([Buffer.from('PK\x03\x04'), common, name, data]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((link ? 0o120777 : 0o100755) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    central.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, rest, name);
    local.push(head);
    offset += head.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, directory, Buffer.from('PK\x05\x06'), end]);
}

const data = fakeProgram();
const kinds = [
  { kind: 'tar.gz', pack: tarOf },
  { kind: 'zip', pack: zipOf },
] as const;

for (const { kind, pack } of kinds) {
  describe(`a ${kind}`, () => {
    const unpack = async (folder: string, members: readonly Member[]): Promise<Buffer> => {
      const archive = join(folder, 'archive');
      await writeFile(archive, pack(members));
      await extractMember(archive, { kind, member: 'linux/helm' }, join(folder, 'program'));
      return readFile(join(folder, 'program'));
    };

    it('gives the named member and nothing else', async (context) => {
      const folder = await temporaryFolder(context);
      const big = Buffer.alloc(3_000_000, 'program');
      const members = [
        { path: 'linux/README', data: Buffer.from('no') },
        { path: 'linux/helm', data: big },
      ];
      assert.deepEqual(await unpack(folder, members), big);
      const files = await readdir(folder, { recursive: true });
      assert.ok(!files.some((file) => file.includes('README')), files.join());
    });

    it('is refused when a path leads out of it', async (context) => {
      for (const path of ['../evil', 'linux/../../evil', '/tmp/evil']) {
        const folder = await temporaryFolder(context);
        const members = [
          { path, data },
          { path: 'linux/helm', data },
        ];
        await assert.rejects(unpack(folder, members), /path/);
      }
    });

    it('is refused when the member is missing or a link', async (context) => {
      const folder = await temporaryFolder(context);
      await assert.rejects(unpack(folder, [{ path: 'helm', data }]), /holds no linux\/helm/);
      const other = await temporaryFolder(context);
      await assert.rejects(
        unpack(other, [{ path: 'linux/helm', data: Buffer.from('/bin/sh'), link: true }]),
        /not a plain file/,
      );
    });

    it('is refused when it is cut off', async (context) => {
      const folder = await temporaryFolder(context);
      const whole = pack([
        { path: 'linux/helm', data: Buffer.from(Array.from({ length: 9_000 }, (_, at) => (at * 7919) % 251)) },
      ]);
      const archive = join(folder, 'archive');
      await writeFile(archive, whole.subarray(0, whole.length / 2));
      await assert.rejects(extractMember(archive, { kind, member: 'linux/helm' }, join(folder, 'program')));
    });

    it('is installed from a publisher', async (context) => {
      const folder = await temporaryFolder(context);
      const archive = pack([{ path: 'linux/helm', data }]);
      const publisher = await startPublisher(context, { '/helm.archive': archive });
      const spec = toolWith({
        url: `${publisher.url}/helm.archive`,
        archive: { kind, member: 'linux/helm' },
        checksum: { kind: 'pinned', sha256: sha256(archive) },
      });
      const tool = await (await acquire(folder, [spec])).get('helm');
      assert.deepEqual([tool.source, tool.sha256], ['release', sha256(data)]);
    });
  });
}

it('an archive made by tar itself is understood', async (context) => {
  const folder = await temporaryFolder(context);
  await mkdir(join(folder, 'linux'));
  await writeFile(join(folder, 'linux', 'helm'), data);
  await create({ gzip: true, cwd: folder, file: join(folder, 'archive') }, ['linux']);
  await extractMember(join(folder, 'archive'), { kind: 'tar.gz', member: 'linux/helm' }, join(folder, 'program'));
  assert.deepEqual(await readFile(join(folder, 'program')), data);
});
