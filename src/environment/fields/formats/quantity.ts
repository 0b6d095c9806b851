/** Amounts as Kubernetes writes them (k8s.io/apimachinery/pkg/api/resource): `500m`, `2`, `1Gi`, `1e3`. */
import { z } from 'zod';
import { isQualifiedName } from './kubernetes-names.ts';

const QUANTITY = /^([+-]?)(\d+\.?\d*|\.\d+)(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE]|[eE][+-]?\d{1,3})?$/;
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
/** Digits behind the point that are kept when amounts are compared: nano is the finest that Kubernetes knows. */
const NANO = 9;
const LONGEST = 40;

/** @returns billionths, exact; undefined for what is no quantity */
export function parseQuantity(text: string): bigint | undefined {
  const match = text.length > LONGEST ? null : QUANTITY.exec(text);
  if (match === null) return undefined;
  const [, sign = '', digits = '', suffix = ''] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const power = BINARY.indexOf(suffix) + 1;
  const shift = NANO - fraction.length + (power > 0 ? 0 : exponentOf(suffix));
  const number = BigInt(`${whole}${fraction}`) * 1024n ** BigInt(power);
  // Kubernetes rounds what is finer up.
  const billionths =
    shift >= 0 ? number * 10n ** BigInt(shift) : (number + 10n ** BigInt(-shift) - 1n) / 10n ** BigInt(-shift);
  return sign === '-' ? -billionths : billionths;
}

function exponentOf(suffix: string): number {
  return DECIMAL[suffix] ?? (suffix === '' ? 0 : Number(suffix.slice(1)));
}

const UNIT = 10n ** BigInt(NANO);
const LARGEST = 2n ** 63n * UNIT;

function quantityProblem(text: string): string | undefined {
  const amount = parseQuantity(text);
  if (amount === undefined)
    return `${JSON.stringify(text.slice(0, 60))} is no quantity of Kubernetes${nearest(text) ?? ', such as 500m, 2 or 1Gi'}`;
  if (amount < 0n) return `${JSON.stringify(text)} is less than nothing`;
  return amount >= LARGEST ? `${JSON.stringify(text)} is more than Kubernetes can count` : undefined;
}

/** `1GB`, `10 Gi`, `2gi`, `1,5Gi`: what was meant. */
function nearest(text: string): string | undefined {
  const match = /^(\d+(?:[.,]\d+)?)\s*([kmgtp])(i?)b?(?:ytes?)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const [, digits = '', unit = '', binary = ''] = match;
  const number = digits.replace(',', '.');
  const letter = unit.toUpperCase();
  return `, did you mean ${number}${letter}i${binary === '' ? ` or ${number}${letter === 'K' ? 'k' : letter}` : ''}?`;
}

/** A number is taken, too, as Kubernetes takes one; the result is always a text. */
const quantityText = z.union([z.string(), z.number()]).transform(String);

export const quantity = quantityText.superRefine((text, context) => {
  const problem = quantityProblem(text);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

/** Of a volume: whole bytes, and some. */
export const volumeSize = quantityText.superRefine((text, context) => {
  const amount = parseQuantity(text);
  const problem =
    quantityProblem(text) ??
    (amount === 0n
      ? 'has to be more than nothing'
      : amount !== undefined && amount % UNIT !== 0n
        ? `${JSON.stringify(text)} is a fraction of a byte${milli(text)}`
        : undefined);
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
});

function milli(text: string): string {
  return text.endsWith('m') ? `: m is a thousandth, did you mean ${text.slice(0, -1)}Mi?` : '';
}

const PLAIN = ['cpu', 'memory', 'ephemeral-storage'];
const isHugePages = (name: string): boolean => name.startsWith('hugepages-');
const isExtended = (name: string): boolean => name.includes('/');

function nameProblem(name: string): string | undefined {
  if (PLAIN.includes(name) || (isHugePages(name) && isQualifiedName(name))) return undefined;
  if (isExtended(name) && isQualifiedName(name)) return undefined;
  return 'is no resource of a container: cpu, memory, ephemeral-storage, hugepages-SIZE, or one with a domain such as nvidia.com/gpu';
}

const amounts = z.record(z.string(), quantity).superRefine((found, context) => {
  for (const [name, text] of Object.entries(found)) {
    const amount = parseQuantity(text) ?? 0n;
    const fraction = amount % UNIT !== 0n && name !== 'cpu';
    const problem =
      nameProblem(name) ??
      (fraction
        ? `${JSON.stringify(text)} is a fraction of ${isExtended(name) ? 'one' : 'a byte'}${isExtended(name) ? '' : milli(text)}`
        : undefined);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: [name], message: problem });
  }
});

export interface Resources {
  requests?: Readonly<Record<string, string>> | undefined;
  limits?: Readonly<Record<string, string>> | undefined;
}

/** @returns what the API server would refuse about these two together */
export function resourceProblems({ requests = {}, limits = {} }: Resources): { path: string[]; message: string }[] {
  const over = Object.entries(requests).flatMap(([name, request]) => {
    const limit = limits[name];
    const [wanted, most] = [parseQuantity(request), limit === undefined ? undefined : parseQuantity(limit)];
    if ((isExtended(name) || isHugePages(name)) && limit === undefined)
      return [
        {
          path: ['requests', name],
          message: `has to be in limits, too, with the same amount: ${name} cannot be shared`,
        },
      ];
    if (wanted === undefined || most === undefined || limit === undefined) return [];
    if ((isExtended(name) || isHugePages(name)) && wanted !== most)
      return [
        { path: ['requests', name], message: `has to be the same as the limit (${limit}): ${name} cannot be shared` },
      ];
    return wanted > most
      ? [
          {
            path: ['requests', name],
            message: `${request} is more than the limit of ${limit}: the API server refuses that`,
          },
        ]
      : [];
  });
  return over;
}

/** Requests and limits of a container. */
export const containerResources = z
  .strictObject({ requests: amounts.optional(), limits: amounts.optional() })
  .superRefine((found, context) => {
    for (const { path, message } of resourceProblems(found)) context.addIssue({ code: 'custom', path, message });
  });
