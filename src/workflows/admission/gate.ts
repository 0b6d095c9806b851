/** Waits for approvals of people, bound to the plan as it is. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { GateRule } from '../../contract/admission/approvals.ts';
import type { OperationWait } from '../../contract/operations/deploy.ts';
import { FAILURES } from '../../contract/failures.ts';
import { standing, subjectTexts } from '../../plan/admission/gate.ts';
import { isBroken } from '../../plan/policy/words.ts';
import { sendNotification } from '../notifications/send.ts';
import { admissionOf, operationOf, type StepCall, type StepEnd } from '../steps/call.ts';
import type { Admission } from './admission.ts';

/** Timers are no shorter. */
const LEAST_MILLISECONDS = 1000;

export async function awaitApproval(call: StepCall): Promise<StepEnd> {
  const { run, step } = call;
  const admission = admissionOf(call);
  const digest = operationOf(call).plan?.digest ?? '';
  const rule = step.gate;
  if (rule === undefined) throw new Error(`Step ${step.id} names no rule`);
  if (passesByItself(call)) return {};
  let waited = false;
  for (;;) {
    const rejected = admission.rejected();
    if (rejected) throw refusal(`${rejected.by} rejected it: ${rejected.reason ?? ''}`, FAILURES.rejected);
    const given = standing(rule, digest, admission.approvals, Date.now());
    if (given.length >= rule.count) return { waited };
    const left = admission.since(step.id) + rule.waitSeconds * 1000 - Date.now();
    if (left <= 0)
      throw refusal(
        `The gate ${rule.name} was not opened within ${rule.waitSeconds} s: ${given.length} of ${rule.count} approvals`,
        FAILURES.notApproved,
      );
    admission.at(rule, digest);
    const wait = waitOf(step.id, rule, digest, given, admission, left);
    // Not awaited: a slow notification delays no decision.
    if (!waited) void ask(call, wait);
    waited = true;
    const decisions = admission.acts.length;
    const expires = Math.min(...given.map(({ until }) => Date.parse(until) - Date.now()));
    await admission.wait(
      wait,
      () => admission.acts.length > decisions,
      Math.max(LEAST_MILLISECONDS, Math.min(left, expires)),
    );
  }

  function refusal(message: string, type: string): ApplicationFailure {
    return ApplicationFailure.nonRetryable(`${run.environment}: ${message}. Nothing was changed.`, type);
  }
}

/** All rules are kept, those that only ask as well: on record once. */
function passesByItself(call: StepCall): boolean {
  const { gate } = call.step;
  const { digest = '', verdicts = [] } = operationOf(call).plan ?? {};
  if (gate?.autoApprove !== 'policy' || verdicts.length === 0 || verdicts.some(isBroken)) return false;
  const admission = admissionOf(call);
  const on = `${gate.name} ${digest}`;
  const reason = `the plan keeps all ${verdicts.length} rules`;
  if (!admission.acts.some((act) => act.by === 'policy' && act.on === on))
    admission.record({ act: 'approve', by: 'policy', reason, at: new Date().toISOString(), on });
  return true;
}

function waitOf(
  step: string,
  rule: GateRule,
  digest: string,
  given: ReturnType<typeof standing>,
  admission: Admission,
  left: number,
): OperationWait {
  const by = subjectTexts(rule.by);
  const requester = admission.requester();
  const unproved = rule.notSelf && requester === undefined ? '; who asked for it has not been proved' : '';
  return {
    step,
    reason: `waits at the gate ${rule.name} for approvals of plan ${digest}: ${given.length} of ${rule.count}, by ${by.join(', ')}${unproved}`,
    since: new Date(admission.since(step)).toISOString(),
    until: new Date(Date.now() + left).toISOString(),
    gate: {
      name: rule.name,
      digest,
      by,
      count: rule.count,
      given,
      ...(requester === undefined ? {} : { requester }),
    },
  };
}

/** Notifies the people who are asked; a notification that fails keeps nobody from deciding. */
async function ask(call: StepCall, { reason, gate, until }: OperationWait): Promise<void> {
  if (gate === undefined) return;
  const { run } = call;
  await sendNotification(
    operationOf(call).plan?.notifications,
    {
      run,
      event: 'gate',
      title: `The ${run.operation ?? 'operation'} on ${run.environment} ${reason}`,
      lines: [
        `It waits until ${until ?? ''}.`,
        `npm run ananta -- approvals --env ${run.environment}`,
        `npm run ananta -- approve --env ${run.environment} --digest ${gate.digest}`,
      ],
      ...(until === undefined ? {} : { asks: { kind: 'gate', gate: gate.name, digest: gate.digest, until } }),
    },
    `Ask at the gate ${gate.name}`,
  ).catch(() => undefined);
}
