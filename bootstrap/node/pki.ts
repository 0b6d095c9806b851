/** Certificates of a real node's parts, signed by the cluster's authority. */
import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readText } from '../process/files.ts';
import { NODE_NAME, type NodeLayout } from './layout.ts';
import { command } from './machine.ts';
import type { NodeNetwork } from './network.ts';

interface Wanted {
  name: string;
  subject: string;
  extensions: string;
}

function wantedCertificates(network: NodeNetwork): Wanted[] {
  const client = 'extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n';
  return [
    { name: 'kubelet', subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`, extensions: client },
    { name: 'kube-proxy', subject: '/CN=system:kube-proxy', extensions: client },
    { name: 'coredns', subject: '/CN=system:coredns', extensions: client },
    {
      name: 'kubelet-server',
      subject: `/O=system:nodes/CN=system:node:${NODE_NAME}`,
      extensions: `extendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\nsubjectAltName=IP:${network.node},DNS:${NODE_NAME}\n`,
    },
  ];
}

const YEARS = 10;

/**
 * Makes those that are missing, or were signed by another authority or for other addresses.
 * @param cluster folder of the cluster's keys
 */
export async function makeCertificates(layout: NodeLayout, cluster: string, network: NodeNetwork): Promise<void> {
  const authority = { certificate: join(cluster, 'ca.crt'), key: join(cluster, 'ca.key') };
  const fingerprint = new X509Certificate(await readFile(authority.certificate)).fingerprint256;
  const settings = join(layout.pki, 'openssl.cnf');
  await writeFile(settings, '[req]\ndistinguished_name=subject\n[subject]\n');
  for (const { name, subject, extensions } of wantedCertificates(network)) {
    const digest = createHash('sha256')
      .update(JSON.stringify([fingerprint, subject, extensions]))
      .digest('hex');
    const path = (ending: string): string => join(layout.pki, `${name}.${ending}`);
    if ((await readText(path('digest'))) === digest) continue;
    await writeFile(path('ext'), extensions);
    await command('openssl', [
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-config',
      settings,
      '-subj',
      subject,
      '-keyout',
      path('key'),
      '-out',
      path('csr'),
    ]);
    await command('openssl', [
      'x509',
      '-req',
      '-in',
      path('csr'),
      '-CA',
      authority.certificate,
      '-CAkey',
      authority.key,
      '-set_serial',
      `0x${randomBytes(8).toString('hex')}`,
      '-days',
      String(YEARS * 365),
      '-sha256',
      '-extfile',
      path('ext'),
      '-out',
      path('crt'),
    ]);
    await writeFile(path('digest'), digest);
  }
}
