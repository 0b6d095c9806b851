/** What a command in a container does, done on this machine. */
import { spawn } from 'node:child_process';

export async function inContainer(
  [program = '', ...args]: readonly string[],
  input: string,
  env: Record<string, string>,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ exitCode: code ?? 1, stdout, stderr }));
    // Standard input stays open, as on a connection to a container.
    child.stdin.write(input);
  });
}
