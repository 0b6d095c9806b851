/** What a person decides about findings: kept in the cluster, so that every worker and every colleague sees it. */
import { surveyDrift } from '../../effects/drift/find-drift.ts';
import { readDriftState, updateDriftState } from '../../effects/drift/state.ts';
import type { Clients } from '../../clients/index.ts';
import type { DriftFinding } from '../../contract/drift.ts';
import type { Acceptance } from '../../contract/drift-state.ts';
import { EXIT_CODES } from '../../contract/failures.ts';
import { loadEnvironment } from '../../environment/load.ts';
import { byKey, shortId } from '../../plan/drift/key.ts';
import {
  NEVER_ACCEPTED,
  subjectOf,
  withAcceptances,
  withoutAcceptances,
  withoutRepairs,
} from '../../plan/drift/memory.ts';
import { withLiveClients } from '../shared/clients.ts';
import type { DriftOptions, ReasonOptions } from './options.ts';
import type { CliContext } from '../shared/context.ts';
import { type ExitCode, refused } from '../shared/failure.ts';
import { commandLine, oneLine } from '../shared/format.ts';
import { acceptedLines } from '../render/drift.ts';
import { printLines } from '../shared/terminal.ts';

const NO_REASON = 'no reason given';

export async function acceptFindings(context: CliContext, keys: string[], options: ReasonOptions): Promise<ExitCode> {
  const acceptances = await withEnvironment(context, options, async (clients, signal) => {
    const {
      report: { findings },
    } = await surveyDrift(clients, { signal });
    const wanted = chosen(keys, findings, 'finding', commandLine('drift', '--env', options.env));
    for (const finding of wanted) requireAcceptable(finding, options.env);
    const at = new Date().toISOString();
    const made = wanted.map(
      (finding): Acceptance => ({
        key: finding.key,
        valueDigest: finding.valueDigest,
        what: subjectOf(finding),
        reason: options.reason ?? NO_REASON,
        by: context.config.requestedBy,
        at,
        ...(finding.is === undefined ? {} : { is: finding.is }),
      }),
    );
    // Somebody has decided: whether it flapped no longer matters.
    await updateDriftState(
      clients.kubernetes,
      options.env,
      (state) =>
        withoutRepairs(
          withAcceptances(state, made),
          made.map(({ key }) => key),
        ),
      signal,
    );
    return made;
  });
  return done(context, options, { accepted: acceptances }, [
    ...acceptances.map(
      ({ key, what, is }) =>
        `Accepted: ${shortId(key)}  ${oneLine(what)}${is === undefined ? '' : ` (${oneLine(is)})`}. Another value is drift again.`,
    ),
    ...(options.reason === undefined ? ['Say why next time: --reason "…" is what a colleague will read.'] : []),
  ]);
}

export async function unacceptFindings(context: CliContext, keys: string[], options: DriftOptions): Promise<ExitCode> {
  const taken = await withEnvironment(context, options, async (clients, signal) => {
    const { acceptances } = await readDriftState(clients.kubernetes, options.env, signal);
    const wanted = chosen(keys, acceptances, 'acceptance', commandLine('drift', 'accepted', '--env', options.env));
    await updateDriftState(
      clients.kubernetes,
      options.env,
      (state) =>
        withoutAcceptances(
          state,
          wanted.map(({ key }) => key),
        ),
      signal,
    );
    return wanted;
  });
  return done(
    context,
    options,
    { unaccepted: taken },
    taken.map(({ key, what }) => `No longer accepted: ${shortId(key)}  ${oneLine(what)}`),
  );
}

export async function listAccepted(context: CliContext, options: DriftOptions): Promise<ExitCode> {
  const { acceptances } = await withEnvironment(context, options, (clients, signal) =>
    readDriftState(clients.kubernetes, options.env, signal),
  );
  return done(
    context,
    options,
    { accepted: acceptances },
    acceptedLines(acceptances, options.env, context.terminal.style),
  );
}

export async function resetFlapping(context: CliContext, keys: string[], options: DriftOptions): Promise<ExitCode> {
  const reset = await withEnvironment(context, options, async (clients, signal) => {
    const { repairs } = await readDriftState(clients.kubernetes, options.env, signal);
    const wanted = chosen(
      keys,
      Object.keys(repairs).map((key) => ({ key })),
      'repaired finding',
      commandLine('drift', '--env', options.env),
    ).map(({ key }) => key);
    await updateDriftState(clients.kubernetes, options.env, (state) => withoutRepairs(state, wanted), signal);
    return wanted;
  });
  return done(context, options, { reset }, [
    ...reset.map(
      (key) => `Its repairs are forgotten: ${shortId(key)}  ${oneLine(key)}. The next run may repair it again.`,
    ),
    `${context.terminal.style('bold', 'Next:')} ${commandLine('drift', 'run', '--repair', '--env', options.env)}   (does it now)`,
  ]);
}

async function withEnvironment<T>(
  context: CliContext,
  { env }: DriftOptions,
  work: (clients: Clients, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withLiveClients(context, await loadEnvironment(env, context.config), work);
}

/** @throws CliError (refused) for a key that is not among them, or a short id that means two of them */
function chosen<T extends { key: string }>(
  keys: readonly string[],
  among: readonly T[],
  what: string,
  look: string,
): T[] {
  return [...new Set(keys)].map((typed) => {
    const [found, ...more] = byKey(typed, among);
    if (!found)
      throw refused(
        `There is no ${what} "${typed}" now${
          among.length === 0
            ? ': there is none at all'
            : `; there are: ${among
                .slice(0, 12)
                .map(({ key }) => shortId(key))
                .join(', ')}${among.length > 12 ? ', …' : ''}`
        }.`,
        look,
      );
    if (more.length > 0)
      throw refused(
        `"${typed}" means several: ${[found, ...more].map(({ key }) => key).join(', ')}. Give the whole key.`,
      );
    return found;
  });
}

function requireAcceptable({ key, kind, note }: DriftFinding, environment: string): void {
  if (!NEVER_ACCEPTED.includes(kind)) return;
  throw refused(
    `${shortId(key)} is ${kind}, which cannot be accepted: ${kind === 'sealed' ? 'a sealed Vault serves nobody' : 'what was not seen may be anything'}.${note === undefined ? '' : ` ${oneLine(note)}`}`,
    commandLine('drift', '--env', environment),
  );
}

function done(
  context: CliContext,
  { env, json }: DriftOptions,
  result: Record<string, unknown>,
  lines: string[],
): ExitCode {
  printLines(context.terminal.stdout, json ? [JSON.stringify({ environment: env, ...result })] : lines);
  return EXIT_CODES.done;
}
