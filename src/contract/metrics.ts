/**
 * Our own metrics, one table for workflows, activities, documentation, dashboard and alerts. Labels hold names of the
 * catalog and words of a fixed list, never a text, an id or an address: their number is known beforehand.
 */
import type { MetricMeter } from '@temporalio/common';

export interface MetricDefinition {
  kind: 'counter' | 'gauge' | 'histogram';
  /** Empty for a mere count. */
  unit: '' | 'seconds';
  labels: readonly string[];
  help: string;
}

/** By the names under which they are exported. */
export const METRICS = {
  ananta_operations_total: {
    kind: 'counter',
    unit: '',
    labels: ['operation', 'outcome'],
    help: 'Operations that have ended',
  },
  ananta_operation_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['operation', 'outcome'],
    help: 'From the start of an operation to its outcome',
  },
  ananta_operation_last_timestamp_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: ['operation', 'outcome'],
    help: 'When an operation last ended so on this worker, seconds of the epoch',
  },
  ananta_decisions_total: {
    kind: 'counter',
    unit: '',
    labels: ['operation', 'decision'],
    help: 'What people decided on operations that have ended: approve, reject, override-freeze',
  },
  ananta_admission_wait_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['operation', 'for'],
    help: 'What an operation that went on had waited for before it did anything: approvals, or the end of a freeze',
  },
  ananta_service_duration_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['service', 'operation', 'state'],
    help: 'From the moment a service could start to its end, where something was done to it',
  },
  ananta_service_wait_seconds: {
    kind: 'histogram',
    unit: 'seconds',
    labels: ['service', 'operation', 'for'],
    help: 'What a service waited for: dependencies, or its health after it was applied',
  },
  ananta_retries_total: {
    kind: 'counter',
    unit: '',
    labels: ['activity', 'class'],
    help: 'Failed attempts that are tried again, by the class of the failure',
  },
  ananta_failures_total: {
    kind: 'counter',
    unit: '',
    labels: ['activity', 'class'],
    help: 'Failures that are final, by their class',
  },
  ananta_drift_runs_total: {
    kind: 'counter',
    unit: '',
    labels: ['outcome'],
    help: 'Drift runs that have ended',
  },
  ananta_drift_findings: {
    kind: 'gauge',
    unit: '',
    labels: ['kind'],
    help: 'What the last drift run of this worker has left to be looked at, by the kind of the finding',
  },
  ananta_drift_repairs_total: {
    kind: 'counter',
    unit: '',
    labels: [],
    help: 'Findings that drift runs have repaired',
  },
  ananta_drift_flapping: {
    kind: 'gauge',
    unit: '',
    labels: [],
    help: 'Findings of that run that come back after each repair, and are left to people',
  },
  ananta_drift_last_run_timestamp_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'When this worker ended its last drift run that could compare, seconds of the epoch',
  },
  ananta_platform_version: {
    kind: 'gauge',
    unit: '',
    labels: [],
    help: 'Number of the newest platform version that this worker has recorded',
  },
  ananta_platform_version_timestamp_seconds: {
    kind: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'When this worker recorded that version, seconds of the epoch',
  },
  ananta_worker_info: {
    kind: 'gauge',
    unit: '',
    labels: ['build'],
    help: 'Always 1; the version of the workflow code that this worker serves',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
type NameOf<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof METRICS)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type LabelsOf<Name extends MetricName> = Record<(typeof METRICS)[Name]['labels'][number], string>;

/** Upper bounds in seconds: from a Helm upgrade that changes nothing to a deployment that waits for people. */
export const DURATION_BUCKETS = [0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 14_400];

export interface Metrics {
  count<Name extends NameOf<'counter'>>(name: Name, labels: LabelsOf<Name>, times?: number): void;
  /** @param value seconds, where the unit says so */
  record<Name extends NameOf<'histogram'>>(name: Name, value: number, labels: LabelsOf<Name>): void;
  set<Name extends NameOf<'gauge'>>(name: Name, value: number, labels: LabelsOf<Name>): void;
}

/** The SDK's exporter puts unit and `total` behind the names of histograms and counters itself. */
export function instrumentName(name: MetricName): string {
  const { kind } = METRICS[name];
  return kind === 'gauge' ? name : name.replace(kind === 'counter' ? /_total$/ : /_seconds$/, '');
}

/** By the SDK's meter: of a workflow (silent while it replays), or of the process. */
export function metricsOf(meter: MetricMeter): Metrics {
  const known = new Map<string, unknown>();
  const instrument = <T>(name: MetricName, make: () => T): T => {
    const found = (known.get(name) as T | undefined) ?? make();
    known.set(name, found);
    return found;
  };
  return {
    count: (name, labels, times = 1) => {
      const { unit, help } = METRICS[name];
      instrument(name, () => meter.createCounter(instrumentName(name), unit, help)).add(times, { ...labels });
    },
    record: (name, value, labels) => {
      const { unit, help } = METRICS[name];
      instrument(name, () => meter.createHistogram(instrumentName(name), 'float', unit, help)).record(value, {
        ...labels,
      });
    },
    set: (name, value, labels) => {
      const { unit, help } = METRICS[name];
      instrument(name, () => meter.createGauge(instrumentName(name), 'float', unit, help)).set(value, { ...labels });
    },
  };
}
