/** A process that is restarted whenever it ends, as systemd or Kubernetes would do it. */
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Kept {
  pid: () => number;
  /** How often it was started. */
  starts: () => number;
  close: () => Promise<void>;
}

export interface Program {
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Both streams are appended to it. */
  log: string;
}

const PAUSE_MILLISECONDS = 200;

export function keepRunning({ command, args, env, log }: Program): Kept {
  let [closed, starts, pid] = [false, 0, 0];
  let child: ReturnType<typeof spawn> | undefined;
  const running = (async (): Promise<void> => {
    while (!closed) {
      const file = openSync(log, 'a', 0o600);
      const started = spawn(command, [...args], { env, stdio: ['ignore', file, file] });
      closeSync(file);
      child = started;
      pid = started.pid ?? 0;
      starts += 1;
      await new Promise<void>((resolve) => {
        started.once('close', () => {
          resolve();
        });
        started.once('error', () => {
          resolve();
        });
      });
      if (!closed) await sleep(PAUSE_MILLISECONDS);
    }
  })();
  return {
    pid: () => pid,
    starts: () => starts,
    close: async () => {
      closed = true;
      child?.kill('SIGCONT');
      child?.kill('SIGKILL');
      await running;
    },
  };
}
