/**
 * Redis: the default user takes two passwords while readers move. It forgets the new one when it restarts before its
 * Secret has it, so it is set again right before that is written.
 */
import { type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['former', 'next', 'wrong'];

/** Commands come by standard input: a password stands in no argument. */
const COMMON = `
export LC_ALL=C
say() { # password, command
  printf '%s\\n' "$2" | REDISCLI_AUTH="$1" redis-cli -e -h 127.0.0.1 -p "\${REDIS_PORT_NUMBER:-6379}" 2>&1
}
takes() {
  case "$(say "$1" PING || true)" in
    *PONG*) return 0 ;;
    *NOAUTH* | *WRONGPASS*) return 1 ;;
    *) echo 'the server does not answer' >&2; exit 1 ;;
  esac
}
takes_new() {
  if takes "$wrong"; then exit 43; fi
  takes "$next" || exit 41
}`;

const ADD = `
if takes "$wrong"; then exit 43; fi
if ! takes "$next"; then say "$former" "ACL SETUSER default >$next" >/dev/null; fi
takes_new`;

const REVOKE = `
takes_new
if takes "$former"; then say "$next" "ACL SETUSER default <$former" >/dev/null; fi
if takes "$former"; then exit 42; fi
takes_new`;

const BODIES: Record<ServerAct, string> = { add: ADD, verify: 'takes_new', revoke: REVOKE };

export function redisScript(act: ServerAct): RotationScript {
  return { command: shell(READS, `${COMMON}\n${BODIES[act]}`, []), reads: READS };
}
