/** Flyway's ledger of a database against the migrations in the checkout. */
import { crc32 } from 'node:zlib';
import type { DriftFinding } from '../../contract/drift.ts';
import { vaultFinding } from './vault/finding.ts';

export interface Migration {
  version: string;
  script: string;
  /** As Flyway counts it: CRC-32 over the lines without their ends, as a signed number. */
  checksum: number;
}

export interface LedgerRow {
  version: string;
  script: string;
  checksum: number | undefined;
  success: boolean;
}

const NAME = /^V(\d+(?:[._]\d+)*)__.*\.sql$/;

/** @param files name to text; what is no versioned migration is left out */
export function migrationsOf(files: ReadonlyMap<string, string>): Migration[] {
  return [...files]
    .flatMap(([script, text]) => {
      const version = NAME.exec(script)?.[1];
      return version === undefined ? [] : [{ version, script, checksum: flywayChecksum(text) }];
    })
    .sort((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

export function flywayChecksum(text: string): number {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  return lines.reduce((sum, line) => crc32(line, sum), 0) | 0;
}

/** Rows as psql prints them, unaligned: version, script, checksum, success. */
export function ledgerRows(output: string): LedgerRow[] {
  return output
    .split('\n')
    .filter((line) => line.includes('|'))
    .map((line) => {
      const [version = '', script = '', checksum = '', success = ''] = line.split('|');
      return {
        version,
        script,
        checksum: checksum === '' ? undefined : Number(checksum),
        success: success.trim() === 't',
      };
    });
}

/** @param rows undefined when there is no ledger at all @param release that migrates */
export function ledgerFindings({
  release,
  database,
  rows,
  migrations,
}: {
  release: string;
  database: string;
  rows: readonly LedgerRow[] | undefined;
  migrations: readonly Migration[];
}): DriftFinding[] {
  const object = `Migration ledger of ${database}`;
  const common = { area: 'content', object, service: release, release } as const;
  if (!rows)
    return [
      vaultFinding({
        ...common,
        kind: 'missing',
        repair: 'job',
        note: 'The database has no ledger: the migrations run again.',
      }),
    ];
  const applied = new Map(rows.filter(({ version }) => version !== '').map((row) => [row.version, row]));
  const wanted = migrations.flatMap((migration): DriftFinding[] => {
    const row = applied.get(migration.version);
    const field = migration.script;
    if (!row) return [vaultFinding({ ...common, kind: 'missing', field, repair: 'job', note: 'Not applied yet.' })];
    if (!row.success)
      return [
        vaultFinding({
          ...common,
          kind: 'unhealthy',
          field,
          is: 'failed',
          note: 'It failed half way. Look at the database, then `flyway repair`; nothing is done automatically.',
        }),
      ];
    if (row.checksum === migration.checksum || row.checksum === undefined) return [];
    return [
      vaultFinding({
        ...common,
        kind: 'changed',
        field,
        was: `checksum ${migration.checksum}`,
        is: `checksum ${row.checksum}`,
        note: 'The file was edited after it had been applied, or the ledger was. What was applied cannot be applied again: put the file back, or add a new migration.',
      }),
    ];
  });
  const extra = [...applied.values()]
    .filter(({ version }) => !migrations.some((migration) => migration.version === version))
    .map(({ script }) =>
      vaultFinding({
        ...common,
        kind: 'extra',
        field: script,
        note: 'Applied to the database, and not in the checkout: an older checkout, or somebody else migrates it.',
      }),
    );
  return [...wanted, ...extra];
}
