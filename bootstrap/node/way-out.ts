/**
 * The way out of a real node's network, where the environment wants one: forwarding on two interfaces and one table of
 * nftables.
 */
import { readFile, writeFile } from 'node:fs/promises';
import type { NodeLayout } from './layout.ts';
import { command } from './machine.ts';
import type { NodeNetwork } from './network.ts';
import { readNodeRecord, writeNodeRecord } from './record.ts';

/** @param uplink the interface that leads beyond this machine */
export function wayOutRules(
  { table, link }: Pick<NodeLayout, 'table' | 'link'>,
  { subnet }: NodeNetwork,
  uplink: string,
): string {
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${subnet} oifname "${uplink}" masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${link}" oifname != "${uplink}" drop
    oifname "${link}" ct state established,related accept
    oifname "${link}" drop
  }
}
`;
}

/** The interface of the default route, from the text of /proc/net/route; undefined where the machine has none. */
export function uplinkOf(routes: string): string | undefined {
  return routes
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .find(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')?.[0];
}

/** Safe to repeat. @throws Error where the machine has no way out itself */
export async function openWayOut(layout: NodeLayout, network: NodeNetwork): Promise<void> {
  const uplink = uplinkOf(await readFile('/proc/net/route', 'utf8'));
  if (uplink === undefined) return;
  for (const device of [layout.link, uplink]) await remember(layout, `/proc/sys/net/ipv4/conf/${device}/forwarding`);
  const rules = `${layout.config}/way-out.nft`;
  await writeFile(rules, wayOutRules(layout, network, uplink));
  await command('nft', ['-f', rules]);
}

/** Sets it to 1 and notes what it was; a note that is there already is older and stays. */
async function remember(layout: NodeLayout, setting: string): Promise<void> {
  const value = (await readFile(setting, 'utf8')).trim();
  if (value === '1') return;
  const record = await readNodeRecord(layout);
  if (record !== undefined)
    await writeNodeRecord(layout, { ...record, settings: { [setting]: value, ...record.settings } });
  await writeFile(setting, '1');
}

/** Puts everything back. */
export async function closeWayOut(layout: NodeLayout): Promise<void> {
  const tables = await command('nft', ['list', 'tables']).catch(() => '');
  if (tables.split('\n').includes(`table ip ${layout.table}`))
    await command('nft', ['delete', 'table', 'ip', layout.table]);
  const record = await readNodeRecord(layout);
  if (record === undefined || Object.keys(record.settings).length === 0) return;
  for (const [setting, value] of Object.entries(record.settings))
    await writeFile(setting, value).catch(() => undefined);
  await writeNodeRecord(layout, { ...record, settings: {} });
}
