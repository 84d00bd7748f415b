/** run: the whole of alertgest on this machine, with history, until Ctrl-C. */
import { resolveEnvironment } from '../shared/env.ts';
import { toCard } from './card.ts';
import { defineCommand } from './command.ts';
import { readEnvironment } from './environment.ts';
import { choosePort, LOG_FOLDER, startOneMachine } from './one-machine.ts';
import type { OneMachine } from './one-machine.ts';
import { paint } from './terminal.ts';
import { DATA_FOLDER, ensureToken } from './token.ts';

export const command = defineCommand({
  help: `
run: starts PostgreSQL, Redis where there is one, the broker and all six functions, each a process of its own, on
127.0.0.1. History is kept in .data/. Channels and limits are read from the environment, as on the cluster; without a
channel every push is printed here. DATABASE_URL and REDIS_URL choose stores of your own.

  --port N          the one address of everything (default ALERTGEST_PORT, else 8080)
  --allow-replay    lets "replay" set the time of its alerts

Example:
  NTFY_TOPIC=my-alerts npm run --silent alertgest -- run`,
  flags: { port: { type: 'string' }, 'allow-replay': { type: 'boolean', default: false } },
  words: [],
  async run(values) {
    const port = await choosePort(values.port, false);
    const say = (line: string): void => void process.stdout.write(`${line}\n`);
    const env = readEnvironment(process.env, say);
    const { RECEIVE_TOKEN: given } = resolveEnvironment(env);
    const token = ensureToken(given);
    const one = await startOneMachine({
      env: { ...env, ...(values['allow-replay'] && { ALLOW_REPLAY: 'true' }) },
      port,
      dataFolder: DATA_FOLDER,
      schedules: true,
      token: given ?? token,
      say,
      onPush: (push, number) => say(toCard(push, number, new Date().toTimeString().slice(0, 5), paint)),
    });
    say(toWelcome(one, token));
    await one.lifetime.over;
    await one.stop();
    return 0;
  },
});

/** Where everything is, ready to be pasted. */
function toWelcome({ machine: { url, redisUrl }, phone }: OneMachine, token: string): string {
  const title = (text: string): string => paint('bold', text);
  return `
${title('alertgest runs')} at ${url} until Ctrl-C.

${title('Post alerts')} (Alertmanager: webhook_configs url ${url}/api/v1/alerts, http_config.authorization.credentials)
  curl ${url}/api/v1/alerts -H 'content-type: application/json' \\
    -H 'authorization: Bearer ${token}' -d @test/fixtures/sample_alerts.json

${title('Look')}
  ${url}/                    the console: what is open, issues, deliveries
  ${url}/api/v1/issues       the same for scripts; /api/v1/openapi.json says what else
  ${url}/api/v1/audit        whether everything came to its end

${title('Call a function')} (the reply is the next event)
  npm run --silent alertgest -- event dev.alertgest.notice.received | curl '${url}/functions/classify?dry_run' \\
    -H 'content-type: application/cloudevents+json' -d @- -i

Pushes go to ${phone === null ? 'your channels' : 'this terminal: no channel is configured (set e.g. NTFY_TOPIC)'}.
Redis: ${redisUrl === null ? 'none; decisions are read from Postgres' : 'in use'}. Logs: ${LOG_FOLDER}/<function>.log`;
}
