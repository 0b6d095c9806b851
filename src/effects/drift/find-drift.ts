/**
 * The whole survey: objects, releases, Vault, Secrets; without what somebody has accepted. For the activity and for
 * `ananta drift`.
 */
import { currentEnvironment } from '../environment.ts';
import type { Clients } from '../../clients/index.ts';
import type { InputOf, OutputOf } from '../../contract/activities.ts';
import type { DriftFinding, DriftMode } from '../../contract/drift.ts';
import type { Environment } from '../../environment/schema.ts';
import { frozenText } from '../../plan/admission/words.ts';
import { freezeAt } from '../../plan/freeze/state.ts';
import { capped, flapping, withoutAccepted } from '../../plan/drift/memory.ts';
import { digestOf } from '../../plan/digest.ts';
import { wantedEvents } from '../../plan/notify/targets.ts';
import { isRepairable } from '../../plan/drift/repairable.ts';
import type { EffectScope } from '../effect.ts';
import { findObjectDrift } from './objects.ts';
import { readDriftState } from './state.ts';
import { findVaultDrift } from './vault.ts';

export async function findDrift(
  clients: Clients,
  run: InputOf<'findDrift'>,
  scope: EffectScope,
): OutputOf<'findDrift'> {
  scope.doing('compares the cluster with what was deployed');

  return surveyDrift(clients, { signal: scope.signal });
}

/**
 * Changes nothing; needs neither worker nor engine.
 * @throws when the cluster cannot be reached at all, or the signal's reason
 */
export async function surveyDrift(
  clients: Clients,
  { signal }: { signal: AbortSignal },
): Promise<Awaited<OutputOf<'findDrift'>> & { mode: DriftMode; repairDigest: string }> {
  const started = performance.now();
  const environment = await currentEnvironment(clients);
  const [objects, vault, state] = await Promise.all([
    findObjectDrift(clients, environment, signal),
    findVaultDrift(clients, environment, signal),
    readDriftState(clients.kubernetes, environment.name, signal),
  ]);
  const findings = [...objects.findings, ...vault.findings].map((finding) => redacted(clients, finding));
  const report = withoutAccepted(
    {
      environment: environment.name,
      at: new Date().toISOString(),
      seconds: Math.round(performance.now() - started) / 1000,
      findings,
      accepted: 0,
      ignored: objects.ignored,
      checked: { ...objects.checked, ...vault.checked },
      simulated: vault.simulated,
    },
    state.acceptances,
  );
  const told = capped(report);
  const keys = report.findings.map(({ key }) => key);
  const comingBack = flapping(state, keys, environment.drift, Date.now());
  const notifications = wantedEvents(environment.notify);
  const toRepair = told.findings.filter((finding) => isRepairable(finding, comingBack));
  return {
    report: told,
    flapping: comingBack,
    mode: environment.drift.mode,
    ...frozenNow(environment),
    ...(notifications === undefined ? {} : { notifications }),
    repairDigest: digestOf(toRepair.map(({ key, valueDigest }) => `${key} ${valueDigest}`).sort()),
  };
}

/** A repair is a change: none is made during a freeze, unless the file lets repairs through. */
function frozenNow({ freeze }: Pick<Environment, 'freeze'>): { frozen?: string } {
  if (freeze === undefined || freeze.allow.includes('repair')) return {};
  const state = freezeAt(freeze, Date.now());
  return state.frozen ? { frozen: frozenText(state) } : {};
}

/** Values that are known to be secret, wherever somebody has written them. */
function redacted({ redactor }: Pick<Clients, 'redactor'>, finding: DriftFinding): DriftFinding {
  const clean = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : redactor.redact(text);
  const [was, is, note] = [clean(finding.was), clean(finding.is), clean(finding.note)];
  return {
    ...finding,
    ...(was === undefined ? {} : { was }),
    ...(is === undefined ? {} : { is }),
    ...(note === undefined ? {} : { note }),
  };
}
