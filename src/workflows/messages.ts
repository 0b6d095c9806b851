/** Signals and queries as the SDK wants them, from the names both sides share. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { DependencySettled, DeploymentView, ServiceProgress } from '../contract/deploy.ts';
import { QUERIES, SIGNALS } from '../contract/messages.ts';

export const serviceProgress = defineSignal<[ServiceProgress]>(SIGNALS.serviceProgress);
export const dependencySettled = defineSignal<[DependencySettled]>(SIGNALS.dependencySettled);
export const deployment = defineQuery<DeploymentView>(QUERIES.deployment);
