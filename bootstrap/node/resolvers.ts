/** Name servers of this machine. */
import { readFile } from 'node:fs/promises';

const LOCAL = /^(127\.|::1$)/;

/** From the text of a resolv.conf; those on loopback are this machine's alone. */
export function parseNameServers(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const address = /^\s*nameserver\s+(\S+)/.exec(line)?.[1];
    return address === undefined || LOCAL.test(address) || address.includes('%') ? [] : [address];
  });
}

/** Where systemd answers on loopback, its own list of servers is asked. */
export async function nameServers(): Promise<string[]> {
  for (const file of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const servers = parseNameServers(await readFile(file, 'utf8').catch(() => ''));
    if (servers.length > 0) return servers;
  }
  return [];
}
