/** PromQL, read by Prometheus' own grammar. */
import { parser } from '@prometheus-io/lezer-promql';

export interface Read {
  /** Of what is selected. */
  metrics: string[];
  /** In matchers and groupings. */
  labels: string[];
  /** Text that is no PromQL. */
  errors: string[];
}

/** With Grafana's own variables put in as it does. */
export function inGrafana(text: string, { rate = '5m', range = '1h' } = {}): string {
  return text.replaceAll('$__rate_interval', rate).replaceAll('$__range', range).replaceAll('$environment', '.*');
}

export function readPromql(text: string): Read {
  const expression = inGrafana(text);
  const read: Read = { metrics: [], labels: [], errors: [] };
  parser.parse(expression).iterate({
    enter: ({ type, from, to, node }) => {
      const part = expression.slice(from, to);
      if (type.isError) read.errors.push(`${part || 'something missing'} at ${from} of ${expression}`);
      else if (type.name === 'Identifier' && node.parent?.type.name === 'VectorSelector') read.metrics.push(part);
      else if (type.name === 'LabelName') read.labels.push(part);
    },
  });
  return read;
}
