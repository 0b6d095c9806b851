/**
 * The image of the process that holds a pod's network. Elsewhere it is pulled; here it is made, since no registry may
 * be in reach: a program of a few instructions that sleeps for ever. (It is ended with SIGKILL; its children are reaped
 * by the shim.)
 */
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from 'tar';

export const PAUSE_IMAGE = 'ananta.invalid/pause:1';

/** By processor: ELF's number for it, and the endless loop around the system call that waits for a signal. */
const PROGRAMS: Record<'amd64' | 'arm64', { machine: number; code: number[] }> = {
  // mov eax, 34 (pause); syscall; jmp -9
  amd64: { machine: 62, code: [0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7] },
  // mov x0..x4, 0; mov x8, 73 (ppoll); svc 0; b -28
  arm64: {
    machine: 183,
    code: [0xd2800000, 0xd2800001, 0xd2800002, 0xd2800003, 0xd2800004, 0xd2800928, 0xd4000001, 0x17fffff9].flatMap(
      (word) => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24],
    ),
  },
};

/** An ELF file with one loadable segment. */
export function pauseProgram(architecture: 'amd64' | 'arm64'): Buffer {
  const { machine, code } = PROGRAMS[architecture];
  const base = 0x400000n;
  const headers = 64 + 56;
  const size = BigInt(headers + code.length);
  const elf = Buffer.alloc(headers);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(2, 16);
  elf.writeUInt16LE(machine, 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(base + BigInt(headers), 24);
  elf.writeBigUInt64LE(64n, 32);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(56, 54);
  elf.writeUInt16LE(1, 56);
  elf.writeUInt32LE(1, 64);
  elf.writeUInt32LE(5, 68);
  elf.writeBigUInt64LE(base, 80);
  elf.writeBigUInt64LE(base, 88);
  elf.writeBigUInt64LE(size, 96);
  elf.writeBigUInt64LE(size, 104);
  elf.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([elf, Buffer.from(code)]);
}

/** Writes the image as an archive that containerd imports. */
export async function writePauseImage(
  archive: string,
  architecture: 'amd64' | 'arm64' = process.arch === 'arm64' ? 'arm64' : 'amd64',
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'ananta-pause-'));
  try {
    await writeFile(join(folder, 'pause'), pauseProgram(architecture));
    await chmod(join(folder, 'pause'), 0o755);
    const layer = create({ sync: true, cwd: folder, portable: true, noPax: true }, ['pause']).read() as Buffer;
    await writeFile(join(folder, 'layer.tar'), layer);
    const config = {
      architecture,
      os: 'linux',
      config: { Entrypoint: ['/pause'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
    };
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    await writeFile(
      join(folder, 'manifest.json'),
      JSON.stringify([{ Config: 'config.json', RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]),
    );
    await create({ file: archive, cwd: folder, portable: true }, ['manifest.json', 'config.json', 'layer.tar']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
