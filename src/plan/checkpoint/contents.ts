/** What is in a database and in a checkpoint of it, compared table by table. Pure. */

/** By table: how many rows, and a sum over what is in them, whatever their order. */
export type TableContents = Readonly<Record<string, { rows: number; sum: string }>>;

/** Rows that a restoration would lose or bring back; only where the numbers differ. */
export interface RowChange {
  table: string;
  /** Undefined: there is no such table. */
  now: number | undefined;
  then: number | undefined;
}

/** @param now,then rows by table */
export function rowChanges(now: Readonly<Record<string, number>>, then: Readonly<Record<string, number>>): RowChange[] {
  return [...new Set([...Object.keys(now), ...Object.keys(then)])]
    .sort()
    .flatMap((table) => (now[table] === then[table] ? [] : [{ table, now: now[table], then: then[table] }]));
}

export function rowsOf(contents: TableContents): Record<string, number> {
  return Object.fromEntries(Object.entries(contents).map(([table, { rows }]) => [table, rows]));
}

/** Tables with as many rows in both, and other ones. */
export function rewrittenTables(now: TableContents, then: TableContents): string[] {
  return Object.entries(now)
    .filter(([table, { rows, sum }]) => then[table]?.rows === rows && then[table].sum !== sum)
    .map(([table]) => table)
    .sort();
}
