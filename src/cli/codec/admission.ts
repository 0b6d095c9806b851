/** Whom a codec server answers: who knows its address, or who may do the like in the environment's cluster. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { AccessQuestion } from '../../clients/kubernetes/access-review.ts';
import { mayCaller } from '../../clients/kubernetes/as-caller.ts';
import { RECORDS_NAMESPACE } from '../../contract/names.ts';
import type { Connections } from '../../environment/connections.ts';
import type { Admission, CodecServerOptions, CodecVerb } from './http.ts';

type Allow = CodecServerOptions['allow'];

/** In the path, since the Temporal UI sends nothing of its own; or as a bearer token. */
export function allowByToken(token: string): Allow {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(token);
  return (_verb, { path, bearer }) =>
    Promise.resolve(
      [path, bearer ?? ''].some((given) => timingSafeEqual(digest(given), wanted)) ? 'allowed' : 'unknown',
    );
}

/**
 * Histories say what versions say, and more: who reads those in the cluster may read them, who writes them may write.
 */
const RIGHTS: Record<CodecVerb, AccessQuestion> = {
  decode: { verb: 'list', group: '', resource: 'configmaps', namespace: RECORDS_NAMESPACE },
  encode: { verb: 'create', group: '', resource: 'configmaps', namespace: RECORDS_NAMESPACE },
};
/** A page asks once for each payload that it shows. */
const REMEMBERED_MILLISECONDS = 30_000;
const MOST_REMEMBERED = 1000;

/** The API server is asked with the caller's own token, so the codec server needs no right in the cluster. */
export function allowByCluster(
  cluster: Connections['kubernetes'],
  say: (text: string) => void,
  ask: typeof mayCaller = mayCaller,
): Allow {
  const known = new Map<string, { until: number; admission: Promise<Admission> }>();
  return (verb, { bearer }) => {
    if (bearer === undefined) return Promise.resolve('unknown');
    const id = createHash('sha256').update(`${verb} ${bearer}`).digest('hex');
    const found = known.get(id);
    if (found && found.until > Date.now()) return found.admission;
    if (known.size >= MOST_REMEMBERED) known.clear();
    const admission = ask(cluster, bearer, RIGHTS[verb]);
    known.set(id, { until: Date.now() + REMEMBERED_MILLISECONDS, admission });
    admission.then(
      (answer) => {
        if (answer !== 'allowed') say(`A caller may not ${verb} (${answer})`);
      },
      () => known.delete(id),
    );
    return admission;
  };
}
