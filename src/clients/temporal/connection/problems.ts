/**
 * Why an engine could not be used, from what its client threw. Pure but for the key file's own date. Never repeats a
 * key.
 */

/** As much of an environment's engine as the words need. */
export interface EngineDescription {
  address: string;
  namespace: string;
  tls?: unknown;
  apiKeyFile?: string;
}

export interface EngineProblem {
  /** What is wrong, in a sentence or two. */
  message: string;
  next: string[];
}

/** gRPC status codes. */
export const GRPC = {
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

/** The status of a gRPC error or of whatever wraps one. */
export function grpcCode(error: unknown): number | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    if ('code' in at && typeof at.code === 'number') return at.code;
  return undefined;
}

/** Not for us: also where the engine has no such service for anybody. */
export function isDenied(code: number | undefined): boolean {
  return code === GRPC.permissionDenied || code === GRPC.unauthenticated || code === GRPC.unimplemented;
}

/** All that the error and its causes say. */
export function grpcText(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    for (const text of ['details' in at ? String(at.details) : '', at.message])
      if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
  return parts.length === 0 ? String(error) : parts.join('; ');
}

/** @param keyExpired when the API key says of itself that it is over; see `keyExpiry` */
export function engineProblem(error: unknown, engine: EngineDescription, keyExpired?: Date): EngineProblem {
  const text = grpcText(error);
  const code = grpcCode(error);
  if (code === GRPC.notFound) {
    return {
      message: `There is no namespace "${engine.namespace}" on it.`,
      next: [`${temporalCli(engine, 'operator namespace create --retention 90d')}   (or correct engine.namespace)`],
    };
  }
  if (code === GRPC.permissionDenied || code === GRPC.unauthenticated) return denied(text, engine, keyExpired);
  const tls = tlsProblem(text, engine);
  if (tls) return tls;
  return { message: text, next: ['Check engine.address, and that this machine can reach it.'] };
}

function denied(text: string, engine: EngineDescription, keyExpired: Date | undefined): EngineProblem {
  const { namespace, apiKeyFile } = engine;
  const said = `It does not let us in (${text})`;
  if (keyExpired)
    return {
      message: `${said}: the API key in ${apiKeyFile ?? ''} is over since ${keyExpired.toISOString()}.`,
      next: [`Put a new key into ${apiKeyFile ?? ''}: what runs picks it up by itself.`],
    };
  if (apiKeyFile === undefined) {
    const certificate = clientCertificate(engine);
    return {
      message: `${said}. ${certificate ? 'The certificate alone does not suffice' : 'It was shown no API key'}: the namespace "${namespace}" asks for a right.`,
      next: [
        `Name a file with an API key in engine.apiKeyFile${certificate ? ', or have the right given to this certificate' : ''}.`,
      ],
    };
  }
  return {
    message: `${said}: the API key in ${apiKeyFile} gives no right to the namespace "${namespace}", or too little of it.`,
    next: [
      `Check engine.namespace, and put a key with the right to write there into ${apiKeyFile}. Workers and commands both need it.`,
    ],
  };
}

