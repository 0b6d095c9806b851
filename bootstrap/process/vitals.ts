/** Signs that a process makes progress, so that a slow start on a busy machine is not taken for a failure. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { runningDaemon } from './daemon.ts';

const run = promisify(execFile);
/** The kernel's unit for all processes, whatever its own is. */
const TICKS_PER_SECOND = 100;
/** What an idle process computes now and then is less than this in a minute or so. */
const STEP_SECONDS = 0.5;

/** @returns words that change as long as it computes or writes into its log */
export async function vitalsOf({ pidFile, logFile }: { pidFile: string; logFile: string }): Promise<string> {
  const record = await runningDaemon(pidFile);
  if (record === undefined) return `it does not run; its log: ${logFile}`;
  const [seconds, written] = await Promise.all([
    computedSeconds(record.pid),
    stat(logFile).then(
      ({ size }) => size,
      () => 0,
    ),
  ]);
  const computed = Math.floor(seconds / STEP_SECONDS) * STEP_SECONDS;
  return `process ${record.pid} has computed for ${computed} s and written ${written} bytes into ${logFile}`;
}

async function computedSeconds(pid: number): Promise<number> {
  try {
    if (process.platform !== 'linux') return await computedByPs(pid);
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold blanks and parentheses of its own.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    // Ended meanwhile.
    return 0;
  }
}

/** `minutes:seconds` in macOS, with hours before them where there are any. */
async function computedByPs(pid: number): Promise<number> {
  const { stdout } = await run('/bin/ps', ['-o', 'time=', '-p', String(pid)], { env: { LC_ALL: 'C' } });
  return stdout
    .trim()
    .split(':')
    .reduce((seconds, part) => seconds * 60 + Number(part), 0);
}
