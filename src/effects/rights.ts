/** The rights that a deployment takes whoever's it is, and how they are named. */
import type { AccessQuestion } from '../clients/kubernetes/index.ts';

/** Of the workers, in every one of the platform's namespaces. */
function workerQuestions(namespaces: readonly string[]): AccessQuestion[] {
  return namespaces.flatMap((namespace): AccessQuestion[] => [
    { verb: 'list', group: '', resource: 'secrets', namespace },
    { verb: 'create', group: '', resource: 'secrets', namespace },
    { verb: 'watch', group: '', resource: 'pods', namespace },
    { verb: 'create', group: '', resource: 'pods', subresource: 'portforward', namespace },
  ]);
}

/** `create deployments.apps in ananta-deployer` */
export function describeQuestion({
  verb,
  group,
  resource,
  subresource,
  name,
  namespace: place,
}: AccessQuestion): string {
  const kind = `${resource}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return `${verb} ${kind}${name === undefined ? '' : ` ${name}`} ${place === undefined ? 'in the whole cluster' : `in ${place}`}`;
}

/**
 * What the workers may not, in words; an authorizer that does not answer stops nobody.
 * @param may asks the cluster: as a worker of itself, or as somebody else of their account
 */
export async function missingRights(
  namespaces: readonly string[],
  may: (question: AccessQuestion) => Promise<boolean>,
  signal?: AbortSignal,
): Promise<string[]> {
  const answers = await Promise.all(
    workerQuestions(namespaces).map(async (question) => ({
      question,
      allowed: await may(question).catch((error: unknown) => {
        signal?.throwIfAborted();
        if (error instanceof Error) return true;
        throw error;
      }),
    })),
  );
  return answers.filter(({ allowed }) => !allowed).map(({ question }) => describeQuestion(question));
}
