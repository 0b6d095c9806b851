/** A report goes to a file, whose name is said, or to standard output. */
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Output, printLines } from './terminal.ts';

/** What `--out` takes for standard output. */
const STDOUT = '-';

/** @param name of the file where none was asked for */
export async function writeReport(output: Output, out: string | undefined, name: string, html: string): Promise<void> {
  if (out === STDOUT) {
    output.write(html);
    return;
  }
  const file = resolve(out ?? name);
  await writeFile(file, html);
  printLines(output, [file]);
}
