/** Signals, updates and queries as the SDK wants them, from the names both sides share. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { DependencySettled, DeploymentView, ServiceProgress } from '../contract/operations/deploy.ts';
import type { QueueAnswer, QueueRequest, StopPhase, Supersede } from '../contract/lock.ts';
import type { DecideAnswer, DecideRequest, IdentifyRequest } from '../contract/admission/approvals.ts';
import type { FreezeOverride } from '../contract/admission/freeze.ts';
import type { RingsView } from '../contract/operations/rings.ts';
import { QUERIES, SIGNALS, UPDATES } from '../contract/messages.ts';
import type { PhaseSteering, SteerAnswer } from '../contract/operations/steering.ts';

export const serviceProgress = defineSignal<ServiceProgress[]>(SIGNALS.serviceProgress);
export const dependencySettled = defineSignal<[DependencySettled]>(SIGNALS.dependencySettled);
export const stopPhase = defineSignal<[StopPhase]>(SIGNALS.stopPhase);
export const supersede = defineSignal<[Supersede]>(SIGNALS.supersede);
export const enqueue = defineUpdate<QueueAnswer, [QueueRequest]>(UPDATES.enqueue);
export const overrideFreeze = defineUpdate<{ by: string }, [FreezeOverride]>(UPDATES.overrideFreeze);
export const decide = defineUpdate<DecideAnswer, [DecideRequest]>(UPDATES.decide);
export const identify = defineUpdate<{ user: string }, [IdentifyRequest]>(UPDATES.identify);
export const deployment = defineQuery<DeploymentView>(QUERIES.deployment);
export const steer = defineUpdate<SteerAnswer, [unknown]>(UPDATES.steer);
export const steerSignal = defineSignal<[unknown]>(SIGNALS.steer);
export const steerPhase = defineSignal<[PhaseSteering]>(SIGNALS.steerPhase);
export const ringsState = defineQuery<RingsView>(QUERIES.rings);
