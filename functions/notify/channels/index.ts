/** The table of channels: one row each. */
import { ConfigError } from '../../../shared/errors.ts';
import type { Channel, ChannelDefinition, Env } from '../channel.ts';
import { gotify } from './gotify.ts';
import { ntfy } from './ntfy.ts';
import { pushover } from './pushover.ts';
import { webhook } from './webhook.ts';

export type { Channel } from '../channel.ts';

const FROM_ENV: readonly ((env: Env) => Channel | null)[] = [
  row(gotify),
  row(ntfy),
  row(pushover),
  row(webhook),
];

/** Every channel whose variables are set; throws one ConfigError with all problems of all half-set channels. */
export function channelsFromEnv(env: Env): Channel[] {
  const channels: Channel[] = [];
  const problems: string[] = [];
  for (const fromEnv of FROM_ENV) {
    try {
      const channel = fromEnv(env);
      if (channel !== null) channels.push(channel);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new ConfigError(problems.join('\n'));
  return channels;
}

function row<Config>(definition: ChannelDefinition<Config>): (env: Env) => Channel | null {
  return (env) => {
    const config = definition.fromEnv(env);
    return config === null ? null : definition.create(config);
  };
}
