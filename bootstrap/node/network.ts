/**
 * The addresses of a real node: one subnet, of which a small part links the node to this machine and the rest is for
 * its pods.
 */
import { createHash } from 'node:crypto';

export interface NodeNetwork {
  /** All of it, e.g. 10.231.0.0/16. */
  subnet: string;
  /** This machine's end of the link; where pods find the API server. */
  host: string;
  /** The node's end; where its kubelet, its NodePorts and its DNS are. */
  node: string;
  /** Bits of the link's own range. */
  linkBits: number;
  /** Range of the pods' addresses. */
  pods: string;
}

/** Addresses of Services; they exist in the node's own network only. */
export const SERVICE_RANGE = '10.96.0.0/16';
export const DNS_SERVICE_ADDRESS = '10.96.0.10';
export const API_SERVICE_ADDRESS = '10.96.0.1';

const LINK_BITS = 24;
/** Second numbers of the ranges that are tried where the environment names none: 10.200.0.0/16 to 10.249.0.0/16. */
const FIRST = 200;
const COUNT = 50;

interface Range {
  /** First address as a number. */
  base: number;
  bits: number;
}

/** @throws Error for what is no range of IPv4 addresses */
export function parseRange(text: string): Range {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(text);
  const numbers = match?.slice(1, 5).map(Number) ?? [];
  const bits = Number(match?.[5]);
  if (numbers.length !== 4 || numbers.some((number) => number > 255) || bits > 32)
    throw new Error(`${text} is no range of IPv4 addresses, such as 10.231.0.0/16`);
  const address = numbers.reduce((sum, number) => sum * 256 + number, 0);
  return { base: address - (address % 2 ** (32 - bits)), bits };
}

export function overlaps(a: Range, b: Range): boolean {
  const size = 2 ** (32 - Math.min(a.bits, b.bits));
  return Math.floor(a.base / size) === Math.floor(b.base / size);
}

function format(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** @param subnet of 16 to 22 bits: the first 256 addresses are the link, the upper half is for pods */
export function nodeNetwork(subnet: string): NodeNetwork {
  const { base, bits } = parseRange(subnet);
  if (bits < 8 || bits > 22)
    throw new Error(`${subnet} does not fit: a real node needs a range of 8 to 22 bits, such as 10.231.0.0/16`);
  return {
    subnet: `${format(base)}/${bits}`,
    host: format(base + 1),
    node: format(base + 2),
    linkBits: LINK_BITS,
    pods: `${format(base + 2 ** (31 - bits))}/${bits + 1}`,
  };
}

/**
 * Ranges that this machine knows a way to, from the text of /proc/net/route. The default route, which is no range, is
 * left out.
 */
export function parseRoutes(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.split('\t');
      const [, destination = '', , , , , , mask = ''] = fields;
      const bits = (Number.parseInt(mask, 16) >>> 0).toString(2).replaceAll('0', '').length % 33;
      if (bits === 0) return [];
      const bytes =
        destination
          .match(/../g)
          ?.reverse()
          .map((byte) => Number.parseInt(byte, 16)) ?? [];
      return bytes.length === 4 ? [`${bytes.join('.')}/${bits}`] : [];
    });
}

/**
 * A range that nothing on this machine uses; the same one for the same folder as long as it is free.
 * @param folder state folder of the environment, so that several nodes on one machine keep apart
 * @throws Error when all are taken
 */
export function chooseSubnet(folder: string, taken: readonly string[]): string {
  const start = createHash('sha256').update(folder).digest().readUInt32BE(0) % COUNT;
  for (let tries = 0; tries < COUNT; tries += 1) {
    const subnet = `10.${FIRST + ((start + tries) % COUNT)}.0.0/16`;
    if (!taken.some((range) => overlaps(parseRange(range), parseRange(subnet)))) return subnet;
  }
  throw new Error(
    `all ranges from 10.${FIRST}.0.0/16 to 10.${FIRST + COUNT - 1}.0.0/16 are in use on this machine: name a free one as cluster.embedded.realNode.subnet`,
  );
}
