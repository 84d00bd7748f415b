/** send-test: one message that says it is a test, through a channel as notify would send it. */
import { testChannel } from '../functions/notify/channel-test.ts';
import type { Channel } from '../functions/notify/channels/index.ts';
import { readDestinations } from '../functions/notify/destinations.ts';
import { readVariable, resolveEnvironment } from '../shared/env.ts';
import { defineCommand, UsageError } from './command.ts';
import { readEnvironment } from './environment.ts';
import { cleanLine } from './terminal.ts';

const LINE_CHARS = 300;
const clean = (line: string): string => cleanLine(line, LINE_CHARS);

export const command = defineCommand({
  help: `
send-test [CHANNEL]: sends one message that says it is a test through a channel, with the variables (and the ROUTES) that
notify reads, and prints the provider's answer. What the message opens at a pager is closed again at once. Exit code 1 when
a provider did not take it.

  --all   through every channel there is

Example:
  NTFY_TOPIC=my-alerts npm run --silent alertgest -- send-test ntfy`,
  flags: { all: { type: 'boolean', default: false } },
  words: ['[CHANNEL]'],
  async run({ all }, [name]) {
    const env = resolveEnvironment(
      readEnvironment(process.env, (line) => void process.stderr.write(`${line}\n`)),
    );
    const ROUTES = readVariable(env, 'ROUTES');
    const { channels } = await readDestinations({ ROUTES, NOTIFY_MIN_SEVERITY: 'warning' }, env);
    const chosen = choose(channels, name, all);
    const outcomes = await Promise.all(
      chosen.map(async (channel) => ({ name: channel.name, ...(await testChannel(channel, new Date())) })),
    );
    for (const { name: tested, answer } of outcomes)
      process.stdout.write(`${tested}: ${answer.split('\n').map(clean).join('\n  ')}\n`);
    return outcomes.every(({ taken }) => taken) ? 0 : 1;
  },
});

function choose(channels: readonly Channel[], name: string | undefined, all: boolean): readonly Channel[] {
  const names = channels.map((channel) => channel.name).join(', ') || 'none is configured';
  if (all === (name !== undefined))
    throw new UsageError(`name one channel or say --all; there are: ${names}`);
  const chosen = all ? channels : channels.filter((channel) => channel.name === name);
  if (chosen.length === 0) throw new UsageError(`there is no channel "${name ?? ''}"; there are: ${names}`);
  return chosen;
}
