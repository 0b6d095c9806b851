/** What came back, against what a check expects. Pure. */
import { z } from 'zod';
import type { HttpCheck, PromqlCheck } from '../../catalog/schema.ts';

export interface Judgement {
  ok: boolean;
  /** What proved it, or what came back instead: one line. */
  text: string;
}

export interface HttpAnswer {
  status: number;
  /** Names in small letters. */
  headers: Readonly<Record<string, string>>;
  /** The first 64 KiB. */
  body: string;
  /** From the request to the end of the answer. */
  seconds: number;
}

const BODY_SHOWN = 120;

export function judgeHttp({ method, path, expect }: HttpCheck, answer: HttpAnswer): Judgement {
  const wanted = [expect.status].flat();
  const wrong: string[] = [];
  if (!wanted.includes(answer.status)) wrong.push(`status ${answer.status} instead of ${wanted.join(' or ')}`);
  for (const [name, pattern] of Object.entries(expect.headers)) {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) wrong.push(`no header ${name}`);
    else if (!new RegExp(pattern, 'u').test(value)) wrong.push(`header ${name} does not match /${pattern}/`);
  }
  if (expect.body !== undefined && !new RegExp(expect.body, 'u').test(answer.body))
    wrong.push(`the body does not match /${expect.body}/`);
  if (expect.withinSeconds !== undefined && answer.seconds > expect.withinSeconds)
    wrong.push(`it took ${answer.seconds.toFixed(2)} s instead of at most ${expect.withinSeconds} s`);
  const what = `${method} ${path}`;
  if (wrong.length === 0) return { ok: true, text: `${what} ${answer.status} in ${answer.seconds.toFixed(2)} s` };
  const body = shown(answer.body);
  return { ok: false, text: `${what}: ${wrong.join(', ')}${body === '' ? '' : `; it said: ${body}`}` };
}

/** https://prometheus.io/docs/prometheus/latest/querying/api/: a scalar, or a vector with a value a series. */
const querySchema = z.discriminatedUnion('status', [
  z.object({
    status: z.literal('success'),
    data: z.discriminatedUnion('resultType', [
      z.object({ resultType: z.literal('scalar'), result: z.tuple([z.number(), z.string()]) }),
      z.object({
        resultType: z.literal('vector'),
        result: z.array(
          z.object({ metric: z.record(z.string(), z.string()), value: z.tuple([z.number(), z.string()]) }),
        ),
      }),
    ]),
  }),
  z.object({ status: z.literal('error'), errorType: z.string().default(''), error: z.string() }),
]);

/** @param answer body of `/api/v1/query` */
export function judgeQuery({ query, expect }: PromqlCheck, answer: string): Judgement {
  const parsed = querySchema.safeParse(asJson(answer));
  if (!parsed.success)
    return { ok: false, text: `${query}: what came back is no scalar and no vector of Prometheus: ${shown(answer)}` };
  if (parsed.data.status === 'error')
    return { ok: false, text: `${query}: Prometheus refuses it (${parsed.data.errorType}): ${parsed.data.error}` };
  const { data } = parsed.data;
  const values =
    data.resultType === 'scalar'
      ? [{ name: '', value: numberOf(data.result[1]) }]
      : data.result.map(({ metric, value }) => ({ name: seriesName(metric), value: numberOf(value[1]) }));
  if (expect.empty)
    return values.length === 0
      ? { ok: true, text: `${query} finds nothing` }
      : { ok: false, text: `${query} finds ${listed(values)}, and has to find nothing` };
  if (values.length === 0) return { ok: false, text: `${query} finds nothing` };
  // NaN is within no bounds.
  const wrong = values.filter(
    ({ value }) => !(value >= (expect.min ?? -Infinity) && value <= (expect.max ?? Infinity)),
  );
  const bounds = [
    ...(expect.min === undefined ? [] : [`at least ${expect.min}`]),
    ...(expect.max === undefined ? [] : [`at most ${expect.max}`]),
  ].join(' and ');
  return wrong.length === 0
    ? { ok: true, text: `${query} is ${listed(values)}` }
    : { ok: false, text: `${query} is ${listed(wrong)}, and has to be ${bounds}` };
}

/** As Prometheus writes them: `+Inf`, `-Inf` and `NaN` beside numbers. */
function numberOf(text: string): number {
  return Number(text.replace(/^([+-]?)Inf$/, '$1Infinity'));
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function seriesName({ __name__: name = '', ...labels }: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`;
}

/** Names only the first few. */
function listed(values: readonly { name: string; value: number }[]): string {
  const few = values.slice(0, 3).map(({ name, value }) => (name === '' ? String(value) : `${value} for ${name}`));
  return `${few.join(', ')}${values.length > 3 ? ` and ${values.length - 3} more` : ''}`;
}

function shown(text: string): string {
  return (text.trim().split('\n')[0] ?? '').slice(0, BODY_SHOWN);
}
