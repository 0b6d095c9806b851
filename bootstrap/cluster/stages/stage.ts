/** A KWOK Stage: which objects it takes, when, and what it does to them. */
import type { ApiObject } from '../api.ts';

export interface Expression {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  values?: readonly string[];
}

export interface StageStep {
  patch?: { subresource?: string; root?: string; template: string };
  apply?: { template: string };
  delete?: boolean;
}

export interface StageInput {
  name: string;
  kind: 'Node' | 'Pod' | 'PersistentVolumeClaim' | 'PersistentVolume';
  labels?: Record<string, string>;
  when: Expression[];
  weight?: number;
  delay?: Record<string, unknown>;
  steps: StageStep[];
  ownLabels?: Record<string, string>;
}

export function stage(input: StageInput): ApiObject {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name: input.name, labels: { 'app.kubernetes.io/managed-by': 'ananta-deploy', ...input.ownLabels } },
    spec: {
      resourceRef: { apiGroup: 'v1', kind: input.kind },
      selector: { ...(input.labels === undefined ? {} : { matchLabels: input.labels }), matchExpressions: input.when },
      weight: input.weight ?? 0,
      ...(input.delay === undefined ? {} : { delay: input.delay }),
      steps: input.steps,
    },
  };
}

export const NOT_DELETED: Expression = { key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' };
/** Status of the condition Ready, of a pod or a node. */
export const READY = '.status.conditions.[] | select( .type == "Ready" ) | .status';
