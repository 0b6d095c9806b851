/**
 * MinIO keeps one secret key a user. So two users take turns, with the same policies and groups. Root has its name and
 * password from the server's environment: its next user is made as an administrator, and becomes root as the server
 * restarts with the new Secret.
 */
import type { RotationSystem } from '../../../catalog/schema.ts';
import { type RotationNames, type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['admin', 'former', 'next', 'wrong'];

/** By the client in its container. Values stand in its environment, since an alias of it would be a file. */
const COMMON = `
former_user=$1 next_user=$2 admin_user=$3
command -v mc >/dev/null || exit 44
case "$admin$former$next" in *:*) exit 45 ;; esac
MC_CONFIG_DIR=$(mktemp -d)
export MC_CONFIG_DIR LC_ALL=C
trap 'rm -rf "$MC_CONFIG_DIR"' EXIT
as() { # user password, command
  user=$1 password=$2
  shift 2
  MC_HOST_server="http://$user:$password@127.0.0.1:\${MINIO_API_PORT_NUMBER:-9000}" mc --json "$@"
}
admin() { as "$admin_user" "$admin" admin "$@"; }
change() { # says what the server answers only where it refuses
  if said=$(admin "$@"); then return 0; fi
  echo "$said" >&2
  return 1
}
takes() { # user password
  if said=$(as "$1" "$2" ls server </dev/null 2>&1); then return 0; fi
  case "$said" in
    *InvalidAccessKeyId* | *SignatureDoesNotMatch* | *AccessKeyDisabled*) return 1 ;;
    *AccessDenied*) return 0 ;;
    *) echo 'the server does not answer' >&2; exit 1 ;;
  esac
}
answer() { # command; says what the server answers, or why it refuses
  if said=$(admin "$@" </dev/null); then printf '%s\\n' "$said"; return 0; fi
  echo "$said" >&2
  return 1
}
there() {
  if said=$(answer user info server "$1" 2>&1); then return 0; fi
  case "$said" in *NoSuchUser* | *'does not exist'*) return 1 ;; esac
  echo "$said" >&2
  exit 1
}
takes_new() {
  if takes "$next_user" "$wrong"; then exit 43; fi
  takes "$next_user" "$next" || exit 41
}
alone() { # access keys that end with the user they belong to
  all=$(answer user svcacct ls server "$1") || exit 1
  keys=$(printf '%s\\n' "$all" | sed -n 's/.*"accessKey" *: *"\\([^"]*\\)".*/\\1/p' | tr '\\n' ' ')
  if [ -n "$keys" ]; then echo "access keys of $1: $keys" >&2; exit 46; fi
}
policies() { # of a user, from what the server says of it
  printf '%s\\n' "$1" | sed -n 's/.*"policyName" *: *"\\([^"]*\\)".*/\\1/p' | tr ',' '\\n'
}
groups() { # the same
  printf '%s\\n' "$1" | sed -n 's/.*"memberOf" *: *\\[//p' | tr '{}' '\\n\\n' |
    sed -n 's/.*"name" *: *"\\([^"]*\\)".*/\\1/p'
}
add() { printf '%s\\n%s\\n' "$next_user" "$next" | change user add server; }
attach() { # policy
  has=$(answer user info server "$next_user") || exit 1
  case " $(policies "$has" | tr '\\n' ' ') " in *" $1 "*) return 0 ;; esac
  change policy attach server "$1" --user "$next_user" </dev/null
}`;

const ADD = `
if [ "$former_user" != "$next_user" ] && there "$former_user"; then alone "$former_user"; fi
takes "$next_user" "$next" || add
if [ "$former_user" != "$next_user" ] && there "$former_user"; then
  held=$(answer user info server "$former_user") || exit 1
  for policy in $(policies "$held"); do attach "$policy"; done
  for group in $(groups "$held"); do
    change group add server "$group" "$next_user" </dev/null
  done
fi
takes_new`;

const revoke = (removal: string): string => `
takes_new
if [ "$former_user" != "$next_user" ] && there "$former_user"; then
  alone "$former_user"
  ${removal}
fi
if takes "$former_user" "$former"; then exit 42; fi`;
const REMOVE = 'change user remove server "$former_user" </dev/null';

const USER: Record<ServerAct, string> = { add: ADD, verify: 'takes_new', revoke: revoke(REMOVE) };

const ROOT: Record<ServerAct, string> = {
  add: `
if ! takes "$next_user" "$next"; then
  alone "$former_user"
  add
  attach consoleAdmin
fi
takes_new`,
  verify: 'takes_new',
  // A server that has not restarted refuses to remove its own root: then it still takes the former value.
  revoke: revoke(`${REMOVE} 2>/dev/null || true`),
};

export function minioScript(
  { admin }: Extract<RotationSystem, { system: 'minio' }>,
  act: ServerAct,
  names: RotationNames,
): RotationScript {
  const bodies = admin === undefined ? ROOT : USER;
  return { command: shell(READS, `${COMMON}\n${bodies[act]}`, [names.former, names.next, names.admin]), reads: READS };
}
