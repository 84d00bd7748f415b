/** doctor: what is reachable from here, what is not, and what to do about it. Prints no secret and sends nothing. */
import { resolveEnvironment } from '../shared/env.ts';
import { checkDatabase } from './check-database.ts';
import { checkDeadLetters } from './check-eventing.ts';
import { checkLinks } from './check-links.ts';
import {
  checkBroker,
  checkChannels,
  checkConsole,
  checkKubernetes,
  checkOllama,
} from './check-neighbours.ts';
import { checkAlertmanager, checkToken } from './check-senders.ts';
import { checkPostgres, checkRedis } from './check-stores.ts';
import { toTable } from './check.ts';
import type { Check } from './check.ts';
import { defineCommand, readUrl } from './command.ts';
import { readEnvironment } from './environment.ts';
import { paint } from './terminal.ts';

const OLDEST_NODE = 24;

export const command = defineCommand({
  help: `
doctor: checks, with the variables the functions read, what is reachable and what is not, and says how to fix it. Parts that
are not configured are no errors. Exit code 1 when something that is needed is missing.

  --url URL       the running alertgest to look at (default http://127.0.0.1:8080)
  --receive URL   its receive, where it has an address of its own (default: the same)

ALERTMANAGER_URL, where set, is asked for its routes and its clock.

Example:
  DATABASE_URL=postgresql://… NTFY_TOPIC=my-alerts npm run --silent alertgest -- doctor`,
  flags: { url: { type: 'string' }, receive: { type: 'string' } },
  words: [],
  async run({ url, receive }) {
    const env = resolveEnvironment(
      readEnvironment(process.env, (line) => void process.stderr.write(`${line}\n`)),
    );
    const consoleUrl = readUrl('--url', url ?? 'http://127.0.0.1:8080');
    const receiveUrl = receive === undefined ? consoleUrl : readUrl('--receive', receive);
    const checks = await Promise.all([
      checkPostgres(env),
      checkDatabase(env),
      checkRedis(env),
      checkBroker(env),
      checkDeadLetters(env),
      checkConsole(consoleUrl, url !== undefined, env),
      checkLinks(env),
      checkToken(receiveUrl, env),
      checkAlertmanager(env),
      checkChannels(env),
      checkOllama(env),
      checkKubernetes(env),
    ]);
    const all = [checkNode(), ...checks.flat()];
    process.stdout.write(`${toTable(all, paint)}\n`);
    const failed = all.filter(({ verdict }) => verdict === 'fail').length;
    if (failed > 0)
      process.stdout.write(`\n${failed} needed ${failed === 1 ? 'part is' : 'parts are'} missing.\n`);
    return failed > 0 ? 1 : 0;
  },
});

function checkNode(): Check {
  const { node } = process.versions;
  const isNew = Number(node.split('.', 1)[0]) >= OLDEST_NODE;
  if (isNew) return { name: 'Node', verdict: 'ok', detail: node };
  return {
    name: 'Node',
    verdict: 'fail',
    detail: node,
    fix: `Node ${OLDEST_NODE} or later; make fetches one`,
  };
}
