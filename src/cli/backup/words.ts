/** Backups and restorations as people read them. Pure. */
import type { BackupManifest } from '../../contract/backup.ts';
import type { RestorePlan } from '../../plan/backup/restore.ts';
import { count } from '../shared/format.ts';

export function bytesWord(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 10 ? Math.round(value) : value.toFixed(1)} ${units[unit] ?? ''}`;
}

export function manifestLines(manifest: BackupManifest): string[] {
  const { environment, cluster, at, by, records, vault, leftOut } = manifest;
  const kinds = (kind: string): number => (records ?? []).filter((record) => record.kind === kind).length;
  return [
    `Backup of ${environment} at ${at}, by ${by}; cluster ${cluster.uid}.`,
    records === undefined
      ? `  records  ${leftOut.records ?? 'none'}`
      : `  records  ${count(kinds('version'), 'version')}, ${count(kinds('audit'), 'operation')} of the audit trail, ${kinds('drift') > 0 ? 'drift and its acceptances' : 'no drift'}, ${kinds('owner') > 0 ? 'whose cluster it is' : 'no owner'}`,
    vault === undefined
      ? `  Vault    ${leftOut.vault ?? 'none'}`
      : `  Vault    ${vault.version}, ${count(Object.keys(vault.paths).length, 'path')}, snapshot of ${bytesWord(vault.snapshot.bytes)}`,
  ];
}

const RECORD_WORDS = {
  create: 'put back',
  replace: 'written over',
  merge: 'its acceptances put back',
  leave: 'left to the next deployment: this cluster is claimed anew',
} as const;

export function restoreLines({ records, vault }: RestorePlan): string[] {
  const done = records.filter(({ action }) => action === 'keep').length;
  const todo = records.flatMap(({ name, action }) =>
    action === 'keep' ? [] : [{ name, words: RECORD_WORDS[action] }],
  );
  return [
    ...todo.map(({ name, words }) => `  record  ${name}: ${words}`),
    ...(done > 0 ? [`  ${count(done, 'record')} as in the backup or newer, left alone`] : []),
    vault.action === 'restore'
      ? `  Vault   put back from its snapshot${vault.lost.length > 0 ? `; written since, and gone after that: ${vault.lost.join(', ')}` : ''}`
      : vault.action === 'finish'
        ? '  Vault   sealed, or does not know this cluster: opened and configured first, then compared'
        : '  Vault   left alone',
  ];
}

export function isNothing({ records, vault }: RestorePlan): boolean {
  return vault.action === 'none' && records.every(({ action }) => action === 'keep' || action === 'leave');
}
