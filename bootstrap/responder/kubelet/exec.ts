/** `exec` in a simulated pod: nothing is run, the answer is made up from what the service is supposed to be like. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ProbeFailure, probeFailure } from '../failures.ts';
import { type SpdyStream, serveSpdy } from './spdy.ts';

/** Version 4 of the streaming protocol: exit codes come as a Status on the error stream. */
const PROTOCOL = 'v4.channel.k8s.io';

/** A command of a health check, and what the real program prints when all is well. */
export interface KnownCommand {
  command: readonly string[];
  answer: string;
}

export interface ExecAnswer {
  exitCode: number;
  output: string;
  errors: string;
}

export interface ExecOptions {
  /** Whose programs simulated containers have. */
  commands: readonly KnownCommand[];
  /** Folder of failing services. */
  failures: string;
  onProbe?: (probe: { kind: 'exec'; service: string; target: string; outcome: string }) => void;
}

/** The service that the command's arguments name, as `<service>.<namespace>.svc` anywhere in them. */
export function serviceOfCommand(command: readonly string[]): string {
  return /(?:^|[^a-z0-9.-])([a-z0-9][a-z0-9-]*)(?:\.[a-z0-9-]+)?\.svc\b/.exec(command.slice(1).join(' '))?.[1] ?? '';
}

/** @returns undefined where it never ends */
export function answerCommand(
  command: readonly string[],
  commands: readonly KnownCommand[],
  failure: ProbeFailure | undefined,
): ExecAnswer | undefined {
  const [program = ''] = command;
  const service = serviceOfCommand(command);
  const programs = [...new Set(commands.map((known) => known.command[0] ?? ''))];
  if (!programs.includes(program))
    return {
      exitCode: 127,
      output: '',
      errors: `${program}: not found: this container is simulated and has only ${programs.join(', ')}\n`,
    };
  switch (failure) {
    case 'hang':
      return undefined;
    case 'refuse':
      return { exitCode: 2, output: '', errors: `could not connect to ${service}\n` };
    case 'unhealthy':
      return { exitCode: 1, output: '', errors: `${service} is not well\n` };
    case undefined:
      return { exitCode: 0, output: `${answerOf(command, commands)}\n`, errors: '' };
  }
}

/** Of the check that is exactly this command, else of one that runs the same program. */
function answerOf(command: readonly string[], known: readonly KnownCommand[]): string {
  const same = known.find((one) => one.command.join('\0') === command.join('\0'));
  return (same ?? known.find((one) => one.command[0] === command[0]))?.answer ?? '';
}

/** Takes over the connection of a kubelet's exec request. */
export function serveExec(options: ExecOptions, request: IncomingMessage, socket: Duplex): void {
  const { searchParams } = new URL(request.url ?? '/', 'http://kubelet');
  const offered = (request.headers['x-stream-protocol-version'] ?? '')
    .toString()
    .split(',')
    .map((protocol) => protocol.trim());
  if (!/^spdy\/3\.1$/i.test(request.headers.upgrade ?? '') || !offered.includes(PROTOCOL)) {
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${PROTOCOL}\r\n\r\n`,
  );
  const wanted = [
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter((name) =>
      searchParams.has({ stdin: 'input', stdout: 'output', stderr: 'error' }[name]),
    ),
  ];
  const streams = new Map<string, SpdyStream>();
  serveSpdy(socket, (stream) => {
    streams.set(stream.headers.get('streamtype') ?? '', stream);
    if (wanted.every((name) => streams.has(name))) void runCommand(options, searchParams.getAll('command'), streams);
  });
}

async function runCommand(
  options: ExecOptions,
  command: readonly string[],
  streams: ReadonlyMap<string, SpdyStream>,
): Promise<void> {
  const service = serviceOfCommand(command);
  const failure = await probeFailure(options.failures, service);
  options.onProbe?.({ kind: 'exec', service, target: command[0] ?? '', outcome: failure ?? 'healthy' });
  const answer = answerCommand(command, options.commands, failure);
  if (answer === undefined) return;
  streams.get('stdout')?.send(answer.output, true);
  streams.get('stderr')?.send(answer.errors, true);
  streams.get('stdin')?.send('', true);
  streams.get('error')?.send(JSON.stringify(statusOf(answer.exitCode)), true);
}

function statusOf(exitCode: number): unknown {
  if (exitCode === 0) return { metadata: {}, status: 'Success' };
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