const TLS_TEXTS: [RegExp, (engine: EngineDescription) => EngineProblem][] = [
  [
    /certificate has expired|CERT_HAS_EXPIRED/i,
    () => ({ message: "The engine's certificate is over.", next: ['Have it renewed where the engine runs.'] }),
  ],
  [
    /altnames|ERR_TLS_CERT_ALTNAME_INVALID|not valid for name/i,
    ({ address }) => ({
      message: `The engine's certificate is not for "${address.replace(/:\d+$/, '')}".`,
      next: ["Correct engine.address, or name the certificate's own name in engine.tls.serverName."],
    }),
  ],
  [
    /unable to verify|self.signed|unable to get (local )?issuer|UnknownIssuer|unknown ca\b.*client|UNABLE_TO_VERIFY|invalid peer certificate/i,
    () => ({
      message: "The engine's certificate was not issued by whom we trust.",
      next: ['Name the file with the authority that issued it in engine.tls.ca.'],
    }),
  ],
  [
    /certificate required|alert number 116|bad certificate|alert number 42|handshake failure|alert number 40/i,
    (engine) => ({
      message: clientCertificate(engine)
        ? 'It refused our certificate.'
        : 'It wants a certificate of ours (mutual TLS).',
      next: [
        clientCertificate(engine)
          ? 'Check engine.tls.cert and engine.tls.key: issued by an authority that the engine trusts, and not over.'
          : 'Name certificate and key in engine.tls.cert and engine.tls.key.',
      ],
    }),
  ],
  [
    /unknown ca|alert number 48|certificate expired|alert number 45|certificate unknown|alert number 46/i,
    () => ({
      message: 'It refused our certificate.',
      next: ['Check engine.tls.cert and engine.tls.key: issued by an authority that the engine trusts, and not over.'],
    }),
  ],
  [
    /key values mismatch|KEY_VALUES_MISMATCH|no start line|PEM|bad decrypt/i,
    () => ({
      message: 'Certificate and key do not fit together, or are no PEM files.',
      next: ['Check engine.tls.cert, engine.tls.key and engine.tls.ca.'],
    }),
  ],
];

function tlsProblem(text: string, engine: EngineDescription): EngineProblem | undefined {
  const found = TLS_TEXTS.find(([pattern]) => pattern.test(text));
  if (found) {
    const { message, next } = found[1](engine);
    return { message: `${message} (${text})`, next };
  }
  // A plain connection to a server that wants TLS is closed at once, or never becomes usable.
  if (
    (engine.tls === undefined || engine.tls === false) &&
    /ECONNRESET|dropped|socket hang up|Protocol error|EPROTO|Last error: Failed to connect\b/i.test(text)
  ) {
    return {
      message: `It does not talk with us (${text}): it may want TLS.`,
      next: ['Say engine.tls: true, or name the files.'],
    };
  }
  return undefined;
}

function clientCertificate({ tls }: EngineDescription): boolean {
  return typeof tls === 'object' && tls !== null && 'cert' in tls && tls.cert !== undefined;
}

/**
 * Many API keys are JSON web tokens and say until when they are good. @returns undefined where it is none, or is still
 * good
 */
export function keyExpiry(key: string, now: number): Date | undefined {
  const payload = key.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    const exp = typeof claims === 'object' && claims !== null && 'exp' in claims ? claims.exp : undefined;
    return typeof exp === 'number' && exp * 1000 < now ? new Date(exp * 1000) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The line of Temporal's own command for somebody who may: with this environment's address and certificates, never with
 * a key.
 */
export function temporalCli(engine: EngineDescription, command: string): string {
  const { address, namespace, tls, apiKeyFile } = engine;
  const files: Record<string, unknown> = typeof tls === 'object' && tls !== null ? { ...tls } : {};
  const flags: [string, unknown][] = [
    ['--tls-ca-path', files['ca']],
    ['--tls-cert-path', files['cert']],
    ['--tls-key-path', files['key']],
    ['--tls-server-name', files['serverName']],
  ];
  const given = flags.flatMap(([flag, value]) => (typeof value === 'string' ? [`${flag} ${value}`] : []));
  return [
    'temporal',
    command,
    `--address ${address} --namespace ${namespace}`,
    ...(tls === true ? ['--tls'] : given),
    ...(apiKeyFile === undefined ? [] : [`--api-key "$(cat ${apiKeyFile})"`]),
  ].join(' ');
}

/** What is needed of a server: worker versions, and updates that start their workflow. */
export const MINIMAL_SERVER = '1.28.0';

/** @param version as a server reports it, such as `1.29.1` or `1.30.0-148.4`; one that cannot be read passes */
export function isTooOld(version: string): boolean {
  const numbers = (text: string): number[] | undefined => /^v?(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  const [is, wanted] = [numbers(version), numbers(MINIMAL_SERVER)];
  if (!is || !wanted) return false;
  const at = is.findIndex((number, index) => number !== wanted[index]);
  return at >= 0 && (is[at] ?? 0) < (wanted[at] ?? 0);
}
