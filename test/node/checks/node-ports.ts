/** The seed's table of ports, on the node's address. */
import assert from 'node:assert/strict';
import { eventually, type Platform } from '../support/platform.ts';

const PORTS: readonly (readonly [service: string, port: number, path: string])[] = [
  ['tenant-management-service', 31400, '/health'],
  ['admin-app', 31555, '/'],
  ['keycloak', 31180, '/realms/master'],
  ['temporal-ui', 31021, '/healthz'],
  ['cns-service', 31200, '/health'],
  ['customer-portal', 31100, '/'],
  ['cns-dashboard', 31250, '/'],
  ['supabase-studio', 31800, '/api/platform/profile'],
  ['supabase-api', 31810, '/'],
  ['directus', 31060, '/server/ping'],
  ['rabbitmq', 31673, '/'],
  ['app-plane-minio', 31041, '/'],
];

/** @param without services that are not real here */
export async function checkNodePorts(platform: Platform, without: readonly string[] = []): Promise<void> {
  const wrong: string[] = [];
  await Promise.all(
    PORTS.filter(([service]) => !without.includes(service)).map(async ([service, port, path]) => {
      // kube-proxy follows a pod that has just become ready within moments.
      await eventually(
        `${service} on ${port}`,
        async () => ((await fetch(`http://${platform.node}:${port}${path}`)).status === 200 ? true : undefined),
        20_000,
      ).catch((error: unknown) => {
        wrong.push(
          error instanceof Error
            ? `${error.message} ${error.cause instanceof Error ? error.cause.message : ''}`
            : String(error),
        );
      });
    }),
  );
  assert.deepEqual(wrong, []);
}
