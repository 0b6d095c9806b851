/** Clients that log in again and again with what their Secret held when their pod started. */
import { setTimeout as sleep } from 'node:timers/promises';
import { decodedData } from '../../../src/clients/kubernetes/index.ts';
import type { FakeParts } from '../fakes/clients.ts';

export interface Login {
  username: string;
  password: string;
}

export interface LoginClient {
  login: Login;
  logins: number;
  failures: string[];
  end: () => Promise<void>;
}

/**
 * Logs in ten times a second for as long as the work lasts.
 * @param once logs in once; throws where that does not work
 */
export async function withClients<T>(
  logins: readonly Login[],
  once: (login: Login) => Promise<unknown>,
  work: (...clients: LoginClient[]) => Promise<T>,
): Promise<T> {
  const clients = logins.map((login) => loginClient(login, once));
  try {
    return await work(...clients);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

function loginClient(login: Login, once: (login: Login) => Promise<unknown>): LoginClient {
  let over = false;
  const client: LoginClient = {
    login,
    logins: 0,
    failures: [],
    end: async () => {
      over = true;
      await work;
    },
  };
  const work = (async () => {
    while (!over) {
      await once(client.login).then(
        () => (client.logins += 1),
        (error: unknown) => client.failures.push(String(error)),
      );
      await sleep(100);
    }
  })();
  return client;
}

/** What the Secret of the sample's reader holds. */
export function readSecret({ cluster }: FakeParts): Login {
  const { username = '', password = '' } = decodedData(
    cluster.objects.get('/api/v1/namespaces/apps/secrets/vault-stores-queue'),
  );
  return { username, password };
}
