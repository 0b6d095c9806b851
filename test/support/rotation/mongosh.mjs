#!/usr/bin/env node
/**
 * Stands in for `mongosh` and the server behind it, as far as a rotation speaks to them: users with passwords and roles in
 * a file (MONGO_USERS), which refuses what MongoDB refuses, with its codes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';

const file = process.env.MONGO_USERS;
const script = process.argv[process.argv.indexOf('--eval') + 1];
const read = () => JSON.parse(readFileSync(file, 'utf8'));
const failed = (code, message) => Object.assign(new Error(message), { name: 'MongoServerError', code });

function database(name, who) {
  const change = (work) => {
    const all = read();
    if (!all.admin?.[who]) throw failed(13, `not authorized on ${name} to execute command`);
    all[name] ??= {};
    work(all[name]);
    writeFileSync(file, JSON.stringify(all));
  };
  return {
    getSiblingDB: (other) => database(other, who),
    getUser: (user) => {
      if (!read().admin?.[who]) throw failed(13, `not authorized on ${name} to execute command`);
      const found = read()[name]?.[user];
      return found ? { _id: `${name}.${user}`, user, db: name, roles: found.roles } : null;
    },
    createUser: ({ user, pwd, roles }) =>
      change((users) => {
        if (!Array.isArray(roles))
          throw failed(40_414, `BSON field 'createUser.roles' is missing but a required field`);
        if (users[user]) throw failed(51_003, `User "${user}@${name}" already exists`);
        users[user] = { pwd, roles };
      }),
    updateUser: (user, more) =>
      change((users) => {
        if (!users[user]) throw failed(11, `Could not find user "${user}" for db "${name}"`);
        users[user] = { ...users[user], ...more };
      }),
    dropUser: (user) =>
      change((users) => {
        if (!users[user]) throw failed(11, `User '${user}@${name}' not found`);
        delete users[user];
        return true;
      }),
  };
}

try {
  runInNewContext(script, {
    process,
    console,
    quit: (code = 0) => process.exit(code),
    connect: (address) => {
      const { username, password, pathname, searchParams } = new URL(address);
      const source = searchParams.get('authSource') ?? 'admin';
      const user = decodeURIComponent(username);
      if (read()[source]?.[user]?.pwd !== decodeURIComponent(password)) throw failed(18, 'Authentication failed.');
      return database(pathname.slice(1), source === 'admin' ? user : '');
    },
    encodeURIComponent,
  });
} catch (error) {
  console.error(`${error.name}: ${error.message}`);
  process.exitCode = 1;
}
