/**
 * What a real node has taken or changed on the machine, so that it is the same after a restart and is put back at the
 * end.
 */
import { z } from 'zod';
import { readJson, writeFileDurably } from '../process/files.ts';
import type { NodeLayout } from './layout.ts';

const recordSchema = z.object({
  subnet: z.string(),
  /** Folders that were made as places for the stand-ins, outermost first. */
  folders: z.array(z.string()).default([]),
  /** Kernel settings as they were before. */
  settings: z.record(z.string(), z.string()).default({}),
});
export type NodeRecord = z.infer<typeof recordSchema>;

/** @returns undefined where no node was ever set up */
export async function readNodeRecord(layout: Pick<NodeLayout, 'record'>): Promise<NodeRecord | undefined> {
  const parsed = recordSchema.safeParse(await readJson(layout.record));
  return parsed.success ? parsed.data : undefined;
}

export async function writeNodeRecord(layout: Pick<NodeLayout, 'record'>, record: NodeRecord): Promise<void> {
  await writeFileDurably(layout.record, `${JSON.stringify(record, undefined, 2)}\n`);
}
