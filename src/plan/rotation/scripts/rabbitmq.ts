/** RabbitMQ keeps one password a user. So two users take turns, with the same tags and permissions. */
import { type RotationNames, type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['former', 'next', 'wrong'];

/**
 * The broker's own tool, in its own container, asks nobody for a password; those that it sets come by standard input.
 */
const COMMON = `
former_user=$1 next_user=$2
export LC_ALL=C
soh=$(printf '\\001')
ctl() { rabbitmqctl --silent "$@"; }
there() { ctl list_users | cut -f1 | grep -qxF "$1"; }
takes() { # user password
  there "$1" && printf '%s\\n' "$2" | ctl authenticate_user "$1" >/dev/null 2>&1
}
takes_new() {
  if takes "$next_user" "$wrong"; then exit 43; fi
  takes "$next_user" "$next" || exit 41
}`;

const ADD = `
if there "$next_user"; then
  takes "$next_user" "$next" || printf '%s\\n' "$next" | ctl change_password "$next_user" >/dev/null
else
  printf '%s\\n' "$next" | ctl add_user "$next_user" >/dev/null
fi
if [ "$former_user" != "$next_user" ] && there "$former_user"; then
  ctl set_user_tags "$next_user" $(ctl list_users | awk -F '\\t' -v user="$former_user" '$1 == user { print $2 }' | tr -d '[],') >/dev/null
  # Between tabs there may be nothing, which the shell would leave out.
  ctl list_user_permissions "$former_user" | tr '\\t' '\\001' | while IFS=$soh read -r vhost configure write read; do
    ctl set_permissions -p "$vhost" "$next_user" "$configure" "$write" "$read" </dev/null >/dev/null
  done
fi
takes_new`;

const REVOKE = `
takes_new
if [ "$former_user" != "$next_user" ] && there "$former_user"; then ctl delete_user "$former_user" >/dev/null; fi
if takes "$former_user" "$former"; then exit 42; fi`;

const BODIES: Record<ServerAct, string> = { add: ADD, verify: 'takes_new', revoke: REVOKE };

export function rabbitmqScript(act: ServerAct, { former, next }: RotationNames): RotationScript {
  return { command: shell(READS, `${COMMON}\n${BODIES[act]}`, [former, next]), reads: READS };
}
