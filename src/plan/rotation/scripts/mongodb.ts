/**
 * MongoDB keeps one password a user. So two users take turns, in the same database and with the same roles. What is
 * said to the server is JavaScript for its own shell, which gets values by its environment.
 */
import type { RotationSystem } from '../../../catalog/schema.ts';
import { type RotationNames, type RotationScript, type RotationValues, type ServerAct, shell } from './script.ts';

const READS: (keyof RotationValues)[] = ['admin', 'former', 'next', 'wrong'];

const COMMON = `
const { DATABASE, FORMER_USER, NEXT_USER, ADMIN_USER, ADMIN, FORMER, NEXT, WRONG, PORT } = process.env;
const login = (user, password, source) =>
  connect('mongodb://' + encodeURIComponent(user) + ':' + encodeURIComponent(password) + '@127.0.0.1:' + PORT + '/' +
    source + '?authSource=' + source + '&directConnection=true&serverSelectionTimeoutMS=10000&appName=ananta-rotation');
const end = (code, why) => { if (why) console.error(why); quit(code); };
const takes = (user, password) => {
  try {
    login(user, password, DATABASE);
    return true;
  } catch (error) {
    // 18: AuthenticationFailed.
    if (error.code === 18) return false;
    throw error;
  }
};
const takesNew = () => {
  if (takes(NEXT_USER, WRONG)) end(43);
  if (!takes(NEXT_USER, NEXT)) end(41);
};
const users = () => login(ADMIN_USER, ADMIN, 'admin').getSiblingDB(DATABASE);`;

const ADD = `
const db1 = users();
const former = db1.getUser(FORMER_USER);
const roles = former ? former.roles : undefined;
if (db1.getUser(NEXT_USER)) db1.updateUser(NEXT_USER, { pwd: NEXT, ...(roles && FORMER_USER !== NEXT_USER ? { roles } : {}) });
else if (roles) db1.createUser({ user: NEXT_USER, pwd: NEXT, roles });
else end(46, 'there is no user ' + FORMER_USER + ' in ' + DATABASE + ', whose roles the next one would get');
takesNew();`;

const REVOKE = `
takesNew();
if (FORMER_USER !== NEXT_USER) {
  const db1 = users();
  if (db1.getUser(FORMER_USER)) db1.dropUser(FORMER_USER);
}
if (takes(FORMER_USER, FORMER)) end(42);
takesNew();`;

const BODIES: Record<ServerAct, string> = { add: ADD, verify: '\ntakesNew();', revoke: REVOKE };

export function mongodbScript(
  { database }: Extract<RotationSystem, { system: 'mongodb' }>,
  act: ServerAct,
  { former, next, admin: administrator }: RotationNames,
): RotationScript {
  const body = `
command -v mongosh >/dev/null || exit 44
export DATABASE=$1 FORMER_USER=$2 NEXT_USER=$3 ADMIN_USER=$4
export ADMIN="$admin" FORMER="$former" NEXT="$next" WRONG="$wrong" PORT="\${MONGODB_PORT_NUMBER:-27017}"
exec mongosh --quiet --norc --nodb --eval "$5" </dev/null`;
  const args = [database, former, next, administrator, `${COMMON}${BODIES[act]}`];
  return { command: shell(READS, body, args), reads: READS };
}
